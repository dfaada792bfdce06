import type { AttributeProto, NodeProto } from 'onnx-buf';

/** The attribute of a node by name. */
export function attribute(node: NodeProto, name: string): AttributeProto | undefined {
  return node.attribute.find((entry) => entry.name === name);
}

/** An integer attribute, or its default. */
export function intAttribute<D extends number | undefined>(node: NodeProto, name: string, absent: D): number | D {
  const found = attribute(node, name);
  return found ? Number(found.i) : absent;
}

/** A list of integers, or `undefined` where the attribute is absent. */
export function intsAttribute(node: NodeProto, name: string): number[] | undefined {
  return attribute(node, name)?.ints.map(Number);
}

/** A number, or its default. */
export function floatAttribute(node: NodeProto, name: string, absent: number): number {
  return attribute(node, name)?.f ?? absent;
}

/** A string, or its default. */
export function stringAttribute(node: NodeProto, name: string, absent: string): string {
  const found = attribute(node, name);
  return found ? new TextDecoder().decode(found.s) : absent;
}
