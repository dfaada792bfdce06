// transformers.js with the `mhe` option, its runtime served by the page rather than fetched from another one.
import * as transformers from '@huggingface/transformers';
import { withMhe } from '@mhe/transformers';
import factory from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.mjs?url';
import binary from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url';
import type { ModelPlace } from './model-place.js';

const { env } = transformers;
Object.assign(env.backends.onnx.wasm ?? {}, { wasmPaths: { mjs: factory, wasm: binary } });

export const { AutoModelForCausalLM, pipeline } = withMhe(transformers);

const hub = { remoteHost: env.remoteHost, remotePathTemplate: env.remotePathTemplate };
// The library would look on this page's server for models of the hub.
env.allowLocalModels = false;

/** Lets the library look where a model is, and nowhere else; gives the name that it has there. */
export function lookIn({ id, around }: ModelPlace): string {
  Object.assign(env, around === null ? hub : { remoteHost: around, remotePathTemplate: '{model}/' });
  return id;
}
