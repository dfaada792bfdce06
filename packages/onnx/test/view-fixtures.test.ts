// Sizes and small numbers that the finder derives of exported models, against those that ONNX Runtime computes.
import { create } from '@bufbuild/protobuf';
import { type GraphProto, ValueInfoProtoSchema } from 'onnx-buf';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { evaluate } from '../../core/src/find/evaluate.js';
import { edit } from '../src/graph/edit.js';
import type { OnnxModel } from '../src/graph/model.js';
import type { OrtRuntime } from '../src/index.js';
import { type HostTensor, type HostTensors, hostNumbers } from '../src/run/host-tensor.js';
import { withSession } from '../src/run/session.js';
import { graphView } from '../src/view/graph-view.js';
import { fixture, fixtureModel, fixtureNames, mergedNames } from './fixture.js';

const runtime = ort as unknown as OrtRuntime;

/** A model whose every value is an output. */
function withEveryOutput(model: OnnxModel): OnnxModel {
  const graph = model.proto.graph as GraphProto;
  const named = new Set(graph.output.map(({ name }) => name));
  const others = graph.node.flatMap(({ output }) => output).filter((name) => name !== '' && !named.has(name));
  const output = [...graph.output, ...others.map((name) => create(ValueInfoProtoSchema, { name }))];
  return { ...model, proto: edit(model.proto, { graph: edit(graph, { output }) }) };
}

/** The sizes of a real set of inputs. */
function probeOf(inputs: HostTensors) {
  return {
    inputDims: new Map(Object.entries(inputs).map(([name, { dims }]) => [name, dims])),
    sizeOf: new Map<string, number>(),
    inputNumbers: new Map<string, Float64Array>(),
  };
}

// Planted variants have the graph of another one; decoys have operators of their own. Branches are viewed one by one.
const names = fixtureNames.filter((name) => !name.endsWith('-planted') && !mergedNames.includes(name));

/** MPNet makes whole numbers of logarithms that are whole themselves: float32 and float64 may round either way. */
const roundsLogarithms = (name: string) => name.startsWith('mpnet');

describe('the view of a model', () => {
  it.each(names)('knows the sizes in %s', async (name) => {
    const model = await fixtureModel(name);
    const view = graphView(model);
    await withSession(withEveryOutput(model), { runtime }, async (session) => {
      for (const { inputs } of fixture(name).cases) {
        const computed = await session.run(inputs);
        const derived = evaluate(view, probeOf(inputs));
        const wrong = Object.entries(computed).flatMap(([id, tensor]) => {
          const known = derived.get(id);
          if (!known) return [];
          const hasNumbers = known.numbers !== undefined && !roundsLogarithms(name);
          const isSame = known.dims.join() === tensor.dims.join() && (!hasNumbers || agree(known.numbers, tensor));
          return isSame ? [] : [{ id, derived: known, computed: { ...tensor, data: [...hostNumbers(tensor)] } }];
        });
        expect(wrong).toEqual([]);
        // The second output of a Dropout that does nothing is not followed.
        const unknown = Object.keys(computed).filter((id) => !derived.has(id) && !id.endsWith('_mask'));
        if (!fixture(name).decoy) expect(unknown).toEqual([]);
      }
    });
  });
});

function agree(numbers: Float64Array, tensor: HostTensor): boolean {
  return hostNumbers(tensor).every((x, i) => {
    const y = numbers[i] as number;
    // Infinity as a whole number is whatever the machine makes of it.
    if (tensor.dtype === 'int64' && !Number.isFinite(y)) return true;
    return x === y || (Number.isNaN(x) && Number.isNaN(y)) || Math.abs(x - y) <= 1e-5 * Math.abs(x);
  });
}
