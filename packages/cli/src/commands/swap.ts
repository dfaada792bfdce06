import type { AttentionForm, Embedding, SiteSelection } from '@mhe/core';
import { type Command, Option } from 'commander';
import type { Calibration } from '../calibration/calibration.js';
import { openCalibration } from '../calibration/open-calibration.js';
import { openData } from '../calibration/open-data.js';
import { CommandError, exitCodes } from '../command-error.js';
import type {
  ModelSwapOptions,
  OpenModel,
  SwappedPart,
  SwapResult,
  WeightPlacement,
  WrittenFiles,
} from '../format/format.js';
import { openModel } from '../format/open-model.js';
import { download, startProgress } from '../print/progress.js';
import { formatSwap } from '../print/swap-report.js';
import { colorsFor, note, print, printJson, type Terminal } from '../terminal.js';
import { addGroupOptions, type GroupOptions, groupsFrom } from './group-options.js';
import { addHubOptions, type HubOptions, openOptions } from './hub-options.js';
import { dtypes, share, siteSelection, wholeNumber } from './option-values.js';

interface SwapCommandOptions extends GroupOptions, HubOptions {
  readonly output: string;
  readonly maxFitError?: number;
  readonly embedding: Embedding;
  readonly form: 'auto' | AttentionForm;
  readonly sites: SiteSelection;
  readonly calibration?: string;
  readonly data?: string;
  readonly syntheticSequences?: number;
  readonly syntheticLength?: number;
  readonly seed: number;
  readonly heads?: number;
  readonly externalData: WeightPlacement;
  readonly force?: boolean;
  readonly json?: boolean;
}

const examples = `
Examples:
  Multi-head embedding everywhere, fitted on real inputs:
    $ mhe swap model.onnx -o small.onnx --calibration feeds.jsonl
  One shared query and key projection, every head's own values (a milder swap):
    $ mhe swap model.onnx -o small.onnx --query-key-groups 1 --value-groups heads --calibration feeds.npz
  As few groups in each block as leave out a twentieth of the energy at most:
    $ mhe swap model.onnx -o small.onnx --max-fit-error 0.05 --calibration feeds.jsonl
  Only some blocks, by number (see mhe inspect), by name, or by regular expression:
    $ mhe swap model.onnx -o small.onnx --sites 0,2-4
    $ mhe swap model.onnx -o small.onnx --sites '*/layer.1/*'
    $ mhe swap model.onnx -o small.onnx --sites '/layer\\.[0-3]/'
  A model of TensorFlow.js, into a folder:
    $ mhe swap encoder/model.json -o small --calibration feeds.jsonl
  A model folder of transformers.js, fitted on texts by way of its own tokenizer:
    $ mhe swap models/all-MiniLM-L6-v2 -o models/all-MiniLM-L6-v2-mhe --data texts.txt
  The same of the hub, downloaded by transformers.js into its own cache:
    $ mhe swap Xenova/all-MiniLM-L6-v2 -o all-MiniLM-L6-v2-mhe --data texts.txt

Calibration files:
  JSON Lines: a feed a line, by the names of the model's inputs, {"input_ids": [[5, 7, 2]], "attention_mask": [[1, 1, 1]]}
  .npz: an array per input, named as the input, whose first axis counts the feeds

Data files, a line each:
  a plain text
  {"source": "...", "target": "..."}, what a model of an encoder and a decoder reads and is to write (translations, summaries)
  {"image": "cat.png", "text": "..."}, for models of images and texts; {"image": "cat.png", "target": "..."} where one writes captions

Exit codes: 0 written, 1 error, 2 nothing was swapped and nothing written, 130 interrupted.`;

