import { getBackend, getKernel } from '@tensorflow/tfjs-core';

/** What a layer is used for: the kernels of its output, or those of its gradient too. */
export type KernelUse = 'inference' | 'training';

const inference =
  'Add BatchMatMul Cast Concat Exp GreaterEqual Identity LogicalAnd Max Min Multiply Range RealDiv Reshape Slice Softmax SplitV Sub Tile Transpose'.split(
    ' ',
  );
const gradient = 'Equal Floor Neg PadV2 Square Sum ZerosLike'.split(' ');

/** The kernels that the layers of this package take. */
export const neededKernels: Record<KernelUse, readonly string[]> = { inference, training: [...inference, ...gradient] };

/** Backends that were found to have what a use needs. */
const complete = new Set<string>();

/**
 * Makes sure that the current backend has the kernels that the layers use.
 *
 * @throws Error naming the kernels that it lacks.
 */
export function requireKernels(layer: string, use: KernelUse): void {
  const backend = getBackend();
  if (complete.has(`${backend} ${use}`)) return;
  const missing = neededKernels[use].filter((kernel) => !getKernel(kernel, backend));
  if (missing.length > 0) {
    throw new Error(
      `${layer}: the backend '${backend}' lacks ${missing.join(', ')} for ${use}; choose another with tf.setBackend`,
    );
  }
  complete.add(`${backend} ${use}`);
}
