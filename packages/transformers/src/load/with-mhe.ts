import { libraryMajor, type TransformersLibrary } from '../library/library.js';
import { ModelFolderError } from '../model-folder-error.js';
import { type Disposable, rememberLoad } from './known-load.js';
import type { LibraryOptions, MheLoadOptions } from './load-options.js';
import { loadSwapped } from './load-swapped.js';

/** The option that is added. */
export interface WithMheOption {
  /** Swaps the model's attention while it is loaded. Default, also for `null` and `false`: the model is loaded as it is. */
  readonly mhe?: MheLoadOptions | null | false;
}

type AnyFunction = (...parts: never) => unknown;

/** A `from_pretrained` of a class of models, with one more option. */
interface SwappingClass<FromPretrained extends AnyFunction> {
  from_pretrained(
    id: string,
    options: NonNullable<Parameters<FromPretrained>[1]> & WithMheOption,
  ): ReturnType<FromPretrained>;
}

/** `pipeline` with one more option; name the pipeline's class to have its type. */
type SwappingPipeline<Pipeline extends AnyFunction> = <Loaded = Awaited<ReturnType<Pipeline>>>(
  task: Parameters<Pipeline>[0],
  model: string,
  options: NonNullable<Parameters<Pipeline>[2]> & WithMheOption,
) => Promise<Loaded>;

/** What a class of models gives back, by the library's own base class. */
type ModelOf<Library> = Library extends { PreTrainedModel: abstract new (...parts: never) => infer Model }
  ? Model
  : never;

/** The library, whose model classes and `pipeline` take `mhe`. */
export type MheLibrary<Library> = {
  readonly [Name in keyof Library]: Name extends 'pipeline'
    ? Library[Name] extends AnyFunction
      ? Library[Name] & SwappingPipeline<Library[Name]>
      : Library[Name]
    : Library[Name] extends { from_pretrained: infer FromPretrained extends AnyFunction }
      ? ReturnType<FromPretrained> extends Promise<ModelOf<Library>>
        ? Library[Name] & SwappingClass<FromPretrained>
        : Library[Name]
      : Library[Name];
};

/** A class of models as it is found in the module. */
type ModelClass = (abstract new (
  ...parts: never
) => unknown) & {
  from_pretrained(id: string, options: LibraryOptions): Promise<Disposable>;
};

type PipelineFunction = (
  task: string,
  id: string | null | undefined,
  options: LibraryOptions,
) => Promise<Disposable & { readonly model?: unknown }>;

/**
 * transformers.js with one more option: `from_pretrained(id, { mhe: { groups, calibration } })` on every class of models, and
 * `pipeline(task, id, { mhe })`. Without `mhe` they are the library's own, and everything else is as it was.
 *
 * The first load swaps, and keeps the swapped files in the library's own cache under the model, the revision and the
 * options; later ones load from there.
 *
 * @param library - the module: `import * as transformers from '@huggingface/transformers'`.
 * @throws RangeError where the library's version is not supported.
 */
export function withMhe<Library extends TransformersLibrary>(library: Library): MheLibrary<Library> {
  libraryMajor(library);
  const members = Object.entries(library).map(([name, member]) => {
    if (name === 'pipeline') return [name, swappingPipeline(library, member)];
    return [name, isModelClass(library, member) ? swappingClass(library, name, member) : member];
  });
  return Object.fromEntries(members);
}

/** Whether something is the library's base class of models, one of its kinds, or a class that chooses among them. */
function isModelClass(library: object, member: unknown): member is ModelClass {
  if (typeof member !== 'function' || !('from_pretrained' in member)) return false;
  const { PreTrainedModel: base } = library as { PreTrainedModel: abstract new (...parts: never) => unknown };
  return Object.is(member, base) || member.prototype instanceof base || 'MODEL_CLASS_MAPPINGS' in member;
}

/** Whether a swap is asked for. */
function isAsked(mhe: WithMheOption['mhe']): mhe is MheLoadOptions {
  if (mhe === undefined || mhe === null || mhe === false) return false;
  if (typeof mhe === 'object' && !Array.isArray(mhe)) return true;
  throw new RangeError(
    `mhe: ${JSON.stringify(mhe)} is not possible; give an object such as { groups: 1, calibration: texts }, or leave it out`,
  );
}

/** The class itself, in all but its `from_pretrained`: the library knows its classes by identity. */
function swappingClass(library: TransformersLibrary, name: string, model: ModelClass): ModelClass {
  const from_pretrained = async (id: string, { mhe, ...options }: LibraryOptions & WithMheOption = {}) => {
    const run = (loading: LibraryOptions) => model.from_pretrained(id, { ...loading });
    if (!isAsked(mhe)) return rememberLoad(await run(options), { library, id, options, run });
    return loadSwapped(library, { name, id, run, modelOf: (loaded) => loaded }, options, mhe);
  };
  return new Proxy(model, {
    get: (target, key) => (key === 'from_pretrained' ? from_pretrained : Reflect.get(target, key)),
  });
}

function swappingPipeline(library: TransformersLibrary, pipeline: PipelineFunction): PipelineFunction {
  return async (task, id, given) => {
    const { mhe, ...options }: LibraryOptions & WithMheOption = given ?? {};
    if (!isAsked(mhe)) {
      const loaded = await pipeline(task, id, { ...options });
      if (!id) return loaded;
      return rememberLoad(loaded, { library, id, options, run: (loading) => pipeline(task, id, { ...loading }) });
    }
    if (!id) {
      throw new ModelFolderError(
        task,
        'unsupported',
        'mhe needs to know the model',
        'Name it: pipeline(task, id, { mhe })',
      );
    }
    const run = (loading: LibraryOptions) => pipeline(task, id, { ...loading });
    return loadSwapped(library, { name: task, id, run, modelOf: ({ model }) => model }, options, mhe);
  };
}
