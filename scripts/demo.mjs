// `npm run demo`: set-up, then the examples that print what swaps do, on a machine with Node and npm alone.
import { requireNode } from './node-version.mjs';
import { install, pnpm, pnpmStep } from './pnpm.mjs';

const examples = ['@mhe/example-ocr-dial', '@mhe/example-tfjs-encoder'];
const filters = examples.map((example) => `--filter=${example}^...`);
const build = ['exec', 'turbo', 'run', 'build', ...filters, '--output-logs=errors-only'];

requireNode();
let ready = (await install()) && (await pnpmStep('build', build));
for (const example of examples) ready &&= (await pnpm(['--silent', '--filter', example, 'run', 'start'])) === 0;
process.exitCode = ready ? 0 : 1;
