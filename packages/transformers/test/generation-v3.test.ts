import * as library from 'transformers-v3';
import { generationSuite } from './generation-suite.js';
import type { LibraryUnderTest } from './library-under-test.js';

generationSuite(library as unknown as LibraryUnderTest);
