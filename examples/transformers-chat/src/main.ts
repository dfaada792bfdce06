import '@mhe/example-page/style.css';
import './chat.css';
import { byId, onSubmit } from '@mhe/example-page/element';
import { count } from '@mhe/example-page/figures';
import { ModelPage } from '@mhe/example-page/model-page';
import type { ModelName } from '@mhe/example-page/model-pair';
import type { LoadReport } from '@mhe/transformers';
import { proxy, wrap } from 'comlink';
import type { Chats } from './chats.js';
import { agreement, Conversation } from './conversation.js';

const chats = wrap<Chats>(new Worker(new URL('./chat-worker.ts', import.meta.url), { type: 'module' }));
const [send, forget] = [byId('send', HTMLButtonElement), byId('forget', HTMLButtonElement)];
const stop = byId('stop', HTMLButtonElement);
const agreed = byId('agreement', HTMLElement);
const message = byId('message', HTMLTextAreaElement);
const columns: Readonly<Record<ModelName, Conversation>> = {
  original: new Conversation(byId('original', HTMLElement)),
  swapped: new Conversation(byId('swapped', HTMLElement)),
};
const names = ['original', 'swapped'] as const;

const page = new ModelPage({
  models: chats,
  buttons: [send, forget],
  swapWorker: () => new Worker(new URL('./swap-worker.ts', import.meta.url), { type: 'module' }),
  clear() {
    agreed.textContent = '';
    for (const name of names) columns[name].clear();
  },
  show: startAnew,
  summary,
});
onSubmit('chat', answer);
forget.addEventListener('click', async () => {
  await chats.forget();
  startAnew();
  page.state.textContent = 'Ready: nothing said yet';
});
stop.addEventListener('click', () => {
  stop.disabled = true;
  page.state.textContent = 'Stopping';
  chats.stop();
});
await page.start();

/** Shows the models as they are before anything is said. */
function startAnew(): void {
  agreed.textContent = '';
  for (const name of names) {
    columns[name].forget();
    const known = page.facts[name];
    if (known) columns[name].show(known);
  }
}

async function answer(): Promise<void> {
  let stopped = false;
  await page.busy('Answering', async () => {
    const asked = message.value;
    for (const name of names) if (page.facts[name]) columns[name].ask(asked);
    const options = {
      maxNewTokens: Number(byId('new-tokens', HTMLSelectElement).value),
      sample: byId('sample', HTMLSelectElement).value === 'yes',
    };
    stop.disabled = false;
    const answering = chats.answer(
      asked,
      options,
      proxy((name, text) => columns[name].write(text)),
    );
    const answers = await answering.finally(() => {
      stop.disabled = true;
    });
    stopped = answers.stopped;
    for (const name of names) {
      const known = page.facts[name];
      if (known) columns[name].show(known, answers[name]);
    }
    agreed.textContent = answers.original && answers.swapped ? agreement(answers.original, answers.swapped) : '';
  });
  page.state.textContent = stopped ? 'Stopped' : 'Ready';
}

function summary({ files }: LoadReport): string {
  const reports = Object.values(files);
  const blocks = reports.reduce((sum, { swapped }) => sum + swapped.length, 0);
  const kept = (when: 'before' | 'after') => reports.reduce((sum, report) => sum + report.cachePerToken[when], 0);
  const bytes = (when: 'before' | 'after') => count(kept(when) * Float32Array.BYTES_PER_ELEMENT);
  const cache = `a token's cache ${bytes('before')} -> ${bytes('after')} bytes`;
  return `${blocks} blocks swapped, ${cache}`;
}
