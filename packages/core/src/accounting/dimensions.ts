/** The sizes of an attention block, by the names the project uses. */
export interface AttentionDimensions {
  /** Width of the model: of every stream and of the output, unless given apart. */
  readonly modelDim: number;
  readonly numHeads: number;
  /** Size of a head's queries and keys. Default `modelDim / numHeads`. */
  readonly headDim?: number;
  /** Size of a head's values. Default `headDim`. */
  readonly valueHeadDim?: number;
  /** Width of the stream that keys are projected from (cross attention). Default `modelDim`. */
  readonly keyDim?: number;
  /** Width of the stream that values are projected from. Default `keyDim`. */
  readonly valueDim?: number;
  /** Width of the block's output. Default `modelDim`. */
  readonly outputDim?: number;
  /** Blocks of these sizes. Default 1. */
  readonly numLayers?: number;
}

/** Every size, none left to a default, for exact arithmetic. */
export type ExactDimensions = { readonly [Field in keyof Required<AttentionDimensions>]: bigint };

/**
 * Fills in the defaults.
 *
 * @throws RangeError when a size is no whole number above 0, or heads do not divide the model's width and no head size
 * is given.
 */
export function exactDimensions(dimensions: AttentionDimensions): ExactDimensions {
  const { modelDim, numHeads, numLayers = 1 } = dimensions;
  const indivisible = exactSize('modelDim', modelDim) % exactSize('numHeads', numHeads) !== 0n;
  if (dimensions.headDim === undefined && indivisible) {
    throw new RangeError(`modelDim ${modelDim} is not a multiple of numHeads ${numHeads}: give headDim`);
  }
  const { headDim = modelDim / numHeads, keyDim = modelDim, outputDim = modelDim } = dimensions;
  const { valueHeadDim = headDim, valueDim = keyDim } = dimensions;
  const all = { modelDim, numHeads, headDim, valueHeadDim, keyDim, valueDim, outputDim, numLayers };
  return Object.fromEntries(
    Object.entries(all).map(([name, size]) => [name, exactSize(name, size)]),
  ) as ExactDimensions;
}

/**
 * A size as BigInt.
 *
 * @throws RangeError naming the size when it is no whole number of at least `least`.
 */
export function exactSize(name: string, size: number, least = 1): bigint {
  if (!Number.isSafeInteger(size) || size < least) {
    throw new RangeError(`${name} must be a whole number of at least ${least}, got ${size}`);
  }
  return BigInt(size);
}
