import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The folder of the repository. */
export const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * The root's package.json.
 *
 * @type {{ packageManager: string, engines: { node: string } }}
 */
export const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
