import { describe } from 'vitest';
import { nodeBackends } from './backends.js';
import { testFit } from './fit-suite.js';

describe.each(nodeBackends)('fit on %s', (backend) => testFit(backend));
