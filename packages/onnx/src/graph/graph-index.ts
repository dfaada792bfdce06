import type { GraphProto, NodeProto, SparseTensorProto, TensorProto, ValueInfoProto } from 'onnx-buf';
import { quoted } from '../file/onnx-file-error.js';
import { capturedNames } from './captures.js';
import { constantNodeTensor } from './constant-tensor.js';

/** Where a value is made: output number `output` of node number `node`. */
export interface Producer {
  readonly node: number;
  readonly output: number;
}

/** Where a value is read: input number `input` of node number `node`, `null` where a nested graph captures it. */
export interface Consumer {
  readonly node: number;
  readonly input: number | null;
}

/** Who makes and who reads each value of a graph. Nodes are known by their place in `graph.node`. */
export interface GraphIndex {
  readonly graph: GraphProto;
  /** The node behind a number. Throws where there is none. */
  node(position: number): NodeProto;
  /** The node output that makes a value; `undefined` for inputs and initialisers. */
  producer(value: string): Producer | undefined;
  /** The node inputs and captures that read a value, in the order of the nodes. */
  consumers(value: string): readonly Consumer[];
  readonly initializers: ReadonlyMap<string, TensorProto>;
  readonly sparseInitializers: ReadonlyMap<string, SparseTensorProto>;
  /** What a caller feeds: graph inputs without those that only declare an initialiser. */
  readonly inputs: ReadonlyMap<string, ValueInfoProto>;
  readonly outputs: ReadonlySet<string>;
  /** Declared types: of `value_info`, inputs and outputs. */
  readonly declared: ReadonlyMap<string, ValueInfoProto>;
  /** The dense tensor that a value always is: an initialiser's, or a Constant node's. */
  constant(value: string): TensorProto | undefined;
}

/**
 * Indexes a graph in one pass. It is a picture of this graph object: an edited graph needs an index of its own.
 *
 * @param graph - a graph that {@link sortNodes} accepts; it need not be sorted.
 */
export function graphIndex(graph: GraphProto): GraphIndex {
  const producers = new Map<string, Producer>();
  const consumers = new Map<string, Consumer[]>();
  const read = (value: string, consumer: Consumer) => {
    if (value === '') return;
    const list = consumers.get(value);
    if (list === undefined) consumers.set(value, [consumer]);
    else list.push(consumer);
  };
  graph.node.forEach((node, position) => {
    node.output.forEach((value, output) => {
      if (value !== '') producers.set(value, { node: position, output });
    });
    node.input.forEach((value, input) => {
      read(value, { node: position, input });
    });
    for (const value of capturedNames(node)) read(value, { node: position, input: null });
  });
  const initializers = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]));
  const sparseInitializers = new Map(graph.sparseInitializer.map((sparse) => [sparse.values?.name ?? '', sparse]));
  const isInitializer = (name: string) => initializers.has(name) || sparseInitializers.has(name);
  const constants = new Map<string, TensorProto | undefined>();

  function node(position: number): NodeProto {
    const found = graph.node[position];
    if (found === undefined) throw new Error(`Graph ${quoted(graph.name)} has no node number ${position}.`);
    return found;
  }

  return {
    graph,
    node,
    producer: (value) => producers.get(value),
    consumers: (value) => consumers.get(value) ?? [],
    initializers,
    sparseInitializers,
    inputs: new Map(graph.input.filter((input) => !isInitializer(input.name)).map((input) => [input.name, input])),
    outputs: new Set(graph.output.map((output) => output.name)),
    declared: new Map([...graph.valueInfo, ...graph.input, ...graph.output].map((info) => [info.name, info])),
    constant(value) {
      const initializer = initializers.get(value);
      if (initializer !== undefined) return initializer;
      const producer = producers.get(value);
      if (producer === undefined) return undefined;
      if (!constants.has(value)) constants.set(value, constantNodeTensor(node(producer.node)));
      return constants.get(value);
    },
  };
}
