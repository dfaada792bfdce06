import { describe } from 'vitest';
import { nodeBackends } from './backends.js';
import { testPort } from './port-suite.js';

describe.each(nodeBackends)('the port on %s', testPort);
