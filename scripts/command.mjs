import { spawn } from 'node:child_process';
import { root } from './manifest.mjs';

// npx and the tools in node_modules/.bin are .cmd files on Windows, which only a shell can start.
const onWindows = process.platform === 'win32';

/** @param {string} argument */
const quote = (argument) => (/^[\w@./:=\\-]+$/.test(argument) ? argument : `"${argument.replaceAll('"', '""')}"`);

/**
 * Runs a command in the repository's folder.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ show?: boolean, env?: NodeJS.ProcessEnv }} [options] - `show`: straight to the terminal; otherwise the
 *   output is kept and returned.
 * @returns {Promise<{ code: number, output: string }>}
 */
export function run(command, args, { show = false, env = process.env } = {}) {
  const options = { cwd: root, env, stdio: show ? /** @type {const} */ ('inherit') : /** @type {const} */ ('pipe') };
  const child = onWindows
    ? spawn([command, ...args].map(quote).join(' '), { ...options, shell: true })
    : spawn(command, args, options);
  /** @type {Buffer[]} */
  const chunks = [];
  child.stdin?.end();
  child.stdout?.on('data', (chunk) => chunks.push(chunk));
  child.stderr?.on('data', (chunk) => chunks.push(chunk));
  return new Promise((resolve) => {
    child.on('error', (error) => resolve({ code: 127, output: `${command}: ${error.message}\n` }));
    child.on('close', (code) => resolve({ code: code ?? 1, output: Buffer.concat(chunks).toString() }));
  });
}
