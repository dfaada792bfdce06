// `npm run demo`: set-up, then the examples that print what swaps do.
import { requireNode } from './node-version.mjs';
import { runExamples } from './run-examples.mjs';

requireNode();
process.exitCode = await runExamples(['ocr-dial', 'tfjs-encoder']);
