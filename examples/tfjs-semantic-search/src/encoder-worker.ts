import { expose } from 'comlink';
import { Encoders } from './encoders.js';

expose(new Encoders());
