/** Sizes of the character model: small enough to train while one watches. */
export const sizes = {
  /** Characters that the model sees at once. */
  context: 32,
  modelDim: 48,
  numHeads: 4,
  headDim: 12,
  /** Width between the two layers of a block's feed-forward part. */
  hiddenDim: 96,
  numLayers: 2,
  /** Pieces of text in a step. */
  batch: 8,
  learningRate: 3e-3,
} as const;

/** The attentions that are compared, in the order in which they are shown, by core's names for them. */
export const kinds = ['mha', 'mhe-add', 'mhe-mul'] as const;

export type Kind = (typeof kinds)[number];

/** Something for each kind. */
export type PerKind<Value> = Readonly<Record<Kind, Value>>;

/** Something for each kind, made one after the other. */
export function perKind<Value>(make: (kind: Kind) => Value): PerKind<Value> {
  return Object.fromEntries(kinds.map((kind) => [kind, make(kind)])) as PerKind<Value>;
}
