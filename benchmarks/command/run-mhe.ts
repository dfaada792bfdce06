import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What a run of the command printed and took. */
export interface MheRun {
  readonly stdout: string;
  readonly seconds: number;
  readonly usage: Usage;
}

/** What a process used. */
export interface Usage {
  /** Its largest resident memory. */
  readonly peakBytes: number;
  /** Of all threads; more than the time it took where several ran, less where the machine did other things. */
  readonly cpuSeconds: number;
}

const command = fileURLToPath(new URL('../../packages/cli/dist/bin.js', import.meta.url));
const usageReporter = new URL('./report-usage.mjs', import.meta.url).href;

/**
 * Runs the built `mhe` command as a process of its own, as a user does.
 *
 * @throws Error where it is not built, or fails; the message holds what it wrote to standard error.
 */
export async function runMhe(args: readonly string[]): Promise<MheRun> {
  if (!existsSync(command)) throw new Error(`${command} is missing: build the packages first (npm run build)`);
  const folder = await mkdtemp(join(tmpdir(), 'mhe-benchmark-'));
  const usageFile = join(folder, 'usage.json');
  try {
    const start = performance.now();
    const child = spawn(process.execPath, ['--import', usageReporter, command, ...args], {
      env: { ...process.env, MHE_USAGE_FILE: usageFile },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [stdout, stderr, code] = await Promise.all([
      textOf(child.stdout),
      textOf(child.stderr),
      new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve)),
    ]);
    const seconds = (performance.now() - start) / 1000;
    if (code !== 0) throw new Error(`mhe ${args.join(' ')} ended with ${code}: ${stderr.trim()}`);
    return { stdout, seconds, usage: JSON.parse(await readFile(usageFile, 'utf8')) as Usage };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}
