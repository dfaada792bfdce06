import * as enc from '@mhe/example-sentence-encoder/draw-sentences';
import { readEncoder } from './encoder-files.js';
import { measureLikeness } from './likeness.js';
import { PAIRS } from './pairs.js';
import { makeVariant } from './variant.js';
import { useWasm } from './wasm.js';

await useWasm();
const { model, tokenize } = await readEncoder();
const drawn = enc.drawSentences(1, 360);
const sets: Record<string, number[][]> = {
  joined3: Array.from({ length: 80 }, (_, i) => tokenize(drawn.slice(3 * i, 3 * i + 3).join(' '))),
  joined2: Array.from({ length: 120 }, (_, i) => tokenize(drawn.slice(2 * i, 2 * i + 2).join(' '))),
};
for (const [n, s] of Object.entries(sets)) {
  const t = process.cpuUsage().user;
  const v = await makeVariant(model, { queryKey: 1, value: 4, embedding: 'mul' }, s);
  const cpu = (process.cpuUsage().user - t) / 1e6;
  const l = await measureLikeness([model, v.model], [...PAIRS.map(([a, b]) => [tokenize(a), tokenize(b)] as const)], 1);
  console.log(
    n,
    s.flat().length,
    'tokens',
    l[1]?.likeFirst.toFixed(4),
    'cpu',
    cpu.toFixed(1),
    'outputs on calib',
    v.report.outputs[0]?.cosine.toFixed(4),
  );
}
