import { install, pnpm, pnpmStep } from './pnpm.mjs';

/**
 * Sets up and starts an example, on a machine with Node and npm alone.
 *
 * @param {string} name - of its folder in `examples/`.
 * @param {readonly string[]} args
 * @returns {Promise<number>} its exit code.
 */
export async function runExample(name, args) {
  const example = `@mhe/example-${name}`;
  const build = ['exec', 'turbo', 'run', 'build', `--filter=${example}^...`, '--output-logs=errors-only'];
  const ready = (await install()) && (await pnpmStep('build', build));
  return ready ? pnpm(['--silent', '--filter', example, 'run', 'start', ...args]) : 1;
}
