import { join } from 'node:path';
import type { Command } from 'commander';
import type { InspectedPart } from '../format/format.js';
import { openModel } from '../format/open-model.js';
import { formatInspection } from '../print/inspection.js';
import { download } from '../print/progress.js';
import { colorsFor, note, print, printJson, type Terminal } from '../terminal.js';
import { addHubOptions, type HubOptions, openOptions } from './hub-options.js';
import { wholeNumber } from './option-values.js';

interface InspectCommandOptions extends HubOptions {
  readonly heads?: number;
  readonly json?: boolean;
}

const examples = `
Examples:
  $ mhe inspect model.onnx
  $ mhe inspect model.onnx --heads 12
  $ mhe inspect encoder/model.json
  $ mhe inspect models/all-MiniLM-L6-v2
  $ mhe inspect Xenova/all-MiniLM-L6-v2 --revision main
  $ mhe inspect model.onnx --json | jq '.attention[].name'`;

/** Adds `mhe inspect`: shows where a model's attention is, and what is left alone and why. */
export function addInspectCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('inspect')
    .summary('show where the attention of a model is')
    .description(
      'Shows the attention blocks of a model, and what looks like attention but is left alone, with the reason.',
    )
    .argument(
      '<model>',
      'model file (.onnx), model.json of TensorFlow.js, folder of a transformers.js or TensorFlow.js model, or id on the hub',
    );
  addHubOptions(command)
    .option('--heads <n>', 'number of heads, where the graph takes it from an input', wholeNumber(1))
    .option(
      '--json',
      'print {"attention": [...], "skipped": [...]}; for folders of transformers.js {"files": ...}, by file',
    )
    .addHelpText('after', examples)
    .action(async (path: string, { heads, json, ...options }: InspectCommandOptions) => {
      const model = await openModel(path, openOptions(options, terminal));
      await download(model, terminal);
      const parts = await model.inspect(heads === undefined ? {} : { numHeads: heads });
      for (const { file, inspection } of parts) {
        for (const notice of inspection.notices) note(terminal, file === null ? notice : `${file}: ${notice}`);
      }
      if (json) printJson(terminal, inspectionJson(parts));
      else print(terminal, parts.map((part) => formatPart(path, part, terminal)).join('\n\n'));
    });
}

function formatPart(path: string, { file, inspection, size }: InspectedPart, terminal: Terminal): string {
  return formatInspection(file === null ? path : join(path, file), inspection, colorsFor(terminal.stdout), size);
}

/** A model that is one graph is told as it is, one of several files by them. */
function inspectionJson(parts: readonly InspectedPart[]): object {
  const told = parts.map(
    ({ file, inspection: { attention, skipped }, size }) => [file, { attention, skipped, ...size }] as const,
  );
  const [[file, only] = [null, {}]] = told;
  return file === null ? only : { files: Object.fromEntries(told) };
}
