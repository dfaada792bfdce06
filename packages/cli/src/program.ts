import { Command, CommanderError } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { CommandError, exitCodes } from './command-error.js';
import { addCountCommand } from './commands/count.js';
import { addInspectCommand } from './commands/inspect.js';
import { addSwapCommand } from './commands/swap.js';
import { colorsFor, type Terminal } from './terminal.js';

/**
 * Runs the `mhe` command.
 *
 * @param args - what follows `mhe` on the command line.
 * @returns the exit code: 0; 1 after an error, told in one line on stderr; 2 where a swap matched nothing; 130 after
 *   an interruption.
 */
export async function runProgram(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    await buildProgram(terminal).parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    // Commander has printed its own message, help or version.
    if (error instanceof CommanderError) return error.exitCode;
    if (terminal.signal.aborted) {
      printError(terminal, 'interrupted; nothing was written');
      return exitCodes.interrupted;
    }
    printError(
      terminal,
      process.env.MHE_DEBUG ? stackOf(error) : oneLine(error instanceof Error ? error.message : String(error)),
    );
    return error instanceof CommandError ? error.exitCode : exitCodes.failed;
  }
}

function buildProgram(terminal: Terminal): Command {
  const program = new Command('mhe')
    .description(
      'Counts, finds and swaps attention: multi-head-embedding attention (MHE) in place of multi-head attention.',
    )
    .version(manifest.version, '--version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .addHelpText('after', "\n`mhe <command> --help` shows a command's options and examples.")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.stdout.write(text),
      writeErr: (text) => terminal.stderr.write(text),
      getOutHelpWidth: () => terminal.stdout.columns ?? 100,
      getErrHelpWidth: () => terminal.stderr.columns ?? 100,
      outputError: (message) => printError(terminal, oneLine(message.replace(/^error: /, ''))),
    });
  addCountCommand(program, terminal);
  addInspectCommand(program, terminal);
  addSwapCommand(program, terminal);
  return program;
}

function printError(terminal: Terminal, message: string): void {
  terminal.stderr.write(`${colorsFor(terminal.stderr).red('mhe:')} ${message}\n`);
}

function oneLine(message: string): string {
  return message.trim().replace(/\s*\n\s*/g, ' ');
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
