#!/usr/bin/env node
import { runProgram } from './program.js';

const interruption = new AbortController();
// Once: a second Ctrl-C ends the process at once, as it does by default.
process.once('SIGINT', () => interruption.abort());

// The reader of a pipe (`mhe inspect ... | head`) may leave before the end.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

process.exitCode = await runProgram(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  signal: interruption.signal,
});
