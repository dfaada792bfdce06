import { expose } from 'comlink';
import { swapModel } from './swap-model.js';

expose(swapModel);
