import { writeFile } from 'node:fs/promises';

/** Writes results to the file of `--json`, where one is given. */
export async function saveJson(path: string | undefined, results: unknown): Promise<void> {
  if (path === undefined) return;
  await writeFile(path, `${JSON.stringify(results, null, 2)}\n`);
  console.log(`\nwritten to ${path}`);
}
