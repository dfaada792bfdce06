import { type AttentionForm, type AttentionWeights, type Embedding, expandMhe } from '@mhe/core';
import type { OnnxModel } from '@mhe/onnx';
import { findSites } from '../../packages/onnx/src/inspect.js';
import { replaceBlock } from '../../packages/onnx/src/swap/replace-block.js';
import { attentionNodes } from '../graph/attention-nodes.js';
import { GraphBuilder } from '../graph/graph-builder.js';
import { fusedAttentionNodes, fusedMultiHeadAttentionNodes } from './fused-nodes.js';
import { type GroupCounts, layer, randomMha, randomMhe, randomMqa, repeatSharedHead } from './layer.js';

/** One way to compute an attention layer. */
export interface Variant {
  readonly name: string;
  /** Whether it is multi-head attention as it is, what the others are compared with. */
  readonly isBaseline: boolean;
  readonly model: OnnxModel;
  /** Multi-head attention that gives the same output. */
  readonly reference: AttentionWeights;
}

const { numHeads } = layer;
const SEED = 1;

const forms: readonly (readonly [form: AttentionForm, embedding: Embedding, groups: GroupCounts])[] = [
  ['folded', 'mul', { queryKey: 1, value: 1 }],
  ['folded', 'mul', { queryKey: 1, value: 4 }],
  ['folded', 'mul', { queryKey: 1, value: numHeads }],
  ['factorised', 'add', { queryKey: 1, value: 1 }],
  ['factorised', 'add', { queryKey: 1, value: numHeads }],
  ['folded', 'add', { queryKey: 1, value: 1 }],
  ['direct', 'mul', { queryKey: 1, value: 1 }],
  ['widened', 'mul', { queryKey: 1, value: 1 }],
];

/** Multi-head attention unfused and fused, multi-query attention, and every form that `@mhe/onnx` puts in a block's place. */
export function allVariants(): Variant[] {
  const weights = randomMha(SEED);
  const mqa = randomMqa(SEED + 1);
  const unfused = layerModel((builder, stream) => attentionNodes(builder, stream, weights));
  const baseline = (name: string, model: OnnxModel): Variant => ({ name, isBaseline: true, model, reference: weights });
  return [
    baseline('MHA, plain operators', unfused),
    baseline(
      'MHA, fused: MultiHeadAttention',
      layerModel((builder, stream) => fusedMultiHeadAttentionNodes(builder, stream, weights)),
    ),
    baseline(
      'MHA, fused: Attention',
      layerModel((builder, stream) => fusedAttentionNodes(builder, stream, weights)),
    ),
    {
      name: 'MQA, plain operators',
      isBaseline: false,
      model: layerModel((builder, stream) => attentionNodes(builder, stream, mqa, { sharedKeys: true })),
      reference: repeatSharedHead(mqa),
    },
    ...forms.map(([form, embedding, groups], i) => swappedVariant(unfused, form, embedding, groups, SEED + 2 + i)),
  ];
}

function swappedVariant(
  unfused: OnnxModel,
  form: AttentionForm,
  embedding: Embedding,
  groups: GroupCounts,
  seed: number,
): Variant {
  const [site] = findSites(unfused, {}).found;
  if (!site) throw new Error('the layer was not found to be attention');
  const weights = randomMhe(seed, embedding, groups);
  return {
    name: `${embedding.toUpperCase()} ${form}, ${groups.queryKey}/${groups.value === numHeads ? 'n' : groups.value}`,
    isBaseline: false,
    model: replaceBlock(
      unfused,
      { block: site.block, inside: new Set() },
      { weights, embedding, form },
      'float32',
      'mhe/0',
    ),
    reference: expandMhe(weights),
  };
}

function layerModel(nodes: (builder: GraphBuilder, stream: string) => string): OnnxModel {
  const builder = new GraphBuilder();
  const dims = ['batch', 'sequence', layer.modelDim];
  const output = nodes(builder, 'hidden');
  return builder.model(
    'layer.onnx',
    [{ name: 'hidden', type: 'float32', dims }],
    [{ name: output, type: 'float32', dims }],
  );
}
