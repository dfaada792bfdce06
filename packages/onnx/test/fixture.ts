// The exported models in `fixtures`, and what PyTorch says of each.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type OnnxModel, readModel } from '../src/index.js';
import {
  fillHostTensor,
  type HostTensor,
  type HostTensors,
  hostNumbers,
  type NumericDtype,
} from '../src/run/host-tensor.js';

/** A tensor as a fixture's JSON has it. */
interface StoredTensor {
  readonly dtype: NumericDtype;
  readonly dims: readonly number[];
  readonly data: readonly (number | boolean)[];
}

/** A site as the exporter of a fixture knows it. */
export interface FixtureSite {
  readonly numHeads: number;
  readonly headDim: number;
  readonly valueHeadDim: number;
  readonly kind: 'self' | 'cross';
  readonly queryDim: number;
  readonly keyDim: number;
  readonly valueDim: number;
  readonly outputDim: number;
  /** Factor of the scores beside the weights. */
  readonly scale: number;
  readonly mask?: 'additive' | 'boolean';
  readonly position?: string;
  /** Over what queries and keys are normalised, where they are. */
  readonly norm?: 'head' | 'heads';
  readonly causal: boolean;
  readonly headScale?: readonly number[];
  /** Norm of every head's weights, in the order of the heads. */
  readonly headNorms: Readonly<Record<'query' | 'key' | 'value' | 'output', readonly number[]>>;
  /** Group of each head, where heads really share. */
  readonly planted: { readonly queryKey: readonly number[]; readonly value: readonly number[] } | null;
  /** Heads of keys and values, where they are fewer. */
  readonly numKeyValueHeads?: number;
  /** Whether keys and values come from a cache, and go out to one. */
  readonly cache?: boolean;
  readonly perHeadSubgraphs?: boolean;
}

/** One exported model with what PyTorch computed. */
export interface Fixture {
  readonly name: string;
  readonly decoy: boolean;
  readonly reason?: string;
  readonly sites: readonly FixtureSite[];
  readonly cases: readonly { readonly inputs: HostTensors; readonly outputs: HostTensors }[];
}

const folder = new URL('./fixtures/', import.meta.url);

const known = new Map<string, Fixture>();

/** Names of all fixtures, in order. */
export const fixtureNames: readonly string[] = readdirSync(folder)
  .filter((file) => file.endsWith('.onnx'))
  .map((file) => file.slice(0, -'.onnx'.length))
  .sort();

/** Decoders merged of two branches, whose attention is in no graph of its own: they have tests of their own. */
export const mergedNames: readonly string[] = fixtureNames.filter((name) => name.startsWith('merged-'));

/** Fixtures that hold attention that is swapped: no decoys, no heads in subgraphs of their own. */
export const swappableNames: readonly string[] = fixtureNames.filter((name) => {
  const { decoy, sites } = fixture(name);
  return !decoy && !mergedNames.includes(name) && sites.every((site) => site.perHeadSubgraphs !== true);
});

/** Those whose heads really share projections; the caches of decoders, which then have other sizes, are another test's. */
export const plantedNames: readonly string[] = swappableNames.filter((name) =>
  fixture(name).sites.every(({ planted, cache }) => planted !== null && !cache),
);

/** The first fixture of a style, by the start of its name. Planted ones only where the start says so at its end. */
export function fixtureOf(style: string): string {
  const [start, planted] = style.endsWith('-planted') ? [style.slice(0, -'-planted'.length), true] : [style, false];
  const found = fixtureNames.find((name) => name.startsWith(`${start}-`) && name.endsWith('-planted') === planted);
  if (found === undefined) throw new Error(`there is no fixture ${style}`);
  return found;
}

/** What is known of a fixture, without its model. */
export function fixture(name: string): Fixture {
  const found = known.get(name) ?? readFixture(name);
  known.set(name, found);
  return found;
}

function readFixture(name: string): Fixture {
  const stored = JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8'));
  const tensors = (values: Record<string, StoredTensor>): HostTensors =>
    Object.fromEntries(Object.entries(values).map(([key, value]) => [key, tensor(value)]));
  return {
    ...stored,
    cases: stored.cases.map(
      (entry: { inputs: Record<string, StoredTensor>; outputs: Record<string, StoredTensor> }) => ({
        inputs: tensors(entry.inputs),
        outputs: tensors(entry.outputs),
      }),
    ),
  };
}

/** The model of a fixture. */
export function fixtureModel(name: string): Promise<OnnxModel> {
  return readModel(fileURLToPath(new URL(`${name}.onnx`, folder)));
}

function tensor({ dtype, dims, data }: StoredTensor): HostTensor {
  return fillHostTensor(dtype, dims, (at) => Number(data[at]));
}

/** Largest difference of any output, relative to that output's largest value. Places that are no number must agree. */
export function largestDifference(actual: HostTensors, expected: HostTensors, names = Object.keys(expected)): number {
  return Math.max(
    ...names.map((name) => {
      const [a, e] = [hostNumbers(actual[name] as HostTensor), hostNumbers(expected[name] as HostTensor)];
      if (a.length !== e.length) return Number.POSITIVE_INFINITY;
      let [difference, largest] = [0, 0];
      e.forEach((value, i) => {
        const other = a[i] as number;
        if (Object.is(value, other) || value === other) return;
        const gap = Math.abs(value - other);
        difference = Number.isNaN(gap) ? Number.POSITIVE_INFINITY : Math.max(difference, gap);
      });
      for (const value of e) if (Number.isFinite(value)) largest = Math.max(largest, Math.abs(value));
      return difference === 0 ? 0 : difference / largest;
    }),
  );
}
