import { expose } from 'comlink';
import { swapEmbedder } from './swap-embedder.js';

expose(swapEmbedder);
