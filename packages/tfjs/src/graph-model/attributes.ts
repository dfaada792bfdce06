import type { AttrValue, NodeDef, TensorShape } from './node-def.js';

/** A truth among a node's attributes. */
export function boolAttribute(node: NodeDef, name: string): boolean {
  return node.attr?.[name]?.b ?? false;
}

/** A whole number, or its default. */
export function intAttribute(node: NodeDef, name: string, absent: number): number {
  const value = node.attr?.[name]?.i;
  return value === undefined ? absent : Number(value);
}

/** A list of whole numbers, or `undefined` where the attribute is absent. */
export function intsAttribute(node: NodeDef, name: string): number[] | undefined {
  return node.attr?.[name]?.list?.i?.map(Number);
}

/** A text, or its default. */
export function stringAttribute(node: NodeDef, name: string, absent: string): string {
  const value = node.attr?.[name]?.s;
  return value === undefined ? absent : text(value);
}

/** A list of texts; empty where the attribute is absent. */
export function stringsAttribute(node: NodeDef, name: string): string[] {
  return node.attr?.[name]?.list?.s?.map(text) ?? [];
}

/** TensorFlow's name of an element type (`DT_FLOAT`), or `undefined` where the attribute is absent or unknown. */
export function typeAttribute(node: NodeDef, name: string): string | undefined {
  return typeName(node.attr?.[name]?.type);
}

/** Sizes of a shape, -1 for open ones; `undefined` where not even the number of axes is known. */
export function shapeDims(shape: TensorShape | undefined): number[] | undefined {
  if (shape === undefined || shape.unknownRank) return undefined;
  return (shape.dim ?? []).map(({ size }) => Number(size ?? 0));
}

/** The name of an element type that is written as its name or its number (TensorFlow, `types.proto`). */
function typeName(type: AttrValue['type']): string | undefined {
  return typeof type === 'number' ? typeNames[type] : type;
}

const typeNames: Readonly<Record<number, string>> = {
  1: 'DT_FLOAT',
  2: 'DT_DOUBLE',
  3: 'DT_INT32',
  4: 'DT_UINT8',
  5: 'DT_INT16',
  6: 'DT_INT8',
  7: 'DT_STRING',
  8: 'DT_COMPLEX64',
  9: 'DT_INT64',
  10: 'DT_BOOL',
  14: 'DT_BFLOAT16',
  17: 'DT_UINT16',
  19: 'DT_HALF',
  20: 'DT_RESOURCE',
  21: 'DT_VARIANT',
  22: 'DT_UINT32',
  23: 'DT_UINT64',
};

function text(value: string | readonly number[]): string {
  return typeof value === 'string' ? atob(value) : String.fromCharCode(...value);
}
