import type { GraphProto } from 'onnx-buf';
import { graphCaptures } from '../graph/captures.js';
import { edit } from '../graph/edit.js';
import type { OnnxModel } from '../graph/model.js';

/** A branch of a model's `If` as a model of its own: what it captures become its inputs and initialisers. */
export function liftBranch(model: OnnxModel, branch: GraphProto): OnnxModel {
  const outer = model.proto.graph as GraphProto;
  const captured = new Set(graphCaptures(branch));
  const weights = outer.initializer.filter(({ name }) => captured.has(name));
  const initialised = new Set(weights.map(({ name }) => name));
  const graph = edit(branch, {
    input: outer.input.filter(({ name }) => captured.has(name) && !initialised.has(name)),
    initializer: [...branch.initializer, ...weights],
  });
  return { ...model, proto: edit(model.proto, { graph }) };
}
