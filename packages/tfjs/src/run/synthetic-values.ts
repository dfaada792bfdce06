import type { SeededRandom } from '@mhe/core';
import type { TfjsModel } from '../file/model.js';
import { quoted } from '../file/tfjs-file-error.js';
import type { GraphIndex } from '../graph-model/graph-index.js';
import type { NodeDef } from '../graph-model/node-def.js';
import { dataInputs, nodeOfValue } from '../graph-model/node-def.js';
import type { HostTensor } from './host-tensor.js';
import type { ModelInput } from './model-inputs.js';

/**
 * What a made-up input is filled with.
 * - `ids`: whole numbers from 1 to `below - 1`, each as likely; 0 often stands for no token at all.
 * - `positions`: 0, 1, 2, ... along the last axis, starting over at `below`.
 * - `coordinates`: rows `[0, 0]`, `[0, 1]`, ...: the places of one sequence in a sparse tensor.
 * - `normal`: standard normal numbers.
 * - `zeros`, `ones`.
 */
export type SyntheticValues =
  | { readonly kind: 'ids' | 'positions'; readonly below: number }
  | { readonly kind: 'coordinates' | 'normal' | 'zeros' | 'ones' };

/**
 * Chooses what to fill an input with, from its element type, its name and what the graph does with it.
 *
 * @throws Error where nothing sensible is known: strings, and token numbers without a table to tell their range.
 */
export function chooseValues(index: GraphIndex, { name, node, dtype }: ModelInput, model: TfjsModel): SyntheticValues {
  if (dtype === 'string')
    throw new Error(`Input ${quoted(name)} is of strings, which cannot be made up: give calibration data.`);
  if (dtype === 'bool') return { kind: /pad/i.test(name) ? 'zeros' : 'ones' };
  if (/mask/i.test(name)) return { kind: 'ones' };
  if (dtype === 'float32') return { kind: 'normal' };
  if (/token_?type|segment/i.test(name)) return { kind: 'zeros' };
  const uses = arrivals(index, node);
  const rows = uses.flatMap(({ reader, place }) => tableRows(index, model, reader, place) ?? []);
  const below = rows.length > 0 ? Math.min(...rows) : null;
  if (/position/i.test(name)) return { kind: 'positions', below: below ?? Number.MAX_SAFE_INTEGER };
  if (below !== null) return { kind: 'ids', below };
  if (uses.some(({ reader, place }) => /^Sparse(ToDense|Reshape|FillEmptyRows)$/.test(reader.op) && place === 0)) {
    return { kind: 'coordinates' };
  }
  if (/ids?$|token/i.test(name)) {
    throw new Error(
      `Input ${quoted(name)} looks like token numbers, but no table in the graph tells their range: give calibration data.`,
    );
  }
  return { kind: 'ones' };
}

/** Makes one input. `input.dtype` is not string: {@link chooseValues} refuses those. */
export function fillValues(
  { dtype }: ModelInput,
  dims: readonly number[],
  values: SyntheticValues,
  random: SeededRandom,
): HostTensor {
  const numberAt = (place: number): number => {
    switch (values.kind) {
      case 'ids':
        return values.below > 1 ? 1 + random.integer(values.below - 1) : 0;
      case 'positions':
        return (place % (dims.at(-1) ?? 1)) % values.below;
      case 'coordinates':
        return place % (dims.at(-1) ?? 1) === 0 ? 0 : Math.floor(place / (dims.at(-1) ?? 1));
      case 'normal':
        return random.normal();
      case 'zeros':
        return 0;
      case 'ones':
        return 1;
    }
  };
  const numbers = Array.from({ length: dims.reduce((count, dim) => count * dim, 1) }, (_, place) => numberAt(place));
  if (dtype === 'float32') return { dtype, dims, data: Float32Array.from(numbers) };
  if (dtype === 'bool') return { dtype, dims, data: Uint8Array.from(numbers) };
  return { dtype: 'int32', dims, data: Int32Array.from(numbers) };
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
