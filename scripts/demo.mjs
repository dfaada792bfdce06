// `npm run demo [-- arguments]`: set-up, then examples/ocr-dial.
import { requireNode } from './node-version.mjs';
import { runExample } from './run-example.mjs';

requireNode();
process.exitCode = await runExample('ocr-dial', process.argv.slice(2));
