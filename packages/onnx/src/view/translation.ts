import type { Operator, ViewNode } from '@mhe/core';
import type { NodeProto } from 'onnx-buf';

/** A node to translate, with what its meaning depends on. */
export interface Translation {
  readonly node: NodeProto;
  /** Version of the operator set its domain is imported at. */
  readonly opset: number;
  readonly source: string;
  /** Sizes of a value where it is a constant of the file. */
  readonly constantDims: (value: string) => readonly number[] | undefined;
}

/** Makes the view nodes of one operator; `undefined` where this use of it has no meaning in the view. */
export type Translator = (translation: Translation) => readonly ViewNode[] | undefined;

/** The translators of a family, by operator name. */
export type Family = Readonly<Record<string, Translator>>;

/** The node itself as one operator. */
export function same({ node, source }: Translation, operator: Operator, inputs = node.input): readonly ViewNode[] {
  return [{ operator, inputs, outputs: node.output, source }];
}

/** A name for a value between two view nodes of one graph node. No file's name holds a NUL. */
export function inner({ node }: Translation, part: string): string {
  return `${node.output[0]}\u0000${part}`;
}

/** A constant that stands in an attribute, as a node. */
export function constantNode(
  { source }: Translation,
  id: string,
  numbers: readonly number[],
  dims: readonly number[],
): ViewNode {
  return {
    operator: {
      kind: 'constant',
      dims,
      type: numbers.every(Number.isInteger) ? 'integer' : 'float',
      read: () => Float64Array.from(numbers),
    },
    inputs: [],
    outputs: [id],
    source,
  };
}

/** The node with an attribute's list as its second input, as later operator sets have it. */
export function withList(
  translation: Translation,
  operator: Operator,
  list: readonly number[] | undefined,
): readonly ViewNode[] {
  const { node } = translation;
  if (!list) return same(translation, operator);
  const id = inner(translation, 'list');
  return [
    constantNode(translation, id, list, [list.length]),
    ...same(translation, operator, [node.input[0] ?? '', id]),
  ];
}
