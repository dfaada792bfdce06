import { type MultiHeadEmbeddingAttentionArgs, multiHeadAttention, multiHeadEmbeddingAttention } from '@mhe/tfjs';
import { add, matMul, mul, reshape, softmax, type Tensor, transpose, type Variable } from '@tensorflow/tfjs-core';

export const modelDim = 768;
const numHeads = 12;
const headDim = modelDim / numHeads;

/** One way to compute a layer, with its weights. */
export interface Variant {
  readonly name: string;
  /** Speeds are relative to the fastest of these. */
  readonly isBaseline: boolean;
  /** Variants with the same compute the same. */
  readonly same: string;
  readonly variables: readonly Variable[];
  /** `[1, tokens, modelDim]` to the same. */
  run(input: Tensor): Tensor;
}

type Layer = ReturnType<typeof multiHeadAttention> | ReturnType<typeof multiHeadEmbeddingAttention>;

/**
 * All variants, their variables drawn by `draw`.
 *
 * @param draw - fills a layer's weights; equal layers get equal weights.
 */
export function allVariants(draw: (layer: Layer) => void): readonly Variant[] {
  const built = (name: string, same: string, layer: Layer): Variant => {
    layer.build([null, null, modelDim]);
    draw(layer);
    const variables = layer.weights.map((weight) => weight.read() as Variable);
    return { name, same, isBaseline: same === 'MHA', variables, run: (input) => layer.apply(input) as Tensor };
  };
  const mhe = (name: string, args: Partial<MultiHeadEmbeddingAttentionArgs>) =>
    built(
      name,
      `${args.embedding} ${JSON.stringify(args.groups)}`,
      multiHeadEmbeddingAttention({ numHeads, headDim, ...args }),
    );
  const mha = built('MHA, multiHeadAttention', 'MHA', multiHeadAttention({ numHeads, keyDim: headDim }));
  return [
    { ...mha, name: 'MHA, operators of tfjs', run: (input) => operators(input, mha.variables) },
    mha,
    mhe('MUL direct, 1/1', { embedding: 'mul', groups: 1, form: 'direct' }),
    mhe('MUL folded, 1/1', { embedding: 'mul', groups: 1, form: 'folded' }),
    mhe('MUL folded, 1/4', { embedding: 'mul', groups: { queryKey: 1, value: 4 }, form: 'folded' }),
    mhe('MUL folded, 1/n', { embedding: 'mul', groups: { queryKey: 1, value: 'heads' }, form: 'folded' }),
    mhe('ADD folded, 1/1', { embedding: 'add', groups: 1, form: 'folded' }),
    mhe('ADD factorised, 1/1', { embedding: 'add', groups: 1, form: 'factorised' }),
  ];
}

/** Multi-head attention as one writes it with tfjs. */
function operators(input: Tensor, variables: readonly Variable[]): Tensor {
  const [wq, bq, wk, bk, wv, bv, wo, bo] = variables as [
    Variable,
    Variable,
    Variable,
    Variable,
    Variable,
    Variable,
    Variable,
    Variable,
  ];
  const tokens = input.shape[1] as number;
  const rows = reshape(input, [tokens, modelDim]);
  const affine = (x: Tensor, w: Variable, b: Variable) =>
    add(matMul(x, reshape(w, [modelDim, modelDim])), reshape(b, [modelDim]));
  const heads = (x: Tensor) => transpose(reshape(x, [1, tokens, numHeads, headDim]), [0, 2, 1, 3]);
  const query = mul(heads(affine(rows, wq, bq)), 1 / Math.sqrt(headDim));
  const scores = matMul(query, heads(affine(rows, wk, bk)), false, true);
  const context = matMul(softmax(scores), heads(affine(rows, wv, bv)));
  const merged = reshape(transpose(context, [0, 2, 1, 3]), [tokens, modelDim]);
  return reshape(affine(merged, wo, bo), [1, tokens, modelDim]);
}
