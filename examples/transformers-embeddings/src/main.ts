import '@mhe/example-page/style.css';
import '@mhe/example-page/search.css';
import { byId, onSubmit } from '@mhe/example-page/element';
import { exampleQuery, exampleSentences } from '@mhe/example-page/example-sentences';
import { count, megabytes } from '@mhe/example-page/figures';
import { ModelPage } from '@mhe/example-page/model-page';
import type { ModelFacts } from '@mhe/example-page/model-pair';
import type { Ranking } from '@mhe/example-page/rank';
import { agreement, clearModel, showModel } from '@mhe/example-page/search-results';
import { linesOf } from '@mhe/example-page/swap-dials';
import type { LoadReport } from '@mhe/transformers';
import { wrap } from 'comlink';
import type { Embedders, Pooling } from './embedders.js';

const embedders = wrap<Embedders>(new Worker(new URL('./embedder-worker.ts', import.meta.url), { type: 'module' }));
const [query, texts] = [byId('query', HTMLInputElement), byId('texts', HTMLTextAreaElement)];

const page = new ModelPage({
  models: embedders,
  buttons: [byId('find', HTMLButtonElement)],
  swapWorker: () => new Worker(new URL('./swap-worker.ts', import.meta.url), { type: 'module' }),
  clear() {
    for (const name of ['original', 'swapped']) clearModel(byId(name, HTMLElement));
    byId('agreement', HTMLElement).textContent = '';
  },
  show: search,
  summary,
});
query.value = exampleQuery;
texts.value = exampleSentences.join('\n');
onSubmit('search', search);
byId('pooling', HTMLSelectElement).addEventListener('change', search);
await page.start();

async function search(): Promise<void> {
  await page.busy('Searching', async () => {
    const lines = linesOf(texts.value);
    const pooling = byId('pooling', HTMLSelectElement).value as Pooling;
    const { original, swapped } = await embedders.rank(query.value, lines, pooling);
    if (page.facts.original) show('original', page.facts.original, original, lines);
    if (page.facts.swapped && swapped) show('swapped', page.facts.swapped, swapped, lines);
    byId('agreement', HTMLElement).textContent = agreement({ original, swapped });
  });
  page.state.textContent = 'Ready';
}

function show(id: string, { bytes, loadMilliseconds }: ModelFacts, ranking: Ranking, lines: readonly string[]): void {
  const shown = {
    Size: megabytes(bytes),
    Load: `${loadMilliseconds.toFixed(0)} ms`,
    Time: `${ranking.milliseconds.toFixed(1)} ms a sentence`,
  };
  showModel(byId(id, HTMLElement), shown, ranking.scores, lines);
}

function summary({ files }: LoadReport): string {
  const reports = Object.values(files);
  const sum = (of: (report: (typeof reports)[number]) => number) =>
    reports.reduce((before, report) => before + of(report), 0);
  const saved = sum(({ parameters: { before, after } }) => before - after);
  return `${sum(({ swapped }) => swapped.length)} blocks swapped, ${count(saved)} parameters saved`;
}
