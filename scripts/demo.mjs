// `npm run demo [-- arguments]`: set-up, then examples/ocr-dial, on a machine with Node and npm alone.
import { requireNode } from './node-version.mjs';
import { install, pnpm } from './pnpm.mjs';

const example = '@mhe/example-ocr-dial';

/** @returns {Promise<number>} */
async function demo() {
  if (!(await install())) return 1;
  const built = await pnpm(['exec', 'turbo', 'run', 'build', `--filter=${example}^...`, '--output-logs=errors-only']);
  if (built !== 0) return built;
  return pnpm(['--silent', '--filter', example, 'run', 'start', ...process.argv.slice(2)]);
}

requireNode();
process.exitCode = await demo();
