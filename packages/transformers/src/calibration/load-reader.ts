import type { PretrainedClass, TransformersLibrary } from '../library/library.js';
import { libraryError } from '../library/library-error.js';
import { ModelFolderError } from '../model-folder-error.js';

/**
 * Loads the tokenizer or processor that reads calibration inputs.
 *
 * @param model - its folder or id, for errors.
 * @param load - loads it.
 * @throws ModelFolderError where it is missing or damaged, of which the library does not tell the file.
 */
export async function loadReader(
  library: TransformersLibrary,
  model: string,
  pretrained: PretrainedClass,
  load: (pretrained: PretrainedClass) => Promise<unknown>,
): Promise<unknown> {
  try {
    return await load(pretrained);
  } catch (cause) {
    const told = libraryError(library, model, cause);
    if (told instanceof ModelFolderError && told.problem !== 'unreadable') throw told;
    const [kind, files] =
      pretrained === library.AutoTokenizer
        ? ['tokenizer', 'tokenizer.json and tokenizer_config.json']
        : ['processor', 'preprocessor_config.json'];
    const reason = cause instanceof Error ? cause.message.replace(/\s+/g, ' ') : String(cause);
    const what = `the ${kind}, which reads the calibration inputs, cannot be loaded (${reason})`;
    const remedy = `Take ${files} of the model as it was published`;
    throw new ModelFolderError(model, 'calibration', what, remedy, { cause });
  }
}
