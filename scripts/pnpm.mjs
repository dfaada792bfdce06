import { cleanEnvironment } from './clean-environment.mjs';
import { run } from './command.mjs';
import { manifest } from './manifest.mjs';
import { step } from './step.mjs';

/**
 * pnpm through npx, in the version that package.json names: nothing has to be installed beforehand, and what pnpm
 * starts finds the same pnpm on its PATH.
 *
 * @param {readonly string[]} args
 * @returns {[command: string, args: string[]]}
 */
const throughNpx = (args) => ['npx', ['--yes', manifest.packageManager, ...args]];

/**
 * Runs pnpm as a step: one line, and its output only if it fails.
 *
 * @param {string} name
 * @param {readonly string[]} args
 * @returns {Promise<boolean>} whether it worked.
 */
export function pnpmStep(name, args) {
  return step(name, ...throughNpx(args), { env: cleanEnvironment() });
}

/**
 * Installs what the lockfile says.
 *
 * @returns {Promise<boolean>} whether that worked.
 */
export function install() {
  // pnpm would ask before it replaces a node_modules that it did not make, and nobody would see the question.
  const args = ['install', '--frozen-lockfile', '--config.confirm-modules-purge=false'];
  return pnpmStep(`install with ${manifest.packageManager}`, args);
}

/**
 * Runs pnpm on this terminal.
 *
 * @param {readonly string[]} args
 * @returns {Promise<number>} its exit code.
 */
export async function pnpm(args) {
  const { code } = await run(...throughNpx(args), { show: true, env: cleanEnvironment() });
  return code;
}
