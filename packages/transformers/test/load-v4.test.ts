import * as library from '@huggingface/transformers';
import type { LibraryUnderTest } from './library-under-test.js';
import { loadSuite } from './load-suite.js';

loadSuite(library as unknown as LibraryUnderTest, 4);
