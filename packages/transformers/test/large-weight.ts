import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { readModel, writeModel } from '@mhe/onnx';
import { FIXTURES } from './library-under-test.js';

/** Copies the fixture `bert` with one more weight, as large as those of real models, whose sum (nothing) is added to its output. */
export async function withLargeWeight(folder: string): Promise<void> {
  await cp(join(FIXTURES, 'bert'), folder, { recursive: true });
  const file = join('onnx', 'model.onnx');
  const { proto, ...model } = await readModel(join(FIXTURES, 'bert', file));
  const { graph } = proto;
  const [weight, output] = [graph?.initializer.find(({ dataType }) => dataType === 1), graph?.output[0]?.name ?? ''];
  const last = graph?.node.find((node) => node.output.includes(output));
  if (!graph || !weight || !last) throw new Error('no weight or output');
  const node = (opType: string, input: string[], name: string): typeof last => ({
    ...last,
    ...{ opType, input, name, output: [name], attribute: [] },
  });
  const count = 20_000;
  const edited = {
    ...graph,
    initializer: [
      ...graph.initializer,
      { ...weight, name: 'large', dims: [BigInt(count)], rawData: new Uint8Array(4 * count), floatData: [] },
    ],
    node: [
      ...graph.node.map((each) => (each === last ? { ...each, output: ['before'] } : each)),
      node('ReduceSum', ['large'], 'nothing'),
      node('Add', ['before', 'nothing'], output),
    ],
  };
  await writeModel({ ...model, proto: { ...proto, graph: edited } }, join(folder, file), { force: true });
}
