import { expose } from 'comlink';
import { Trainer } from './trainer.js';

expose(new Trainer());
