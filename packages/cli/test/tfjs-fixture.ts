import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { disguiseHeads, expandMhe, type Matrix, type Projection, seededRandom } from '@mhe/core';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import { io, type Tensor, tensor } from '@tensorflow/tfjs-core';

/** Sizes of the fixture: one block of self attention. */
export const sizes = { length: 6, modelDim: 12, numHeads: 3, headDim: 4 } as const;

/** One input of the fixture, `[batch, length, modelDim]`. */
export interface FixtureFeed {
  readonly x: readonly (readonly (readonly number[])[])[];
}

/** Inputs of normal numbers. */
export function drawFeeds(count: number, seed: number): FixtureFeed[] {
  const { normal } = seededRandom(seed);
  const row = () => Array.from({ length: sizes.modelDim }, normal);
  return Array.from({ length: count }, () => ({ x: [Array.from({ length: sizes.length }, row)] }));
}

/** How the fixture is made. */
export interface FixtureOptions {
  /** The operator that the output goes through. Default `Identity`; the wasm backend lacks `Einsum`. */
  readonly last?: 'Identity' | 'Einsum';
}

/**
 * Writes a graph model into a new folder: a block whose heads really share their projections, each in a basis of its own,
 * so that one group can give the original's outputs. Its weights are in two files, cut inside a weight.
 */
export function writeFixture(folder: string, { last = 'Identity' }: FixtureOptions = {}): void {
  const { nodes, weights } = buildGraph(last);
  const bytes = new Uint8Array(weights.reduce((total, { data }) => total + data.byteLength, 0));
  let at = 0;
  for (const { data } of weights) {
    bytes.set(new Uint8Array(data.buffer), at);
    at += data.byteLength;
  }
  mkdirSync(folder);
  writeFileSync(join(folder, 'first.bin'), bytes.subarray(0, 500));
  writeFileSync(join(folder, 'second.bin'), bytes.subarray(500));
  const shape = { dim: [-1, sizes.length, sizes.modelDim].map((size) => ({ size: String(size) })) };
  const json = {
    format: 'graph-model',
    generatedBy: '2.15.0',
    convertedBy: null,
    modelTopology: { node: nodes, versions: {} },
    signature: {
      inputs: { x: { name: 'x:0', dtype: 'DT_FLOAT', tensorShape: shape } },
      outputs: { y: { name: 'y:0', dtype: 'DT_FLOAT', tensorShape: shape } },
    },
    weightsManifest: [
      {
        paths: ['first.bin', 'second.bin'],
        weights: weights.map(({ name, dims, data }) => {
          return { name, shape: dims, dtype: data instanceof Float32Array ? 'float32' : 'int32' };
        }),
      },
    ],
  };
  writeFileSync(join(folder, 'model.json'), JSON.stringify(json));
}

/** What TensorFlow.js alone gives for the model in a folder, in the current backend. */
export async function outputsOf(folder: string, feeds: readonly FixtureFeed[]): Promise<number[]> {
  const { weightsManifest, ...fields } = JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8'));
  const [{ paths, weights }] = weightsManifest as [io.WeightsManifestConfig[number]];
  const bytes = Buffer.concat(paths.map((path) => readFileSync(join(folder, path))));
  const weightData = new Uint8Array(bytes).buffer;
  const model = await loadGraphModel(io.fromMemory({ ...fields, weightSpecs: weights, weightData }));
  const outputs: number[] = [];
  for (const { x } of feeds) {
    const input = tensor(x as number[][][]);
    const output = model.predict({ x: input }) as Tensor;
    outputs.push(...output.dataSync());
    input.dispose();
    output.dispose();
  }
  model.dispose();
  return outputs;
}

interface FixtureWeight {
  readonly name: string;
  readonly dims: readonly number[];
  readonly data: Float32Array | Int32Array;
}

