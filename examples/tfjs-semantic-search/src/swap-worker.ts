import { expose, transfer } from 'comlink';
import { swapEncoder } from './swap-encoder.js';

expose(async (...args: Parameters<typeof swapEncoder>) => {
  const swapped = await swapEncoder(...args);
  return transfer(swapped, [swapped.artifacts.weightData].flat() as ArrayBuffer[]);
});
