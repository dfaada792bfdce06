import type { Message } from '@bufbuild/protobuf';
import type { AttributeProto, GraphProto, ModelProto, NodeProto, SparseTensorProto, TensorProto } from 'onnx-buf';
import { edit } from '../graph/edit.js';

/** What a tensor is in its model: a graph's initialiser, or a value in an attribute or a sparse tensor. */
export type TensorRole = 'initializer' | 'value';

/** What to put in a tensor's place; the same object leaves it. */
export type TensorMap = (tensor: TensorProto, role: TensorRole) => TensorProto;

/**
 * Goes through every tensor of a model, in a fixed order: those of nested graphs, functions and training too.
 *
 * @returns the model with the tensors that `map` gives; messages without a change are shared with the original.
 */
export function mapTensors(model: ModelProto, map: TensorMap): ModelProto {
  return editWhereDifferent(model, {
    ...(model.graph && { graph: mapGraph(model.graph, map) }),
    functions: mapList(model.functions, (body) =>
      editWhereDifferent(body, {
        node: mapList(body.node, (node) => mapNode(node, map)),
        attributeProto: mapList(body.attributeProto, (attribute) => mapAttribute(attribute, map)),
      }),
    ),
    trainingInfo: mapList(model.trainingInfo, (info) =>
      editWhereDifferent(info, {
        ...(info.initialization && { initialization: mapGraph(info.initialization, map) }),
        ...(info.algorithm && { algorithm: mapGraph(info.algorithm, map) }),
      }),
    ),
  });
}

/** Goes through every tensor of a model, in the order of {@link mapTensors}. */
export function forEachTensor(model: ModelProto, visit: (tensor: TensorProto, role: TensorRole) => void): void {
  mapTensors(model, (tensor, role) => {
    visit(tensor, role);
    return tensor;
  });
}

function mapGraph(graph: GraphProto, map: TensorMap): GraphProto {
  return editWhereDifferent(graph, {
    initializer: mapList(graph.initializer, (tensor) => map(tensor, 'initializer')),
    sparseInitializer: mapList(graph.sparseInitializer, (sparse) => mapSparse(sparse, map)),
    node: mapList(graph.node, (node) => mapNode(node, map)),
  });
}

function mapNode(node: NodeProto, map: TensorMap): NodeProto {
  return editWhereDifferent(node, { attribute: mapList(node.attribute, (attribute) => mapAttribute(attribute, map)) });
}

function mapAttribute(attribute: AttributeProto, map: TensorMap): AttributeProto {
  return editWhereDifferent(attribute, {
    ...(attribute.t && { t: map(attribute.t, 'value') }),
    ...(attribute.g && { g: mapGraph(attribute.g, map) }),
    ...(attribute.sparseTensor && { sparseTensor: mapSparse(attribute.sparseTensor, map) }),
    tensors: mapList(attribute.tensors, (tensor) => map(tensor, 'value')),
    graphs: mapList(attribute.graphs, (graph) => mapGraph(graph, map)),
    sparseTensors: mapList(attribute.sparseTensors, (sparse) => mapSparse(sparse, map)),
  });
}

function mapSparse(sparse: SparseTensorProto, map: TensorMap): SparseTensorProto {
  return editWhereDifferent(sparse, {
    ...(sparse.values && { values: map(sparse.values, 'value') }),
    ...(sparse.indices && { indices: map(sparse.indices, 'value') }),
  });
}

/** The same list where no item changed. */
function mapList<T>(items: T[], map: (item: T) => T): T[] {
  const mapped = items.map(map);
  return mapped.every((item, i) => item === items[i]) ? items : mapped;
}

function editWhereDifferent<M extends Message>(message: M, changes: Partial<Omit<M, keyof Message>>): M {
  const isSame = (Object.keys(changes) as (keyof typeof changes)[]).every((key) => changes[key] === message[key]);
  return isSame ? message : edit(message, changes);
}
