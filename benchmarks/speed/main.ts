// Times one attention layer in every form, in ONNX Runtime for Node and for the web. See ../README.md.
import { parseArgs } from 'node:util';
import { seededRandom } from '@mhe/core';
import { describeMachine } from '../machine/describe-machine.js';
import { median } from '../machine/median.js';
import { runtimes } from '../machine/runtimes.js';
import { markdownTable } from '../report/markdown-table.js';
import { saveJson } from '../report/save-json.js';
import { layer } from './layer.js';
import { type Durations, timeVariants } from './time-variants.js';
import { allVariants } from './variants.js';

const { values: options } = parseArgs({
  options: {
    tokens: { type: 'string', default: '32,128,512,2048' },
    runtimes: { type: 'string', default: 'Node,wasm' },
    /** Seconds that the rounds of one length in one runtime take, about. */
    seconds: { type: 'string', default: '60' },
    json: { type: 'string' },
  },
});

const lengths = options.tokens.split(',').map(Number);
const random = seededRandom(0);
const variants = allVariants();
const results = [];

console.log(describeMachine());
console.log('One attention layer, width 768, 12 heads, batch 1, float32, one thread.');
for (const runtime of runtimes.filter(({ name }) => options.runtimes.split(',').includes(name))) {
  const columns: Summary[] = [];
  for (const tokens of lengths) {
    const input = Float32Array.from({ length: tokens * layer.modelDim }, () => random.normal());
    const durations = await timeVariants(runtime, variants, input, Number(options.seconds));
    const column = summary(durations);
    columns.push(column);
    results.push({ runtime: runtime.name, tokens, variants: column });
  }
  const headings = lengths.map((tokens) => `${tokens} tokens`);
  const rows = variants.map(({ name }, i) => [
    name,
    ...columns.map((column) => {
      const { milliseconds, speed } = column[i] as Summary[number];
      return `${milliseconds.toFixed(milliseconds < 10 ? 2 : 1)} ms, ${speed.toFixed(2)}x`;
    }),
  ]);
  console.log(`\nONNX Runtime ${runtime.name}\n\n${markdownTable(['form', ...headings], rows)}`);
}
await saveJson(options.json, { machine: describeMachine(), results });

type Summary = ReturnType<typeof summary>;

/** Medians, and speed relative to the fastest multi-head attention. */
function summary(durations: Durations) {
  const entries = [...durations].map(([variant, runs]) => ({ variant, milliseconds: median(runs), runs: runs.length }));
  const baseline = Math.min(
    ...entries.filter(({ variant }) => variant.isBaseline).map(({ milliseconds }) => milliseconds),
  );
  return entries.map(({ variant, milliseconds, runs }) => ({
    name: variant.name,
    milliseconds,
    fastest: Math.min(...(durations.get(variant) ?? [])),
    runs,
    speed: baseline / milliseconds,
  }));
}
