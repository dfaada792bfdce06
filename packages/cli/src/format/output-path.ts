import { access, constants, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Checks, before any long work, that `output` can be written: it is not the input, does not exist (unless `force`),
 * and its folder does.
 *
 * @throws Error naming the path and what to do.
 */
export async function checkOutput(input: string, output: string, force: boolean): Promise<void> {
  const existing = await statOrNull(output);
  const original = await statOrNull(input);
  if (existing && original && existing.dev === original.dev && existing.ino === original.ino) {
    throw new Error(`the output ${output} is the input, which is never changed; name another file`);
  }
  if (existing?.isDirectory()) throw new Error(`the output ${output} is a folder; name a file`);
  if (existing && !force) throw new Error(`${output} exists; give --force to replace it`);
  await access(dirname(output), constants.W_OK).catch((cause) => {
    throw new Error(`cannot write to the folder ${dirname(output)} of the output: ${cause.code}`, { cause });
  });
}

function statOrNull(path: string) {
  return stat(path, { bigint: true }).catch(() => null);
}
