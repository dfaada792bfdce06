import type { PreTrainedModel } from '@huggingface/transformers';

/**
 * Has the worker look at its messages before every token. On wasm a model computes without a pause, and `generate()` would hear
 * of a stop when it is done.
 */
export function letMessagesIn<Model extends PreTrainedModel>(model: Model): Model {
  const { forward } = model;
  model.forward = async (inputs) => {
    await nextMessage();
    return forward.call(model, inputs);
  };
  return model;
}

/** Waits for a message of our own, which comes after those that are there; a timer would wait for milliseconds. */
function nextMessage(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
