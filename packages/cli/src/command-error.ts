/** The command's exit codes, besides 0. */
export const exitCodes = { failed: 1, nothingSwapped: 2, interrupted: 130 } as const;

/** An end of the command that is told in one line and has an exit code of its own. */
export class CommandError extends Error {
  override readonly name = 'CommandError';

  constructor(
    message: string,
    readonly exitCode: number = exitCodes.failed,
  ) {
    super(message);
  }
}
