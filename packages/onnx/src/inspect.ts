import type { Finding, FindOptions, Inspection, SkippedSite } from '@mhe/core';
import { findAttention } from '@mhe/core';
import type { GraphProto, NodeProto } from 'onnx-buf';
import { nestedGraphs } from './graph/captures.js';
import { isOnnxDomain } from './graph/constant-tensor.js';
import type { OnnxModel } from './graph/model.js';
import type { FoundMerged } from './merged/find-merged.js';
import { findMerged } from './merged/find-merged.js';
import { mergedDecoder } from './merged/merged-decoder.js';
import { graphView, nodeName } from './view/graph-view.js';

/** Settings of {@link inspect}: `numHeads`, for graphs that take it from an input. */
export type InspectOptions = FindOptions;

/**
 * Finds the attention of an ONNX model, without running it: its sites, and what looks like attention and is left
 * alone, with the reason. Weights are only read where the proof needs them; sizes are given in elements.
 *
 * @param model - from `readModel`; it is not changed.
 * @param options - default: everything is told by the graph.
 * @throws RangeError where `numHeads` is no whole number from 1, or disagrees with the graph; OnnxFileError where weights
 *   in an external file cannot be read.
 */
export function inspect(model: OnnxModel, options: InspectOptions = {}): Inspection {
  const { found, skipped, notices } = findSites(model, options);
  return { attention: found.map(({ site }) => site), skipped, notices };
}

/** {@link inspect} with what a swap needs of each site. */
export interface OnnxFinding extends Finding {
  /** Both branches of a merged decoder, whose blocks are in no graph of the model as it is. */
  readonly merged?: FoundMerged;
}

/** Finds the attention of a model, or that of both branches of a merged decoder. */
export function findSites(model: OnnxModel, options: FindOptions): OnnxFinding {
  const decoder = mergedDecoder(model);
  if (decoder) {
    const merged = findMerged(decoder, options);
    const beyond = [merged.first, merged.later].flatMap(beyondTheFinder);
    return { ...merged.finding, skipped: [...merged.finding.skipped, ...beyond], merged };
  }
  const finding = findAttention(graphView(model), options);
  return { ...finding, skipped: [...finding.skipped, ...beyondTheFinder(model)] };
}

/** Attention in one operator, by name; whatever domain it is of. */
const FUSED = new Set([
  'Attention',
  'DecoderMaskedMultiHeadAttention',
  'DecoderMaskedSelfAttention',
  'GroupQueryAttention',
  'LinearAttention',
  'LongformerAttention',
  'MultiHeadAttention',
  'PackedAttention',
  'PackedMultiHeadAttention',
  'PagedAttention',
  'QAttention',
  'SparseAttention',
]);

/** What the view has no softmax for: attention in one operator, and softmaxes in nested graphs and functions. */
function beyondTheFinder(model: OnnxModel): SkippedSite[] {
  const graph = model.proto.graph;
  if (!graph) return [];
  const functions = new Map(
    model.proto.functions.map(({ domain, name, overload, node }) => [
      functionKey(domain, name, overload),
      node.some(isAttentionLike),
    ]),
  );
  return graph.node.flatMap((node): SkippedSite[] => {
    const name = nodeName(node);
    const kind = isOnnxDomain(node.domain) ? node.opType : `${node.domain}.${node.opType}`;
    const skip = (reason: string) => [{ name, reason, nodes: [name] }];
    if (functions.get(functionKey(node.domain, node.opType, node.overload))) {
      return skip(
        `it is a call of the model's own function ${kind}, which holds attention or a softmax; functions are not swapped`,
      );
    }
    if (FUSED.has(node.opType)) return skip(`it is attention fused into one operator (${kind}), which is not swapped`);
    return nestedGraphs(node).some(holdsAttention)
      ? skip(`attention or a softmax is inside the body of this ${kind}; nested graphs are not swapped`)
      : [];
  });
}

/** What tells a model's own functions apart; two names for ONNX's own domain are one. */
function functionKey(domain: string, name: string, overload: string): string {
  return JSON.stringify([isOnnxDomain(domain) ? '' : domain, name, overload]);
}

function holdsAttention(graph: GraphProto): boolean {
  return graph.node.some(isAttentionLike);
}

function isAttentionLike(node: NodeProto): boolean {
  return node.opType === 'Softmax' || FUSED.has(node.opType) || nestedGraphs(node).some(holdsAttention);
}
