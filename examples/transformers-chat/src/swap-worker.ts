import { expose } from 'comlink';
import { swapChat } from './swap-chat.js';

expose(swapChat);
