import { getBackend, getKernel } from '@tensorflow/tfjs-core';

/** What the kernels are for: a layer's output, its gradient too, or what a swap computes beside the model's own. */
export type KernelUse = 'inference' | 'training' | 'swap';

const inference =
  'Add BatchMatMul Cast Concat Exp GreaterEqual Identity LogicalAnd Max Min Multiply Range RealDiv Reshape Slice Softmax SplitV Sub Tile Transpose'.split(
    ' ',
  );
const gradient = 'Equal Floor Neg PadV2 Square Sum ZerosLike'.split(' ');
const moments =
  'BatchMatMul Cast Concat ExpandDims Greater Identity Max Maximum Multiply PadV2 RealDiv Reshape Slice Sub Sum Transpose'.split(
    ' ',
  );

/** The kernels that this package takes. */
export const neededKernels: Record<KernelUse, readonly string[]> = {
  inference,
  training: [...inference, ...gradient],
  swap: moments,
};

/** Backends that were found to have what a use needs. */
const complete = new Set<string>();

/**
 * Makes sure that the current backend has the kernels that a use needs.
 *
 * @param what - a layer or a model, for the message.
 * @throws Error naming the kernels that it lacks.
 */
export function requireKernels(what: string, use: KernelUse): void {
  const backend = getBackend();
  if (complete.has(`${backend} ${use}`)) return;
  const missing = neededKernels[use].filter((kernel) => !getKernel(kernel, backend));
  if (missing.length > 0) {
    const purpose = use === 'swap' ? 'a swap' : use;
    throw new Error(
      `${what}: the backend '${backend}' lacks ${missing.join(', ')} for ${purpose}; choose another with tf.setBackend`,
    );
  }
  complete.add(`${backend} ${use}`);
}
