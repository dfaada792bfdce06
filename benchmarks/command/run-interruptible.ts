/** Measures until Ctrl-C, which ends the work in order, with the exit code that a shell expects. */
export async function runInterruptible(measure: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const interruption = new AbortController();
  process.once('SIGINT', () => interruption.abort());
  await measure(interruption.signal).catch((error: unknown) => {
    if (!interruption.signal.aborted) throw error;
    console.error('interrupted');
    process.exitCode = 130;
  });
}
