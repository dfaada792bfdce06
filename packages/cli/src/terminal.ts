import picocolors from 'picocolors';

/** An output of the command: a terminal, a pipe or a file. */
export type Output = NodeJS.WritableStream & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  hasColors?(): boolean;
};

/** What the command talks to. Results go to `stdout`, everything else to `stderr`. */
export interface Terminal {
  readonly stdout: Output;
  readonly stderr: Output;
  /** Aborted when the user interrupts. */
  readonly signal: AbortSignal;
}

/** Functions that colour text, or leave it as it is. */
export type Colors = ReturnType<typeof picocolors.createColors>;

/** Colours for an output: only on a terminal, and not where `NO_COLOR` is set (Node's `hasColors` looks at it). */
export function colorsFor(output: Output): Colors {
  return picocolors.createColors(output.isTTY === true && output.hasColors?.() === true);
}

/** Prints a line of the result for people. */
export function print(terminal: Terminal, text: string): void {
  terminal.stdout.write(`${text}\n`);
}

/** Prints the result for machines: one line of JSON, alone on stdout. */
export function printJson(terminal: Terminal, value: unknown): void {
  terminal.stdout.write(`${JSON.stringify(value)}\n`);
}

/** Prints one line that is not part of the result. */
export function note(terminal: Terminal, text: string): void {
  terminal.stderr.write(`${colorsFor(terminal.stderr).yellow('note:')} ${text}\n`);
}
