// Writes src/float64/panel-kernel-module.ts from panel-kernel.wat: `pnpm --filter @mhe/core assemble`.
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import createWabt from 'wabt';

const source = new URL('../src/float64/panel-kernel.wat', import.meta.url);
const output = new URL('../src/float64/panel-kernel-module.ts', import.meta.url);

/** The module in base64. */
export async function assemblePanelKernel() {
  const { parseWat } = await createWabt();
  const parsed = parseWat('panel-kernel.wat', await readFile(source, 'utf8'), { simd: true });
  try {
    return Buffer.from(parsed.toBinary({}).buffer).toString('base64');
  } finally {
    parsed.destroy();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const base64 = await assemblePanelKernel();
  const lines = Array.from(base64.matchAll(/.{1,110}/g), ([line]) => `  '${line}'`);
  await writeFile(
    output,
    `/** \`panel-kernel.wat\`, assembled by \`scripts/assemble-panel-kernel.mjs\`, in base64. */\nexport const PANEL_KERNEL_MODULE =\n${lines.join(' +\n')};\n`,
  );
}
