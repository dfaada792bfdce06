// Times the fit of one layer, step by step, on one core: queries and keys, values, the refit of the output.
import { parseArgs } from 'node:util';
import { fitMhe, refitOutput } from '@mhe/core';
import { describeMachine } from '../machine/describe-machine.js';
import { median } from '../machine/median.js';
import { markdownTable } from '../report/markdown-table.js';
import { saveJson } from '../report/save-json.js';
import { fitTask } from './layer.js';

const { values: options } = parseArgs({
  options: {
    heads: { type: 'string', default: '12' },
    'head-dim': { type: 'string', default: '64' },
    runs: { type: 'string', default: '3' },
    json: { type: 'string' },
  },
});

const numHeads = Number(options.heads);
const { weights, moments, output } = fitTask(numHeads, Number(options['head-dim']), 0);
const fit = (queryKey: number | 'heads', value: number | 'heads', embedding: 'mul' | 'add' = 'mul') =>
  fitMhe(weights, { groups: { queryKey, value }, embedding, moments });
const shared = await fit(1, 1);

const steps: readonly [string, () => unknown][] = [
  ['queries and keys, MHE-MUL, 1 group', () => fit(1, 'heads')],
  ['queries and keys, MHE-MUL, 2 groups', () => fit(2, 'heads')],
  ['queries and keys, MHE-ADD, 1 group', () => fit(1, 'heads', 'add')],
  ['values, 1 group', () => fit('heads', 1)],
  ['values, 4 groups', () => fit('heads', 4)],
  ['refit of the output', () => refitOutput(shared.weights, [output])],
];

console.log(describeMachine());
console.log(
  `One layer, width ${weights.query.weight.rows}, ${numHeads} heads; processor seconds, median of ${options.runs}.`,
);
const results = [];
for (const [name, step] of steps) {
  const runs = [];
  for (let run = 0; run < Number(options.runs); run++) {
    const before = process.cpuUsage();
    await step();
    runs.push(process.cpuUsage(before).user / 1e6);
  }
  results.push({ name, seconds: median(runs), runs });
}
const rows = results.map(({ name, seconds }) => [name, seconds.toFixed(2)]);
console.log(`\n${markdownTable(['step', 'seconds'], rows)}`);
const { queryKeyError, valueError, sweeps } = shared;
console.log(
  `\nleft out: ${queryKeyError.overall.toFixed(4)} of the scores (${sweeps} sweeps), ${valueError.overall.toFixed(4)} of the values`,
);
await saveJson(options.json, { machine: describeMachine(), results });
