// How much of the scores a fit of queries and keys leaves out, with a rotation by position and without one, same weights.
import { parseArgs } from 'node:util';
import type { AttentionWeights } from '@mhe/core';
import { fitMhe } from '@mhe/core';
import { describeMachine } from '../machine/describe-machine.js';
import { markdownTable } from '../report/markdown-table.js';
import { saveJson } from '../report/save-json.js';
import { fitTask } from './layer.js';

const { values: options } = parseArgs({
  options: {
    heads: { type: 'string', default: '12' },
    'head-dim': { type: 'string', default: '64' },
    json: { type: 'string' },
  },
});

const [numHeads, headDim] = [Number(options.heads), Number(options['head-dim'])];
const { weights, moments } = fitTask(numHeads, headDim, 0);
const planes = Array.from({ length: headDim / 2 }, (_, f) => [f, f + headDim / 2] as const);
// Biases of keys count under a rotation alone, so that there are none to compare.
const withoutBias: AttentionWeights = {
  ...weights,
  query: { ...weights.query, bias: null },
  key: { ...weights.key, bias: null },
};
/** The inputs of the keys are those of the queries. */
const shared = { query: moments.query, keyInput: moments.query };

async function leftOut(groups: number, rotary: AttentionWeights['rotary'], own?: readonly number[]): Promise<number> {
  const layer = {
    ...withoutBias,
    ...(rotary && { rotary }),
    ...(own && { keyValueGroups: { queryKey: own, value: own } }),
  };
  const given = rotary ? shared : { query: moments.query, key: moments.key };
  const fit = await fitMhe(layer, { groups: { queryKey: groups, value: 'heads' }, moments: given });
  return fit.queryKeyError.overall;
}

console.log(describeMachine());
console.log(`One layer, width ${weights.query.weight.rows}, ${numHeads} heads; share of the scores that is left out.`);
const counts = [1, 2, 3, 4, 6].filter((count) => numHeads % count === 0 && count < numHeads);
const results = [];
for (const groups of counts) {
  const plain = await leftOut(groups, undefined);
  const rotated = await leftOut(groups, { planes });
  results.push({ groups, plain, rotated });
}
const rows = results.map(({ groups, plain, rotated }) => [String(groups), plain.toFixed(3), rotated.toFixed(3)]);
console.log(`\n${markdownTable(['groups', 'plain', 'rotated'], rows)}`);
await saveJson(options.json, { machine: describeMachine(), results });
