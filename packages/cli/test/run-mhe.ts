import { Writable } from 'node:stream';
import { runProgram } from '../src/program.js';
import type { Output } from '../src/terminal.js';

/** What a run of the command left. */
export interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command as the shell would, with pipes for its outputs or, where asked, a terminal. */
export async function runMhe(
  args: readonly string[],
  { isTTY = false, signal = new AbortController().signal }: { isTTY?: boolean; signal?: AbortSignal } = {},
): Promise<Run> {
  const stdout = capture(isTTY);
  const stderr = capture(isTTY);
  const code = await runProgram(args, { stdout: stdout.output, stderr: stderr.output, signal });
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}

function capture(isTTY: boolean): { output: Output; text(): string } {
  const chunks: string[] = [];
  const stream = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      chunks.push(String(chunk));
      done();
    },
  });
  const terminal = isTTY ? { isTTY, columns: 120, hasColors: () => true } : {};
  return { output: Object.assign(stream, terminal), text: () => chunks.join('') };
}
