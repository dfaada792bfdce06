import type { Command } from 'commander';
import { openModel } from '../format/open-model.js';
import { formatInspection } from '../print/inspection.js';
import { colorsFor, note, print, printJson, type Terminal } from '../terminal.js';
import { wholeNumber } from './option-values.js';

interface InspectCommandOptions {
  readonly heads?: number;
  readonly json?: boolean;
}

const examples = `
Examples:
  $ mhe inspect model.onnx
  $ mhe inspect model.onnx --heads 12
  $ mhe inspect encoder/model.json
  $ mhe inspect model.onnx --json | jq '.attention[].name'`;

/** Adds `mhe inspect`: shows where a model's attention is, and what is left alone and why. */
export function addInspectCommand(program: Command, terminal: Terminal): void {
  program
    .command('inspect')
    .summary('show where the attention of a model is')
    .description(
      'Shows the attention blocks of a model, and what looks like attention but is left alone, with the reason.',
    )
    .argument('<model>', 'model file (.onnx), or the model.json of TensorFlow.js or its folder')
    .option('--heads <n>', 'number of heads, where the graph takes it from an input', wholeNumber(1))
    .option('--json', 'print {"attention": [...], "skipped": [...]}')
    .addHelpText('after', examples)
    .action(async (path: string, { heads, json }: InspectCommandOptions) => {
      const model = await openModel(path, terminal.signal);
      const { attention, skipped, notices } = await model.inspect(heads === undefined ? {} : { numHeads: heads });
      for (const notice of notices) note(terminal, notice);
      if (json) printJson(terminal, { attention, skipped });
      else print(terminal, formatInspection(path, { attention, skipped }, colorsFor(terminal.stdout)));
    });
}
