// Every check of the repository where everything is installed; `npm test` comes here through test.mjs.
// With --unit only the build and the unit tests.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findChromium } from './find-chromium.mjs';
import { step } from './step.mjs';
import { testCounts } from './test-counts.mjs';

const reports = mkdtempSync(join(tmpdir(), 'mhe-test-'));
const total = { passed: 0, failed: 0, skipped: 0 };

/**
 * A check that is no test: it counts only if it fails.
 *
 * @param {string} name
 * @param {string} command
 * @param {readonly string[]} [args]
 */
async function check(name, command, args = []) {
  const passed = await step(name, command, args);
  if (!passed) total.failed += 1;
  return passed;
}

/**
 * @param {string} name
 * @param {string} config
 */
async function tests(name, config) {
  const report = join(reports, `${config}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const passed = await step(name, 'vitest', ['run', `--config=${config}`, ...reporters], { show: true });
  const counts = testCounts(report);
  total.passed += counts.passed;
  // Errors outside every test leave no failed test behind, only an exit code.
  total.failed += passed ? counts.failed : Math.max(counts.failed, 1);
  total.skipped += counts.skipped;
}

/** @param {boolean} built */
async function staticChecks(built) {
  await check('lint and format (biome)', 'biome', ['ci', '--colors=off', '--error-on-warnings', '.']);
  await check('types (tsc)', 'tsc', ['-p', 'tsconfig.json']);
  await check('unused code and dependencies (knip)', 'knip');
  if (built) {
    await check('packages (publint, attw)', 'turbo', ['run', 'check:package', '--output-logs=errors-only']);
    await check('bundle size (size-limit)', 'size-limit');
  } else {
    console.log('packages, bundle size: not run, because the build failed');
  }
}

async function browserTests() {
  const chromium = findChromium();
  if (chromium.path === null) {
    console.log(`browser tests: not run, ${chromium.missing}`);
    return;
  }
  await tests(`browser tests in ${chromium.path}`, 'vitest.browser.config.ts');
  await tests(`examples in ${chromium.path}`, 'vitest.examples.config.ts');
}

const unitOnly = process.argv.includes('--unit');
const built = await check('build', 'turbo', ['run', 'build', '--output-logs=errors-only']);
if (!unitOnly) await staticChecks(built);
await tests('unit tests', 'vitest.config.ts');
if (!unitOnly) await browserTests();

rmSync(reports, { recursive: true, force: true });
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed > 0 ? 1 : 0;
