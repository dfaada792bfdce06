import { type SeededRandom, seededRandom } from '@mhe/core';
import type { OnnxModel } from '@mhe/onnx';
import { attentionNodes, projectionNodes } from '../graph/attention-nodes.js';
import { GraphBuilder } from '../graph/graph-builder.js';
import { randomProjection } from '../graph/random-projection.js';

/** Sizes of a BERT encoder. */
export interface EncoderSizes {
  readonly name: string;
  readonly numLayers: number;
  readonly modelDim: number;
  readonly numHeads: number;
}

/** Token ids are below this, as in BERT's uncased vocabulary. */
export const VOCABULARY = 30_522;

const POSITIONS = 512;

/** A BERT encoder with random weights, in the nodes that PyTorch exports it in. */
export function randomEncoder({ name, numLayers, modelDim, numHeads }: EncoderSizes): OnnxModel {
  const builder = new GraphBuilder();
  const random = seededRandom(0);
  const norm = (value: string) => layerNorm(builder, value, modelDim);
  let hidden = norm(embeddingNodes(builder, random, modelDim));
  const mask = maskNodes(builder);
  for (let layer = 0; layer < numLayers; layer++) {
    const projection = () => randomProjection(random, modelDim, modelDim);
    const headDim = modelDim / numHeads;
    const projections = { query: projection(), key: projection(), value: projection(), output: projection() };
    const weights = { numHeads, headDim, valueHeadDim: headDim, scale: 1 / Math.sqrt(headDim), ...projections };
    hidden = norm(builder.node('Add', [attentionNodes(builder, hidden, weights, { mask }), hidden]));
    hidden = norm(builder.node('Add', [feedForwardNodes(builder, random, hidden, modelDim), hidden]));
  }
  const output = builder.node('Identity', [hidden], { output: 'last_hidden_state' });
  const dims = ['batch', 'sequence'];
  return builder.model(
    `${name}.onnx`,
    ['input_ids', 'attention_mask', 'token_type_ids'].map((input) => ({ name: input, type: 'int64', dims })),
    [{ name: output, type: 'float32', dims: [...dims, modelDim] }],
  );
}

function embeddingNodes(builder: GraphBuilder, random: SeededRandom, modelDim: number): string {
  const table = (rows: number) => {
    const values = Float32Array.from({ length: rows * modelDim }, () => 2 * random.uniform() - 1);
    return builder.floats([rows, modelDim], values);
  };
  const words = builder.node('Gather', [table(VOCABULARY), 'input_ids']);
  const types = builder.node('Gather', [table(2), 'token_type_ids']);
  const length = builder.node('Gather', [builder.node('Shape', ['input_ids']), builder.integers([1])]);
  const positions = builder.node('Slice', [table(POSITIONS), builder.integers([0]), length, builder.integers([0])]);
  return builder.node('Add', [builder.node('Add', [words, types]), positions]);
}

/** 0 where a token counts, a large negative number where it is padding; broadcasts to the scores. */
function maskNodes(builder: GraphBuilder): string {
  const axes = builder.node('Unsqueeze', ['attention_mask', builder.integers([1, 2])]);
  const kept = builder.node('Cast', [axes], { attributes: { to: 1 } });
  const hidden = builder.node('Sub', [builder.floats([], Float32Array.of(1)), kept]);
  return builder.node('Mul', [hidden, builder.floats([], Float32Array.of(-1e4))]);
}

function feedForwardNodes(builder: GraphBuilder, random: SeededRandom, stream: string, modelDim: number): string {
  const wide = projectionNodes(builder, stream, randomProjection(random, modelDim, 4 * modelDim));
  const number = (value: number) => builder.floats([], Float32Array.of(value));
  const error = builder.node('Erf', [builder.node('Div', [wide, number(Math.SQRT2)])]);
  const gate = builder.node('Add', [error, number(1)]);
  const active = builder.node('Mul', [builder.node('Mul', [wide, gate]), number(0.5)]);
  return projectionNodes(builder, active, randomProjection(random, 4 * modelDim, modelDim));
}

function layerNorm(builder: GraphBuilder, value: string, modelDim: number): string {
  const gain = builder.floats([modelDim], new Float32Array(modelDim).fill(1));
  const bias = builder.floats([modelDim], new Float32Array(modelDim));
  return builder.node('LayerNormalization', [value, gain, bias], { attributes: { axis: -1 } });
}
