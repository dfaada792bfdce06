// The port and the layers on the backends of a browser.
import { describe } from 'vitest';
import { browserBackends } from './backends.js';
import { testFit } from './fit-suite.js';
import { testLayers } from './layers-suite.js';
import { testPort } from './port-suite.js';

describe.each(browserBackends)('%s', (backend) => {
  describe('the port', () => testPort(backend));
  describe('the layers', () => testLayers(backend));
  describe('fit', () => testFit(backend));
});
