import { type AttentionSite, countKinds, type Inspection } from '@mhe/core';
import { count, percent } from '@mhe/example-terminal/figures';
import { printTable } from '@mhe/example-terminal/table';

/** What `inspect` found, and what it left alone. */
export function printSites({ attention, skipped }: Inspection): void {
  printTable(
    'Attention found',
    ['softmax node', 'kind', 'heads', 'head size', 'width', 'scale', 'mask', 'nodes', 'parameters'],
    attention.map((site) => [
      site.name,
      site.kind,
      String(site.numHeads),
      String(site.headDim),
      String(site.dims.query),
      site.scale.toFixed(4),
      site.mask.join(', ') || 'none',
      String(new Set(Object.values(site.nodes).flat()).size),
      count(site.parameters.total),
    ]),
  );
  for (const { name, reason } of skipped) console.log(`Left alone: ${name}: ${reason}`);
}

/** What every kind of attention costs at the size of these blocks. */
export function printKinds(sites: readonly AttentionSite[]): void {
  const [site] = sites;
  if (!site) return;
  const { numHeads, headDim, dims } = site;
  const kinds = countKinds({ numHeads, headDim, modelDim: dims.query, numLayers: sites.length });
  const whole = kinds.find(({ kind }) => kind === 'mha')?.parameters.total;
  printTable(
    `Parameters of ${sites.length} blocks of width ${dims.query} with ${numHeads} heads of ${headDim}, by kind of attention`,
    ['kind', 'q/k/v projections', 'biases', 'head embeddings', 'output', 'total', 'of mha'],
    kinds.map(({ kind, parameters: { projections, biases, embeddings, output, total } }) => [
      kind,
      ...[projections, biases, embeddings, output, total].map(count),
      percent(Number(total) / Number(whole), 1),
    ]),
  );
}
