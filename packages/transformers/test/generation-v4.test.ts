import * as library from '@huggingface/transformers';
import { generationSuite } from './generation-suite.js';
import type { LibraryUnderTest } from './library-under-test.js';

generationSuite(library as unknown as LibraryUnderTest);
