/** An attribute's value as proto3's JSON writes it: numbers may be strings, bytes are base64 or a list of codes. */
export interface AttrValue {
  readonly b?: boolean;
  readonly i?: string | number;
  readonly f?: number;
  readonly s?: string | readonly number[];
  readonly type?: string | number;
  readonly shape?: TensorShape;
  readonly tensor?: { readonly dtype?: string | number; readonly tensorShape?: TensorShape };
  readonly list?: {
    readonly i?: readonly (string | number)[];
    readonly s?: readonly (string | readonly number[])[];
    readonly shape?: readonly TensorShape[];
  };
  readonly func?: { readonly name?: string };
}

/** A shape in JSON; -1 is an open size. */
export interface TensorShape {
  readonly dim?: readonly { readonly size?: string | number }[];
  readonly unknownRank?: boolean;
}

/** A node of a TensorFlow graph (`NodeDef`) in JSON. */
export interface NodeDef {
  readonly name: string;
  readonly op: string;
  /** Names of values, and control inputs, which begin with `^`. */
  readonly input?: readonly string[];
  readonly attr?: Readonly<Record<string, AttrValue>>;
}

/** A TensorFlow graph (`GraphDef`) in JSON. */
export interface GraphDef {
  readonly node: readonly NodeDef[];
  readonly library?: { readonly function?: readonly FunctionDef[] };
  readonly versions?: object;
}

/** A function that control flow and calls name. */
export interface FunctionDef {
  readonly signature?: { readonly name?: string };
  readonly nodeDef?: readonly NodeDef[];
}

/** A value's one name: the first output of a node is called as the node is, others with their number behind. */
export function valueName(input: string): string {
  return input.endsWith(':0') ? input.slice(0, -2) : input;
}

/** The name of the node that makes a value. */
export function nodeOfValue(value: string): string {
  return value.replace(/:\d+$/, '');
}

/** The values that a node computes with, each by its one name. */
export function dataInputs(node: NodeDef): string[] {
  return (node.input ?? []).filter((input) => !input.startsWith('^')).map(valueName);
}

/** Names of the nodes that a node waits for, of those it computes with too. */
export function nodeInputs(node: NodeDef): string[] {
  return (node.input ?? []).map((input) => (input.startsWith('^') ? input.slice(1) : nodeOfValue(input)));
}
