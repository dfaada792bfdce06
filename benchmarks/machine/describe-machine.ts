import { createRequire } from 'node:module';
import { cpus, loadavg, totalmem } from 'node:os';

/** What figures depend on, as one line to print with them. */
export function describeMachine(): string {
  const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string };
  const processors = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  const load = loadavg()[0]?.toFixed(1);
  return `${processors[0]?.model.trim()}, ${processors.length} cores, ${memory}; Node ${process.versions.node}, ONNX Runtime ${version}; load at the start ${load}`;
}
