// `npm test [-- --unit]`: set-up and every check, on a machine with Node and npm alone.
import { requireNode } from './node-version.mjs';
import { install, pnpm } from './pnpm.mjs';

requireNode();
if (await install()) {
  process.exitCode = await pnpm(['exec', 'node', 'scripts/checks.mjs', ...process.argv.slice(2)]);
} else {
  console.log('0 passed, 1 failed, 0 skipped');
  process.exitCode = 1;
}
