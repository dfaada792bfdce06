import type { SwapReport } from '@mhe/onnx';
import { runMhe } from '../command/run-mhe.js';
import type { Dial } from './dials.js';

/** Swaps a model with the command; returns its report. */
export async function swapDial(model: string, output: string, calibration: string, dial: Dial): Promise<SwapReport> {
  const { queryKey, value, embedding } = dial;
  const groups = ['--query-key-groups', String(queryKey), '--value-groups', String(value)];
  const rest = ['--embedding', embedding, '--calibration', calibration, '--json'];
  const { stdout } = await runMhe(['swap', model, '-o', output, ...groups, ...rest]);
  return JSON.parse(stdout) as SwapReport;
}
