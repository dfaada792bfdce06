// `npm run demo [-- arguments]`: set-up, then examples/ocr-dial, on a machine with Node and npm alone.
import { requireNode } from './node-version.mjs';
import { install, pnpm, pnpmStep } from './pnpm.mjs';

const example = '@mhe/example-ocr-dial';
const build = ['exec', 'turbo', 'run', 'build', `--filter=${example}^...`, '--output-logs=errors-only'];

requireNode();
const ready = (await install()) && (await pnpmStep('build', build));
process.exitCode = ready ? await pnpm(['--silent', '--filter', example, 'run', 'start', ...process.argv.slice(2)]) : 1;
