// `npm run example NAME [-- arguments]`: set-up, then the example in that folder of examples/.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './manifest.mjs';
import { requireNode } from './node-version.mjs';
import { runExamples } from './run-examples.mjs';

const folder = join(root, 'examples');
const names = readdirSync(folder).filter((name) => {
  const manifest = join(folder, name, 'package.json');
  return existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).scripts?.start;
});

requireNode();
const [name, ...args] = process.argv.slice(2);
if (name && names.includes(name)) {
  process.exitCode = await runExamples([name], args);
} else {
  const problem = name ? `There is no example ${name}.` : 'Which example?';
  console.error(`${problem} npm run example ${names.join(' | ')}`);
  process.exitCode = 1;
}
