import { readFileSync } from 'node:fs';
import { fromBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema } from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import { extractModel } from '../src/graph/extract-model.js';
import { graphIndex } from '../src/graph/graph-index.js';
import type { OnnxModel } from '../src/graph/model.js';
import { planStages } from '../src/graph/plan-stages.js';
import { sortNodes } from '../src/graph/sort-nodes.js';
import { type HostTensor, type HostTensors, hostNumbers } from '../src/run/host-tensor.js';
import { withSession } from '../src/run/session.js';
import { syntheticFeeds } from '../src/run/synthetic-feeds.js';
import { dataTypeOf } from '../src/tensor/dtype.js';
import { runtimes } from './run-runtimes.js';

/** Fixtures, and how many large weights they read in places that are far apart: BART's embeddings serve both halves. */
const files = [
  ['bert-two-layers-optimum17', 0],
  ['bert-two-layers-dynamo18-planted', 0],
  ['bart-whole-script17', 1],
  ['t5-encoder-script12', 0],
  ['swin-hf-optimum17-planted', 0],
  ['whisper-sdpa-dynamo18', 0],
] as const;

describe.each(runtimes)('stages in onnxruntime-%s', (_, runtime) => {
  it.each(files)('of %s, cut four times, compute what the whole computes', async (file, shared) => {
    const bytes = readFileSync(new URL(`./fixtures/${file}.onnx`, import.meta.url));
    const model: OnnxModel = { proto: fromBinary(ModelProtoSchema, bytes), externalData: new Map(), name: file };
    const graph = sortNodes(model.proto.graph ?? fail());
    const index = graphIndex(graph);
    const size = graph.node.length;
    const blocks = [0.2, 0.4, 0.6, 0.8].map((part) => {
      const start = Math.floor(size * part);
      return Array.from({ length: Math.floor(size / 10) }, (_, i) => start + i);
    });
    const feed = syntheticFeeds(model, { sequences: 1, length: 6 }).feeds[0] ?? fail();

    const weights = new Map<string, number>();
    let held: HostTensors = {};
    for (const stage of planStages(index, blocks)) {
      const given: HostTensors = { ...feed, ...held };
      const inputs = stage.inputs.map((name) => {
        const { dtype } = given[name] ?? fail();
        return index.inputs.has(name) ? name : { name, elemType: dataTypeOf(dtype) };
      });
      const part = extractModel(model, { inputs, outputs: stage.outputs });
      for (const { name, rawData } of part.proto.graph?.initializer ?? []) {
        if (rawData.byteLength > 256) weights.set(name, (weights.get(name) ?? 0) + 1);
      }
      const made = await withSession(part, { runtime, threads: 1 }, (session) => session.run(given));
      held = Object.fromEntries(stage.held.map((name) => [name, made[name] ?? held[name] ?? fail()]));
    }

    const whole = await withSession(model, { runtime, threads: 1 }, (session) => session.run(feed));
    expect(Object.keys(held).toSorted()).toEqual(Object.keys(whole).toSorted());
    for (const [name, tensor] of Object.entries(whole)) expectClose(held[name] ?? fail(), tensor);
    // Each stage holds only its own weights.
    expect([...weights.values()].filter((times) => times > 1)).toHaveLength(shared);
    expect(weights.size).toBeGreaterThan(5);
  });
});

/** Fusions may differ between the whole and its parts, and with them the last bits. */
function expectClose(found: HostTensor, expected: HostTensor): void {
  expect(found.dims).toEqual(expected.dims);
  const numbers = hostNumbers(expected);
  const largest = numbers.reduce((max, item) => Math.max(max, Math.abs(item)), 0);
  const difference = hostNumbers(found).reduce((max, item, i) => Math.max(max, Math.abs(item - (numbers[i] ?? 0))), 0);
  expect(difference).toBeLessThan(1e-5 * largest);
}

function fail(): never {
  throw new Error('unexpected');
}
