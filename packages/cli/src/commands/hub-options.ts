import type { Dtype } from '@mhe/transformers';
import type { Command } from 'commander';
import type { OpenOptions } from '../format/format.js';
import { note, type Terminal } from '../terminal.js';

/** The options of where a model of transformers.js comes from, and of which of its files. */
export interface HubOptions {
  readonly files?: readonly string[];
  readonly dtype?: readonly Dtype[];
  readonly revision?: string;
  readonly cacheDir?: string;
}

/** Adds the options of models of transformers.js that every command on them has. */
export function addHubOptions(command: Command): Command {
  return command
    .option('--files <names>', 'transformers.js: which model files, such as text_model,vision_model', (names) =>
      names.split(',').map((name) => name.trim()),
    )
    .option('--revision <name>', 'models of the hub: branch, tag or commit (default: main)')
    .option('--cache-dir <path>', "models of the hub: where they are kept (default: transformers.js' own place)");
}

/** How a model is to be opened. */
export function openOptions({ files, dtype, revision, cacheDir }: HubOptions, terminal: Terminal): OpenOptions {
  return {
    signal: terminal.signal,
    onNote: (line) => note(terminal, line),
    ...(files && { files }),
    ...(dtype && { dtypes: dtype }),
    ...(revision !== undefined && { revision }),
    ...(cacheDir !== undefined && { cacheDir }),
  };
}
