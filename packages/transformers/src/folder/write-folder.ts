import type { NodeModules } from '../library/node-modules.js';
import { ModelFolderError } from '../model-folder-error.js';
import { requireNode } from './model-folder.js';

/**
 * Checks, before any long work, that a swapped folder can be written.
 *
 * @param input - the folder that the model is read from, which has to be there; `null` where it is not there yet.
 * @param output - the new folder.
 * @param options - `force`: whether a model that is there may be replaced.
 * @throws ModelFolderError where it is there already and `force` is not given, is or lies in the input, holds what is no
 *   model, or there is no folder to put it in.
 */
export function checkOutputFolder(
  input: string | null,
  output: string,
  { force = false }: { readonly force?: boolean },
): void {
  const { fs, path } = requireNode(output);
  const stat = (file: string) => fs.statSync(file, { throwIfNoEntry: false });
  const parent = path.dirname(path.resolve(output));
  if (!stat(parent)?.isDirectory()) {
    throw new ModelFolderError(output, 'unwritable', `there is no folder ${parent}`, 'Create it first');
  }
  try {
    fs.accessSync(parent, fs.constants.W_OK);
  } catch (cause) {
    throw unwritable(output, cause as NodeJS.ErrnoException);
  }
  const isOrIsIn = (folder: string, place: string) => !path.relative(folder, place).startsWith('..');
  const real = path.join(fs.realpathSync(parent), path.basename(path.resolve(output)));
  const existing = stat(output);
  const places = existing ? [real, fs.realpathSync(output)] : [real];
  if (input !== null && places.some((place) => isOrIsIn(fs.realpathSync(input), place))) {
    const what = 'it is, or is in, the folder that the model is read from, which stays as it is';
    throw new ModelFolderError(output, 'exists', what, 'Choose another folder');
  }
  if (existing === undefined) return;
  if (!existing.isDirectory()) {
    throw new ModelFolderError(output, 'exists', 'it is a file', 'Name a folder: a model is several files');
  }
  const names = fs.readdirSync(output);
  if (names.length === 0) return;
  if (!names.includes('config.json')) {
    throw new ModelFolderError(output, 'exists', 'it holds files, and no model', 'Choose another folder');
  }
  if (!force)
    throw new ModelFolderError(output, 'exists', 'it holds a model already', 'Choose another folder, or use force');
}

/**
 * Fills a folder beside `output` and renames it when it is complete, so that an error or an abort leaves what was there
 * before.
 *
 * @param fill - writes into the folder that it is given.
 */
export async function writeFolder(
  { fs, path }: NodeModules,
  output: string,
  fill: (folder: string) => Promise<void>,
): Promise<void> {
  const { mkdir, rename, rm } = fs.promises;
  const target = path.resolve(output);
  const beside = (kind: string) =>
    path.join(path.dirname(target), `.${path.basename(target)}-${crypto.randomUUID()}.${kind}`);
  const temporary = beside('tmp');
  try {
    await mkdir(temporary);
    await fill(temporary);
    if (fs.existsSync(target)) {
      const replaced = beside('old');
      await rename(target, replaced);
      // Back again, should the new one not go there.
      await rename(temporary, target).catch(async (cause) => {
        await rename(replaced, target);
        throw cause;
      });
      await rm(replaced, { recursive: true });
    } else {
      await rename(temporary, target);
    }
  } catch (cause) {
    if (!(cause instanceof Error && 'syscall' in cause && 'code' in cause)) throw cause;
    throw unwritable(output, cause);
  } finally {
    // What went wrong before it matters more.
    await rm(temporary, { recursive: true, force: true }).catch(() => {});
  }
}

function unwritable(output: string, cause: Error & { readonly code?: unknown }): ModelFolderError {
  const what = `it cannot be written (${String(cause.code)})`;
  return new ModelFolderError(output, 'unwritable', what, 'Check the space and the permissions of its folder', {
    cause,
  });
}
