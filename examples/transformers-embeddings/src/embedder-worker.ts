import { expose } from 'comlink';
import { Embedders } from './embedders.js';

expose(new Embedders());
