#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8';
import { runProgram } from './program.js';

// Most of the memory here is tensors, which a small object each keeps alive: a young generation that is let grow keeps dead
// ones for long.
setFlagsFromString('--semi-space-growth-factor=1');

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
