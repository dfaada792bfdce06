import { run } from './command.mjs';

/**
 * Runs one command and says in one line how it went; its output is shown only if it failed, or as it comes with
 * `show`.
 *
 * @param {string} name
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ show?: boolean, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<boolean>} whether the command exited with 0.
 */
export async function step(name, command, args, { show = false, env = process.env } = {}) {
  const start = performance.now();
  process.stdout.write(show ? `${name}\n` : `${name} ... `);
  const { code, output } = await run(command, args, { show, env: show ? env : { ...env, NO_COLOR: '1' } });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const verdict = code === 0 ? `ok, ${seconds} s` : `failed with exit code ${code}, ${seconds} s`;
  console.log(show ? `${name}: ${verdict}` : verdict);
  if (code !== 0 && !show) console.log(`\n$ ${command} ${args.join(' ')}\n${output}`);
  return code === 0;
}
