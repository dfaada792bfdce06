import { expose } from 'comlink';
import { Chats } from './chats.js';

expose(new Chats());
