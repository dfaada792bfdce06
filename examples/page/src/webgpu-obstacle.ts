/** Why WebGPU cannot be used here; `null` where it can. */
export async function webgpuObstacle(): Promise<string | null> {
  const gpu = (navigator as { gpu?: { requestAdapter(): Promise<unknown> } }).gpu;
  if (!gpu) return isSecureContext ? 'this browser has no WebGPU' : 'WebGPU needs a secure page (https or localhost)';
  const adapter = await gpu.requestAdapter().catch(() => null);
  return adapter ? null : 'this browser has WebGPU, but no graphics adapter for it';
}
