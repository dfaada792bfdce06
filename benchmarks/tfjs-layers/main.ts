// Times one attention layer of @mhe/tfjs in every form, on cpu and wasm. See ../README.md.
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { seededRandom } from '@mhe/core';
import '@tensorflow/tfjs-backend-cpu';
import { setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { enableProdMode, setBackend, tensor, tidy, version_core } from '@tensorflow/tfjs-core';
import { describeMachine } from '../machine/describe-machine.js';
import { median } from '../machine/median.js';
import { markdownTable } from '../report/markdown-table.js';
import { saveJson } from '../report/save-json.js';
import { type Pass, timeVariants } from './time-variants.js';
import { allVariants, modelDim } from './variants.js';

const { values: options } = parseArgs({
  options: {
    tokens: { type: 'string', default: '128,512' },
    backends: { type: 'string', default: 'cpu,wasm' },
    passes: { type: 'string', default: 'forward,forward and backward' },
    /** Seconds that the rounds of one length, pass and backend take, about; three rounds at least. */
    seconds: { type: 'string', default: '20' },
    json: { type: 'string' },
  },
});

enableProdMode();
const entry = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm');
setWasmPaths(entry.slice(0, entry.lastIndexOf('tf-backend-wasm')));
setThreadsCount(1);

const lengths = options.tokens.split(',').map(Number);
const passes = options.passes.split(',').map(asPass);
const results = [];

console.log(`${describeMachine()}; TensorFlow.js ${version_core}`);
console.log(`One attention layer, width ${modelDim}, 12 heads, batch 1, float32, one thread.`);
for (const backend of options.backends.split(',')) {
  await setBackend(backend);
  const variants = allVariants((layer) => {
    const random = seededRandom(0);
    const draw = (size: number) => Float32Array.from({ length: size }, () => random.normal() / Math.sqrt(modelDim));
    tidy(() => {
      layer.setWeights(layer.getWeights().map(({ shape, size }) => tensor(draw(size), shape)));
    });
  });
  const columns: { title: string; medians: number[]; baseline: number }[] = [];
  for (const pass of passes) {
    for (const tokens of lengths) {
      console.error(`timing ${backend}, ${pass}, ${tokens} tokens`);
      const random = seededRandom(tokens);
      const input = tensor(
        Float32Array.from({ length: tokens * modelDim }, () => random.normal()),
        [1, tokens, modelDim],
      );
      const durations = timeVariants(variants, input, pass, Number(options.seconds));
      const medians = variants.map((variant) => median(durations.get(variant) ?? []));
      const baseline = Math.min(...medians.filter((_, i) => variants[i]?.isBaseline));
      columns.push({ title: `${pass}, ${tokens} tokens`, medians, baseline });
      const rounds = durations.get(variants[0] as (typeof variants)[number])?.length ?? 0;
      results.push({
        backend,
        pass,
        tokens,
        rounds,
        milliseconds: Object.fromEntries(variants.map(({ name }, i) => [name, medians[i]])),
      });
      input.dispose();
    }
  }
  const rows = variants.map(({ name }, i) => [
    name,
    ...columns.map(({ medians, baseline }) => {
      const milliseconds = medians[i] as number;
      return `${milliseconds.toFixed(1)} ms, ${(baseline / milliseconds).toFixed(2)}x`;
    }),
  ]);
  console.log(`\n${backend}\n\n${markdownTable(['form', ...columns.map(({ title }) => title)], rows)}`);
}
await saveJson(options.json, { machine: describeMachine(), tfjs: version_core, results });

function asPass(name: string): Pass {
  if (name === 'forward' || name === 'forward and backward') return name;
  throw new Error(`--passes: expected 'forward' and 'forward and backward', separated by a comma; got '${name}'`);
}
