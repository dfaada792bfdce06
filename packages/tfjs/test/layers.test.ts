import { describe } from 'vitest';
import { nodeBackends } from './backends.js';
import { testLayers } from './layers-suite.js';

describe.each(nodeBackends)('the layers on %s', testLayers);
