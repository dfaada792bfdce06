import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('./convert.py', import.meta.url));

/**
 * Adds the q8 and the fp16 files to folders.
 *
 * @param python - an interpreter with what `requirements.txt` lists.
 * @param perTensor - one scale for all of a weight in q8, rather than one for each of its columns.
 * @throws Error with what the script said where it fails.
 */
export async function convert(
  python: string,
  folders: readonly string[],
  perTensor: boolean,
  signal: AbortSignal,
): Promise<void> {
  const child = spawn(python, [script, ...(perTensor ? ['--per-tensor'] : []), ...folders], {
    signal,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${python} ${script} ended with ${code}: ${said.trim()}`);
}