function buildGraph(last: 'Identity' | 'Einsum') {
  const { length, modelDim, numHeads, headDim } = sizes;
  const { query, key, value, output, scale } = plantedWeights();
  const nodes: object[] = [];
  const weights: FixtureWeight[] = [];
  const node = (op: string, name: string, input: readonly string[], attr: object = {}) => {
    nodes.push({ name, op, input, attr: { T: { type: 'DT_FLOAT' }, ...attr } });
    return name;
  };
  const constant = (name: string, dims: readonly number[], data: Float32Array | Int32Array) => {
    const dtype = data instanceof Float32Array ? 'DT_FLOAT' : 'DT_INT32';
    const tensorShape = { dim: dims.map((size) => ({ size: String(size) })) };
    nodes.push({ name, op: 'Const', attr: { dtype: { type: dtype }, value: { tensor: { dtype, tensorShape } } } });
    weights.push({ name, dims, data });
    return name;
  };
  const list = (name: string, values: readonly number[]) => constant(name, [values.length], Int32Array.from(values));
  const affine = (name: string, input: string, { weight, bias }: Projection) => {
    const kernel = constant(`${name}/kernel`, [weight.rows, weight.cols], Float32Array.from(weight.data));
    const product = node(
      'MatMul',
      `${name}/MatMul`,
      [input, kernel],
      flags({ transpose_a: false, transpose_b: false }),
    );
    const shift = constant(`${name}/bias`, [weight.cols], Float32Array.from(bias ?? []));
    return node('BiasAdd', `${name}/BiasAdd`, [product, shift]);
  };
  const split = list('split', [-1, length, numHeads, headDim]);
  const order = list('order', [0, 2, 1, 3]);
  const heads = (name: string, projection: Projection) =>
    node('Transpose', `${name}/heads`, [
      node('Reshape', `${name}/split`, [affine(name, 'x', projection), split]),
      order,
    ]);

  nodes.push({
    name: 'x',
    op: 'Placeholder',
    attr: {
      dtype: { type: 'DT_FLOAT' },
      shape: { shape: { dim: [-1, length, modelDim].map((size) => ({ size: String(size) })) } },
    },
  });
  const joined = list('joined', [-1, length, modelDim]);
  const factor = constant('scale', [], Float32Array.of(scale));
  const scaled = node('Mul', 'scaled', [heads('query', query), factor]);
  const scores = node('BatchMatMulV2', 'scores', [scaled, heads('key', key)], flags({ adj_x: false, adj_y: true }));
  const probabilities = node('Softmax', 'softmax', [scores]);
  const context = node(
    'BatchMatMulV2',
    'context',
    [probabilities, heads('value', value)],
    flags({ adj_x: false, adj_y: false }),
  );
  const merged = node('Reshape', 'merged', [node('Transpose', 'heads_last', [context, order]), joined]);
  const residual = node('AddV2', 'residual', ['x', affine('output', merged, output)]);
  // Neither computes anything. (An equation that changes nothing frees its input, a mistake of TensorFlow.js.)
  if (last === 'Identity') node('Identity', 'y', [residual]);
  else node('Einsum', 'y', [residual], { N: { i: '1' }, equation: { s: btoa('abc->acb') } });
  return { nodes, weights };
}

const flags = (values: Readonly<Record<string, boolean>>) =>
  Object.fromEntries(Object.entries(values).map(([name, b]) => [name, { b }]));

function plantedWeights() {
  const { modelDim, numHeads, headDim } = sizes;
  const { normal } = seededRandom(7);
  const matrix = (rows: number, cols: number, spread: number): Matrix => {
    return { rows, cols, data: Float64Array.from({ length: rows * cols }, () => spread * normal()) };
  };
  const projection = (rows: number, cols: number): Projection => {
    return { weight: matrix(rows, cols, rows ** -0.5), bias: matrix(1, cols, 0.1).data };
  };
  const shared = {
    numHeads,
    headDim,
    valueHeadDim: headDim,
    scale: headDim ** -0.5,
    embedding: 'mul' as const,
    groups: { queryKey: [0, 0, 0], value: [0, 0, 0] },
    query: projection(modelDim, headDim),
    key: projection(modelDim, headDim),
    value: projection(modelDim, headDim),
    output: projection(numHeads * headDim, modelDim),
    queryEmbedding: matrix(numHeads, headDim, 0.5),
    keyEmbedding: matrix(numHeads, headDim, 0.5),
    valueEmbedding: matrix(numHeads, headDim, 0.5),
  };
  return disguiseHeads(expandMhe(shared), 3);
}
