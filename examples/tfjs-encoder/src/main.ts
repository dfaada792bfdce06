import { drawSentences } from '@mhe/example-sentence-encoder/draw-sentences';
import { readEncoder } from './encoder-files.js';
import { measureLikeness, type TokenPair } from './likeness.js';
import { PAIRS } from './pairs.js';
import { printDial, printPairs } from './print.js';
import { SETTINGS } from './settings.js';
import { makeVariant, type Variant } from './variant.js';
import { useWasm } from './wasm.js';

const CALIBRATION_SENTENCES = 150;
const ROUNDS = 5;

console.log(
  `\nThe Universal Sentence Encoder lite in TensorFlow.js, fitted on ${CALIBRATION_SENTENCES} made-up sentences without training.`,
);
await useWasm();
const { model, tokenize } = await readEncoder();
const calibration = drawSentences(1, CALIBRATION_SENTENCES).map(tokenize);

const variants: Variant[] = [];
for (const setting of SETTINGS) variants.push(await makeVariant(model, setting, calibration));

const pairs = PAIRS.map(([a, b]): TokenPair => [tokenize(a), tokenize(b)]);
const likenesses = await measureLikeness([model, ...variants.map((variant) => variant.model)], pairs, ROUNDS);
printPairs(PAIRS, variants, likenesses);
printDial(variants, likenesses);
