// Loads a model with mhe, by the built package, and kills itself at a stage of the swap. See interrupted-load.test.ts.
import process from 'node:process';
import * as library from '@huggingface/transformers';
import { withMhe } from '@mhe/transformers';

const [cacheDir, localModelPath, end, mhe = '{}'] = process.argv.slice(2);
Object.assign(library.env, { cacheDir, localModelPath, allowRemoteModels: false });
const onProgress = (/** @type {{ stage: string }} */ { stage }) => {
  if (stage === end) process.kill(process.pid, 'SIGKILL');
};
await withMhe(library).pipeline('feature-extraction', 'bert', { mhe: { ...JSON.parse(mhe), onProgress } });