/** Adds `mhe swap`: replaces the attention of a model, writes the result and reports what it gained and cost. */
export function addSwapCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('swap')
    .summary('swap the attention of a model for multi-head-embedding attention')
    .description(
      'Swaps the multi-head attention of a pretrained model for multi-head-embedding attention, fitted without ' +
        'training. The original is never changed.',
    )
    .argument(
      '<model>',
      'model file (.onnx), model.json of TensorFlow.js, folder of a transformers.js or TensorFlow.js model, or id on the hub',
    )
    .requiredOption(
      '-o, --output <path>',
      'where the swapped model goes: a file, or for TensorFlow.js and transformers.js a folder',
    );
  addHubOptions(addGroupOptions(command))
    .option(
      '--max-fit-error <share>',
      'largest share of the energy that a fit may leave out, 0 to 1: blocks get more groups where it would be more',
      share,
    )
    .addOption(new Option('--embedding <kind>', 'how heads differ').choices(['mul', 'add']).default('mul'))
    .addOption(
      new Option('--form <form>', 'how the swapped blocks compute')
        .choices(['auto', 'folded', 'factorised', 'direct', 'widened'])
        .default('auto'),
    )
    .option(
      '--sites <which>',
      'blocks to swap: numbers, a name with * and ?, or /regular expression/',
      siteSelection,
      'all',
    )
    .addOption(
      new Option('--calibration <file>', 'real inputs of the graph to fit on: JSON Lines or .npz').conflicts('data'),
    )
    .option(
      '--data <path>',
      'transformers.js: real texts to fit on, a file with one a line (plain or JSON), or a folder of images',
    )
    .option('--synthetic-sequences <n>', 'without --calibration: made-up sequences (default: 16)', wholeNumber(1))
    .option('--synthetic-length <n>', 'without --calibration: length of open dimensions (default: 32)', wholeNumber(1))
    .option('--seed <n>', 'of every random choice', wholeNumber(0), 0)
    .option('--heads <n>', 'number of heads, where the graph takes it from an input', wholeNumber(1))
    .addOption(
      new Option('--external-data <when>', 'ONNX: weights in a file of their own')
        .choices(['auto', 'always', 'never'])
        .default('auto'),
    )
    .option(
      '--dtype <types>',
      'transformers.js: fp32, fp16 or both (fp32,fp16), each from the file of that dtype (default: fp32)',
      dtypes,
    )
    .option('--force', 'replace an existing model')
    .option('--json', 'print the report as JSON')
    .addHelpText('after', examples)
    .action((path: string, options: SwapCommandOptions) => runSwap(path, options, terminal));
}

async function runSwap(path: string, options: SwapCommandOptions, terminal: Terminal): Promise<void> {
  const { externalData, force = false } = options;
  const { signal } = terminal;
  const model = await openModel(path, openOptions(options, terminal));
  const writeOptions = { externalData, force, signal };
  for (const line of await model.checkOutput(options.output, writeOptions)) note(terminal, line);
  const calibration = await calibrationFrom(options, terminal);
  await download(model, terminal);
  const { parts, write } = await swapWithProgress(model, swapOptions(options, calibration), terminal);

  const isAny = parts.some(({ report }) => report.swapped.length > 0);
  const output = isAny ? await write(options.output, writeOptions) : null;
  for (const line of output?.notices ?? []) note(terminal, line);
  if (options.json) printJson(terminal, swapJson(output, parts));
  else print(terminal, formatSwap(path, output, parts, colorsFor(terminal.stdout)));
  if (output === null) {
    throw new CommandError(`no attention was swapped; ${options.output} was not written`, exitCodes.nothingSwapped);
  }
}

/** A model that is one graph is told as it is, one of several files by them. */
function swapJson(written: WrittenFiles | null, parts: readonly SwappedPart[]): object {
  const output = written && { files: written.files, byteLength: written.byteLength };
  const [only] = parts;
  if (only?.file === null) return { output, ...only.report };
  return { output, files: Object.fromEntries(parts.map(({ file, report }) => [file, report])) };
}

function swapOptions(options: SwapCommandOptions, calibration: Calibration): ModelSwapOptions {
  const { maxFitError, embedding, form, sites, seed, heads } = options;
  return {
    groups: groupsFrom(options),
    ...(maxFitError === undefined ? {} : { maxFitError }),
    embedding,
    form,
    sites,
    seed,
    calibration,
    ...(heads === undefined ? {} : { numHeads: heads }),
  };
}

async function calibrationFrom(options: SwapCommandOptions, terminal: Terminal): Promise<Calibration> {
  const { calibration, data, syntheticSequences: sequences, syntheticLength: length, seed } = options;
  const given = calibration === undefined ? '--data' : '--calibration';
  if (calibration !== undefined || data !== undefined) {
    if (sequences !== undefined) note(terminal, `--synthetic-sequences has no effect with ${given}`);
    if (length !== undefined) note(terminal, `--synthetic-length has no effect with ${given}`);
  }
  if (calibration !== undefined) return openCalibration(calibration);
  if (data !== undefined) return openData(data);
  note(
    terminal,
    'without --calibration or --data the fit sees made-up inputs, and the swapped model keeps far less quality',
  );
  return {
    synthetic: { seed, ...(sequences === undefined ? {} : { sequences }), ...(length === undefined ? {} : { length }) },
  };
}

async function swapWithProgress(model: OpenModel, options: ModelSwapOptions, terminal: Terminal): Promise<SwapResult> {
  const bar = startProgress(terminal);
  try {
    return await model.swap({ ...options, signal: terminal.signal, onProgress: bar.update });
  } finally {
    bar.stop();
  }
}
