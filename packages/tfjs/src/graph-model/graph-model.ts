import { formatOf, type TfjsModel } from '../file/model.js';
import type { GraphDef } from './node-def.js';

/** A tensor that a signature names: the key callers use, and the value of the graph. */
export interface SignatureEntry {
  readonly key: string;
  readonly value: string;
}

/** The graph of a model. */
export function graphOf(model: TfjsModel): GraphDef {
  const topology = model.fields.modelTopology;
  if (formatOf(topology) !== 'graph-model') throw new TypeError(`${model.name} is no graph model`);
  return topology as GraphDef;
}

/** The signature that TensorFlow.js reads for inputs or outputs; empty where the model has none. */
export function signatureEntries(model: TfjsModel, side: 'inputs' | 'outputs'): SignatureEntry[] {
  const { userDefinedMetadata, signature } = model.fields as {
    readonly userDefinedMetadata?: { readonly signature?: Signature };
    readonly signature?: Signature;
  };
  const entries = (userDefinedMetadata?.signature ?? signature)?.[side] ?? {};
  return Object.entries(entries).flatMap(([key, entry]) => (entry?.name ? [{ key, value: entry.name }] : []));
}

type Signature = Partial<Record<'inputs' | 'outputs', Readonly<Record<string, { readonly name?: string }>>>>;
