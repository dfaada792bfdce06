import { Writable } from 'node:stream';
import { runProgram } from '../src/program.js';
import type { Output } from '../src/terminal.js';

/** What a run of the command left. */
export interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How the command is run: with pipes for its outputs or, where asked, a terminal. */
export interface RunOptions {
  readonly isTTY?: boolean;
  /** The user interrupts when this is on stderr. */
  readonly interruptAt?: string;
}

/** Runs the command as the shell would. */
export async function runMhe(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  const { isTTY = false, interruptAt } = options;
  const interruption = new AbortController();
  const stdout = capture(isTTY);
  const stderr = capture(isTTY, (text) => {
    if (interruptAt !== undefined && text.includes(interruptAt)) interruption.abort();
  });
  const code = await runProgram(args, { stdout: stdout.output, stderr: stderr.output, signal: interruption.signal });
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}

function capture(isTTY: boolean, onWrite: (text: string) => void = () => {}): { output: Output; text(): string } {
  const chunks: string[] = [];
  const stream = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      chunks.push(String(chunk));
      onWrite(String(chunk));
      done();
    },
  });
  const terminal = isTTY ? { isTTY, columns: 120, hasColors: () => true } : {};
  return { output: Object.assign(stream, terminal), text: () => chunks.join('') };
}
