import { install, pnpm, pnpmStep } from './pnpm.mjs';

/**
 * Sets up and starts examples, one after the other, on a machine with Node and npm alone.
 *
 * @param {readonly string[]} names - of their folders in `examples/`.
 * @param {readonly string[]} [args] - for each of them.
 * @returns {Promise<number>} the exit code of the first that failed, or 0.
 */
export async function runExamples(names, args = []) {
  const examples = names.map((name) => `@mhe/example-${name}`);
  const filters = examples.map((example) => `--filter=${example}^...`);
  const build = ['exec', 'turbo', 'run', 'build', ...filters, '--output-logs=errors-only'];
  let code = (await install()) && (await pnpmStep('build', build)) ? 0 : 1;
  for (const example of examples) code ||= await pnpm(['--silent', '--filter', example, 'run', 'start', ...args]);
  return code;
}
