import { access, constants, readdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/**
 * Checks, before any long work, that the file `output` can be written: it is not the input, does not exist (unless
 * `force`), and its folder does.
 *
 * @throws Error naming the path and what to do.
 */
export async function checkOutputFile(input: string, output: string, force: boolean): Promise<void> {
  const existing = await statOrNull(output);
  if (existing && (await isSame(input, output))) {
    throw new Error(`the output ${output} is the input, which is never changed; name another file`);
  }
  if (existing?.isDirectory()) throw new Error(`the output ${output} is a folder; name a file`);
  if (existing && !force) throw new Error(`${output} exists; give --force to replace it`);
  await checkWritable(dirname(output), output);
}

/**
 * Checks, before any long work, that the folder `output` can be filled: it is not the input's, does not exist or is empty
 * (unless `force`), and the folder that it is in exists.
 *
 * @param input - the model's own file, or `null` where it came from none.
 * @throws Error naming the path and what to do.
 */
export async function checkOutputFolder(input: string | null, output: string, force: boolean): Promise<void> {
  const existing = await statOrNull(output);
  if (!existing) return checkWritable(dirname(resolve(output)), output);
  if (!existing.isDirectory())
    throw new Error(`the output ${output} is a file; name a folder, as the model is several files`);
  if (input !== null && (await isSame(dirname(input), output))) {
    throw new Error(`the output ${output} is the folder of the input, which is never changed; name another folder`);
  }
  const files = await readdir(output);
  if (files.length > 0 && !force) {
    const [held, effect] = files.includes('model.json')
      ? ['holds a model', 'replace it; other files stay']
      : ['is not empty', 'put the model beside what is there'];
    throw new Error(`${output} ${held}; give --force to ${effect}`);
  }
  await checkWritable(output, output);
}

async function checkWritable(folder: string, output: string): Promise<void> {
  await access(folder, constants.W_OK).catch((cause) => {
    if (cause.code === 'ENOENT') {
      throw new Error(`there is no folder ${folder} for the output ${output}; create it first`, { cause });
    }
    throw new Error(`cannot write to the folder ${folder} of the output ${output}: ${cause.code}`, { cause });
  });
}

/** Whether two paths lead to the same file or folder, through links too. */
async function isSame(path: string, other: string): Promise<boolean> {
  const [a, b] = [await statOrNull(path), await statOrNull(other)];
  return a !== null && b !== null && a.dev === b.dev && a.ino === b.ino;
}

function statOrNull(path: string) {
  return stat(path, { bigint: true }).catch(() => null);
}
