import type { OrtRuntime, OrtSession, OrtTensor } from '@mhe/onnx';
import { libraryMajor, type TransformersLibrary } from './library.js';

/**
 * The ONNX Runtime that the library itself uses, by way of a model that it has loaded. The swap runs there, because two
 * copies of onnxruntime-node of different versions cannot live in one process, and a browser would load a second one.
 *
 * @param library - the module of transformers.js.
 * @param model - a model that it loaded; its sessions are left alone.
 * @throws Error where the model shows no session.
 */
export function runtimeOf(library: TransformersLibrary, model: unknown): OrtRuntime {
  const session = sessionsOf(model)[0];
  if (session === undefined) throw new Error('transformers.js loaded a model without a session: pass `runtime`');
  const { create } = session.constructor as unknown as OrtRuntime['InferenceSession'];
  return {
    InferenceSession: {
      async create(bytes, options) {
        return withRelease(await create.call(session.constructor, bytes, options));
      },
    },
    Tensor: tensorClass(library),
    takesExternalData: libraryMajor(library) > 2,
  };
}

/** Versions 3 and 4 keep sessions by name, version 2 keeps them as fields. */
function sessionsOf(model: unknown): OrtSession[] {
  const fields = model as { sessions?: Record<string, OrtSession>; session?: OrtSession };
  if (fields.sessions) return Object.values(fields.sessions);
  return fields.session ? [fields.session] : [];
}

/** ONNX Runtime before 1.16, as in version 2, frees a session when nothing holds it any more. */
function withRelease(session: OrtSession): OrtSession {
  if (typeof session.release === 'function') return session;
  return {
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    run: (feeds, fetches, options) => session.run(feeds, fetches, options),
    async release() {},
  };
}

/** The library's tensors wrap those of ONNX Runtime (3, 4) or are taken by it as they are (2). */
function tensorClass({ Tensor }: TransformersLibrary): OrtRuntime['Tensor'] {
  const Wrapper = Tensor as new (
    type: string,
    data: Float32Array,
    dims: readonly number[],
  ) => { ort_tensor?: OrtTensor };
  const { ort_tensor: inner } = new Wrapper('float32', new Float32Array(1), [1]);
  return (inner === undefined ? Wrapper : inner.constructor) as OrtRuntime['Tensor'];
}
