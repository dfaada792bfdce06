import { manifest } from './manifest.mjs';

/** Stops with one line where Node is older than package.json's `engines.node`. */
export function requireNode() {
  const needed = manifest.engines.node.replace('>=', '');
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [neededMajor = 0, neededMinor = 0] = needed.split('.').map(Number);
  if (major > neededMajor || (major === neededMajor && minor >= neededMinor)) return;
  console.error(`Node ${needed} or later is needed, this is ${process.versions.node}: install a current Node.`);
  process.exit(1);
}
