import { type DataType, parameterDifferences } from '@mhe/core';
import { type Command, Option } from 'commander';
import { costsToJson } from '../count/costs-to-json.js';
import { type CostOptions, countCosts } from '../count/kind-costs.js';
import { formatCosts } from '../print/costs.js';
import { colorsFor, print, printJson, type Terminal } from '../terminal.js';
import { addGroupOptions, type GroupOptions, groupsFrom } from './group-options.js';
import { wholeNumber } from './option-values.js';

interface CountCommandOptions extends GroupOptions {
  readonly modelDim: number;
  readonly heads: number;
  readonly layers: number;
  readonly headDim?: number;
  readonly kvHeads?: number;
  readonly bias: boolean;
  readonly output: boolean;
  readonly sequenceLength?: number;
  readonly dtype: DataType;
  readonly json?: boolean;
}

const dataTypes: readonly DataType[] = ['float64', 'float32', 'float16', 'bfloat16', 'int8', 'uint8', 'int4'];

const examples = `
Examples:
  $ mhe count --model-dim 768 --heads 12 --layers 12 --no-bias
  $ mhe count --model-dim 768 --heads 12 --layers 12 --query-key-groups 1 --value-groups 4
  $ mhe count --model-dim 4096 --heads 32 --kv-heads 8 --dtype float16 --sequence-length 2048
  $ mhe count --model-dim 768 --heads 12 --no-bias --no-output --json | jq '.kinds[] | {kind, parameters}'`;

/** Adds `mhe count`: what each kind of attention costs at the sizes given. */
export function addCountCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('count')
    .summary('count the parameters of each kind of attention')
    .description(
      'Counts parameters, bytes, cache and operations of multi-head (mha), single-head (sha), multi-query (mqa), ' +
        'grouped-query (gqa) and multi-head-embedding attention (mhe-add, mhe-mul) at the same sizes.',
    )
    .requiredOption('--model-dim <n>', 'width of the model', wholeNumber(1))
    .requiredOption('--heads <n>', 'number of heads', wholeNumber(1))
    .option('--layers <n>', 'number of layers', wholeNumber(1), 1)
    .option('--head-dim <n>', 'size of a head (default: model width / heads)', wholeNumber(1))
    .option('--kv-heads <n>', 'key and value heads of gqa (default: a quarter of the heads)', wholeNumber(1));
  addGroupOptions(command)
    .option('--no-bias', 'projections without biases')
    .option('--no-output', 'leave out the output projection')
    .option('--sequence-length <n>', 'tokens, for multiply-adds and the memory of the scores', wholeNumber(1))
    .addOption(new Option('--dtype <type>', 'number format').choices(dataTypes).default('float32'))
    .option('--json', 'print {"kinds": [{"kind": "mha", "parameters": 123, ...}, ...], ...}')
    .addHelpText('after', examples)
    .action((options: CountCommandOptions) => {
      const costOptions = toCostOptions(options);
      const costs = countCosts(costOptions);
      const differences = parameterDifferences(costOptions);
      if (options.json) printJson(terminal, costsToJson(costs, differences));
      else print(terminal, formatCosts(costOptions, costs, differences, colorsFor(terminal.stdout)));
    });
}

function toCostOptions(options: CountCommandOptions): CostOptions {
  const { headDim, kvHeads, sequenceLength } = options;
  return {
    modelDim: options.modelDim,
    numHeads: options.heads,
    numLayers: options.layers,
    bias: options.bias,
    output: options.output,
    groups: groupsFrom(options),
    type: options.dtype,
    ...(headDim !== undefined && { headDim }),
    ...(kvHeads !== undefined && { numKeyValueHeads: kvHeads }),
    ...(sequenceLength !== undefined && { sequenceLength }),
  };
}
