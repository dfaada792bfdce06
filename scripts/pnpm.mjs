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
 * Installs what the lockfile says.
 *
 * @returns {Promise<boolean>} whether that worked.
 */
export function install() {
  const [command, args] = throughNpx(['install', '--frozen-lockfile', '--config.confirm-modules-purge=false']);
  return step(`install with ${manifest.packageManager}`, command, args, { env: cleanEnvironment() });
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
