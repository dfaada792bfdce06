import type { AttentionKindName, Groups, ParameterDifference } from '@mhe/core';
import type { CostOptions, KindCosts } from '../count/kind-costs.js';
import type { Colors } from '../terminal.js';
import { formatBytes, formatCount, formatOperations } from './numbers.js';
import { formatTable, number, text } from './table.js';

/** The costs of the kinds as two tables: parameters by part, and what they mean in bytes and operations. */
export function formatCosts(
  options: CostOptions,
  costs: readonly KindCosts[],
  differences: readonly ParameterDifference[],
  colors: Colors,
): string {
  return [
    colors.bold(formatSizes(options)),
    formatParameters(costs, differences, colors),
    formatMemory(options, costs, colors),
    formatSettings(costs),
  ].join('\n\n');
}

function formatSizes(options: CostOptions): string {
  const { modelDim, numHeads, numLayers = 1, headDim = modelDim / numHeads, bias, output, type } = options;
  return [
    `${formatCount(numLayers)} ${numLayers === 1 ? 'layer' : 'layers'} of width ${formatCount(modelDim)}`,
    `${formatCount(numHeads)} heads of ${formatCount(headDim)}`,
    bias === false ? 'no biases' : 'biases',
    output === false ? 'no output projection' : 'output projection',
    type,
  ].join(', ');
}

function formatParameters(
  costs: readonly KindCosts[],
  differences: readonly ParameterDifference[],
  colors: Colors,
): string {
  const difference = (kind: AttentionKindName, reference: AttentionKindName) => {
    const found = differences.find((entry) => entry.kind === kind && entry.reference === reference);
    return found ? formatCount(found.parameters.total) : '';
  };
  return formatTable(
    [
      text('kind'),
      number('query, key, value'),
      number('biases'),
      number('embeddings'),
      number('output'),
      number('parameters'),
      number('fewer than mha'),
      number('more than sha'),
    ],
    costs.map(({ computation: { kind }, parameters }) => [
      kind,
      formatCount(parameters.projections),
      formatCount(parameters.biases),
      formatCount(parameters.embeddings),
      formatCount(parameters.output),
      formatCount(parameters.total),
      difference('mha', kind),
      difference(kind, 'sha'),
    ]),
    colors.dim,
  );
}

function formatMemory({ sequenceLength }: CostOptions, costs: readonly KindCosts[], colors: Colors): string {
  const columns = [text('kind'), number('weights'), number('cache per token')];
  if (sequenceLength !== undefined) {
    const tokens = `${formatCount(sequenceLength)} tokens`;
    columns.push(number(`multiply-adds, ${tokens}`), number('scores of a layer'));
  }
  return formatTable(
    columns,
    costs.map(({ computation: { kind }, bytes, cacheBytesPerToken, atLength }) => [
      kind,
      formatBytes(bytes),
      formatBytes(cacheBytesPerToken),
      ...(atLength ? [formatOperations(atLength.operations.total), formatBytes(atLength.scoreBytes)] : []),
    ]),
    colors.dim,
  );
}

/** The settings that only some kinds have. */
function formatSettings(costs: readonly KindCosts[]): string {
  const lines = costs.flatMap(({ computation, atLength }) => {
    if (computation.kind === 'gqa') return [`gqa: ${formatCount(computation.numKeyValueHeads)} key and value heads`];
    if (!('form' in computation)) return [];
    const form = atLength ? `, computed ${computation.form}` : '';
    return [`${computation.kind}: ${formatGroups(computation.groups ?? 1)}${form}`];
  });
  return lines.join('\n');
}

function formatGroups(groups: Groups): string {
  const { queryKey, value } = typeof groups === 'object' ? groups : { queryKey: groups, value: groups };
  const count = (groupCount: number | 'heads') => (groupCount === 'heads' ? 'per head' : String(groupCount));
  return `query and key projections ${count(queryKey)}, value projections ${count(value)}`;
}
