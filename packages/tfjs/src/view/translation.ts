import type { Operator, ViewNode } from '@mhe/core';
import type { NodeDef } from '../graph-model/node-def.js';
import { dataInputs } from '../graph-model/node-def.js';

/** A node to translate, with what its meaning depends on. */
export interface Translation {
  readonly node: NodeDef;
  /** The values that it computes with. */
  readonly inputs: readonly string[];
  /** Sizes of a value where it is a weight. */
  readonly constantDims: (value: string) => readonly number[] | undefined;
  /** Numbers of a value where it is a small weight. */
  readonly constant: (value: string) => readonly number[] | undefined;
}

/** Makes the view nodes of one operator; `undefined` where this use of it has no meaning in the view. */
export type Translator = (translation: Translation) => readonly ViewNode[] | undefined;

/** The translators of a family, by operator name. */
export type Family = Readonly<Record<string, Translator>>;

/** Starts the translation of a node. */
export function translationOf(node: NodeDef, constants: Pick<Translation, 'constantDims' | 'constant'>): Translation {
  return { node, inputs: dataInputs(node), ...constants };
}

/** The node itself as one operator with one output. */
export function same({ node, inputs: own }: Translation, operator: Operator, inputs = own): readonly ViewNode[] {
  return [{ operator, inputs, outputs: [node.name], source: node.name }];
}

/** Names of a node's outputs. */
export function outputNames({ node }: Translation, count: number): string[] {
  return Array.from({ length: count }, (_, place) => (place === 0 ? node.name : `${node.name}:${place}`));
}

/** A name for a value between two view nodes of one graph node. No file's name holds a NUL. */
export function inner({ node }: Translation, part: string): string {
  return `${node.name}\u0000${part}`;
}

/** One step of a chain of view nodes. */
export function step({ node }: Translation, operator: Operator, inputs: readonly string[], output: string): ViewNode {
  return { operator, inputs, outputs: [output], source: node.name };
}

/** A constant that stands in an attribute, as a node. */
export function constantNode(
  { node }: Translation,
  id: string,
  numbers: readonly number[],
  dims: readonly number[] = [numbers.length],
  type: 'float' | 'integer' | 'boolean' = numbers.every(Number.isInteger) ? 'integer' : 'float',
): ViewNode {
  return {
    operator: { kind: 'constant', dims, type, read: () => Float64Array.from(numbers) },
    inputs: [],
    outputs: [id],
    source: node.name,
  };
}

/** Several names, one translation each. */
export function each(names: Iterable<string>, translator: (name: string) => Translator): Family {
  return Object.fromEntries([...names].map((name) => [name, translator(name)]));
}

/** The one whole number of a small weight: an axis, say. */
export function oneNumber({ inputs, constant }: Translation, place: number): number | undefined {
  const numbers = constant(inputs.at(place) ?? '');
  return numbers?.length === 1 ? numbers[0] : undefined;
}
