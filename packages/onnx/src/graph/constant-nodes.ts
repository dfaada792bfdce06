import type { NodeProto } from 'onnx-buf';
import { nestedGraphs } from './captures.js';
import { isOnnxDomain } from './constant-tensor.js';
import type { GraphIndex } from './graph-index.js';

/** Operators whose result may differ from run to run. */
const RANDOM = new Set(['RandomNormalLike', 'RandomUniformLike', 'Multinomial', 'Bernoulli', 'Dropout']);

/**
 * The nodes whose results are the same in every run, because all they read is initialisers, `Constant` nodes and
 * one another. When in doubt (random operators, nested graphs, unknown domains) a node is left out.
 *
 * @param index - index of a sorted graph.
 * @returns their places in the graph's list of nodes.
 */
export function constantNodes(index: GraphIndex): ReadonlySet<number> {
  const constant = new Set<number>();
  const isConstant = (value: string) => {
    const producer = index.producer(value);
    if (producer !== undefined) return constant.has(producer.node);
    return index.initializers.has(value) || index.sparseInitializers.has(value);
  };
  index.graph.node.forEach((node, position) => {
    const given = node.input.filter((name) => name !== '');
    if (given.length === 0 ? isConstantOperator(node) : isRepeatable(node) && given.every(isConstant)) {
      constant.add(position);
    }
  });
  return constant;
}

function isConstantOperator(node: NodeProto): boolean {
  return node.opType === 'Constant' && isOnnxDomain(node.domain);
}

function isRepeatable(node: NodeProto): boolean {
  const knownDomain = isOnnxDomain(node.domain) || node.domain === 'com.microsoft';
  return knownDomain && !RANDOM.has(node.opType) && nestedGraphs(node).length === 0;
}
