import type { TfjsModel } from '../file/model.js';
import type { GraphIndex } from '../graph-model/graph-index.js';
import { graphIndex } from '../graph-model/graph-index.js';
import type { NodeDef } from '../graph-model/node-def.js';
import { dataInputs, nodeOfValue } from '../graph-model/node-def.js';
import type { ModelInput } from './model-inputs.js';
import type { InputUse } from './synthetic-values.js';

/** What a graph does with its inputs. */
export function graphInputUse(model: TfjsModel): (input: ModelInput) => InputUse {
  const index = graphIndex(model);
  return ({ node }) => {
    const uses = arrivals(index, node);
    const rows = uses.flatMap(({ reader, place }) => tableRows(index, model, reader, place) ?? []);
    const isSparse = ({ op }: NodeDef) => /^Sparse(ToDense|Reshape|FillEmptyRows)$/.test(op);
    return {
      below: rows.length > 0 ? Math.min(...rows) : null,
      isCoordinates: uses.some(({ reader, place }) => isSparse(reader) && place === 0),
    };
  };
}

/** Operators whose result holds the numbers of their first input, or some of them. */
const PASSING = new Set([
  ...['Identity', 'Cast', 'Reshape', 'ExpandDims', 'Squeeze', 'StridedSlice', 'Slice', 'Transpose', 'GatherV2', 'Tile'],
  ...['Minimum', 'Maximum', 'ClipByValue', 'BroadcastTo'],
]);

/** Nodes that a value arrives at as it is, and the place among their inputs. */
function arrivals(index: GraphIndex, value: string): { readonly reader: NodeDef; readonly place: number }[] {
  const found: { readonly reader: NodeDef; readonly place: number }[] = [];
  const seen = new Set<string>();
  const open = [value];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (seen.has(at)) continue;
    seen.add(at);
    for (const reader of index.readersOf(at)) {
      const place = dataInputs(reader).indexOf(at);
      found.push({ reader, place });
      if (place === 0 && PASSING.has(reader.op)) open.push(reader.name);
    }
  }
  return found;
}

/** Rows of the constant table that a node picks from. */
function tableRows(index: GraphIndex, model: TfjsModel, { op, input }: NodeDef, place: number): number | undefined {
  if ((op !== 'GatherV2' && op !== 'Gather') || place !== 1) return undefined;
  let node = index.node(nodeOfValue(input?.[0] ?? ''));
  while (node && (node.op === 'Identity' || node.op === 'Cast')) node = index.node(nodeOfValue(node.input?.[0] ?? ''));
  return model.weights.find(({ spec }) => spec.name === node?.name)?.spec.shape[0];
}
