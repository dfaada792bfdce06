// The converted models in `fixtures/graph`, and what TensorFlow says of each.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readModel, type TfjsModel } from '../src/index.js';
import type { StoredTensors } from './run-graph.js';

export { largestDifference, runModel, type StoredTensors } from './run-graph.js';

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
  readonly causal: boolean;
  readonly mask?: 'additive' | 'boolean';
  readonly position?: string;
  /** Where heads of queries share those of keys and values. */
  readonly numKeyValueHeads?: number;
  /** Norm of every head's weights, in the order of the heads. */
  readonly headNorms: Readonly<Record<'query' | 'key' | 'value' | 'output', readonly number[]>>;
  /** Group of each head, where heads really share. */
  readonly planted: { readonly queryKey: readonly number[]; readonly value: readonly number[] } | null;
}

/** One converted model with what TensorFlow computed. */
export interface Fixture {
  readonly name: string;
  readonly decoy: boolean;
  readonly reason?: string;
  readonly quantised?: 'uint8' | 'uint16' | 'float16';
  readonly sites: readonly FixtureSite[];
  readonly cases: readonly { readonly inputs: StoredTensors; readonly outputs: StoredTensors }[];
}

const folder = new URL('./fixtures/graph/', import.meta.url);

/** Names of all fixtures, in order. */
export const fixtureNames: readonly string[] = readdirSync(folder).sort();

/** Those that hold attention of as many heads of keys and values as of queries. */
export const attentionNames: readonly string[] = fixtureNames.filter((name) => {
  const { decoy, sites } = fixture(name);
  return !decoy && sites.every(({ numKeyValueHeads }) => numKeyValueHeads === undefined);
});

/** Those whose heads really share projections. */
export const plantedNames: readonly string[] = attentionNames.filter((name) => name.endsWith('-planted'));

/** Whether a model has Einsum, which of the backends here only cpu runs. */
export function needsCpu(name: string): boolean {
  return readFileSync(fixturePath(name), 'utf8').includes('"op":"Einsum"');
}

/** What is known of a fixture, without its model. */
export function fixture(name: string): Fixture {
  return JSON.parse(readFileSync(new URL(`${name}/expected.json`, folder), 'utf8'));
}

/** Where a fixture lies. */
export function fixturePath(name: string): string {
  return fileURLToPath(new URL(`${name}/model.json`, folder));
}

/** The model of a fixture. */
export function fixtureModel(name: string): Promise<TfjsModel> {
  return readModel(fixturePath(name));
}

/** The inputs of a fixture, one entry a case. */
export function inputsOf(name: string): readonly StoredTensors[] {
  return fixture(name).cases.map(({ inputs }) => inputs);
}
