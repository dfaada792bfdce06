import type { BeforeAfter, SwapReport } from '@mhe/onnx';

/** What a card tells. */
export interface CardContent {
  /** Name of the folder that the model came from, or its id on the hub. */
  readonly source: string;
  /** Where on the hub it came from; `null` where it came from a folder. */
  readonly hub: { readonly id: string; readonly revision: string } | null;
  /** The `README.md` of the original, empty where it has none. */
  readonly original: string;
  readonly reports: Readonly<Record<string, SwapReport>>;
  /** Files of the original that are not here, and why. */
  readonly notices: readonly string[];
}

/** The `README.md` of a swapped folder: the original's head and text, and what was done to it. */
export function modelCard({ source, hub, original, reports, notices }: CardContent): string {
  const { head, body } = split(original, hub === null ? [] : [`base_model: ${hub.id}`]);
  const parts = [
    head,
    `# ${source}, with multi-head-embedding attention`,
    `The multi-head attention of \`${source}\` was swapped for multi-head-embedding attention (MHE, Xue & Aletras 2023) by ` +
      '`@mhe/transformers`, fitted in closed form without training. It loads like the original:',
    "```js\nimport { AutoModel } from '@huggingface/transformers';\n\nconst model = await AutoModel.from_pretrained('./path/to/this/folder', { dtype: 'fp32' });\n// @xenova/transformers 2: { quantized: false }\n```",
    ...Object.entries(reports).map(([file, report]) => fileSection(file, report)),
    'No quality was measured on a task. Before use, score both models on held-out data of yours. `mhe.json` has the whole report.',
    ...(notices.length > 0 ? [notices.map((notice) => `- ${notice}`).join('\n')] : []),
    ...(body === '' ? [] : [`## The card of the original\n\n${body}`]),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

/**
 * The settings in front of a card, which a hub reads, and the rest.
 *
 * @param settings - lines to add where the card has none.
 */
function split(card: string, settings: readonly string[]): { head: string; body: string } {
  const head = /^---\r?\n[\s\S]*?\r?\n---(?=\r?\n|$)/.exec(card)?.[0];
  if (head === undefined) {
    return { head: ['---', 'library_name: transformers.js', ...settings, '---'].join('\n'), body: card.trim() };
  }
  return { head, body: card.slice(head.length).trim() };
}

/** Only fp32 files are swapped. */
function float32Bytes({ before, after }: BeforeAfter): BeforeAfter {
  const size = Float32Array.BYTES_PER_ELEMENT;
  return { before: before * size, after: after * size };
}

function fileSection(file: string, report: SwapReport): string {
  const { swapped, skipped, calibration, parameters, bytes, cachePerToken, outputs } = report;
  const rows = [
    ['parameters', parameters],
    ['bytes of weights', bytes],
    ...(cachePerToken.before > 0 ? ([['bytes of cache for every token', float32Bytes(cachePerToken)]] as const) : []),
  ] as const;
  const made = calibration.kind === 'given' ? 'calibration inputs' : 'MADE-UP inputs, which keep far less quality';
  const groups = [
    ...new Set(swapped.map(({ groups }) => `${groups.queryKey} for queries and keys, ${groups.value} for values`)),
  ];
  const left = skipped.length > 0 ? `; ${skipped.length} left alone` : '';
  return [
    `## ${file}`,
    `${swapped.length} attention blocks swapped${left}. Shared projections: ${groups.join('; ')}. Fitted on ${calibration.sequences} ${made}.`,
    [
      '| | before | after |',
      '|---|---|---|',
      ...rows.map(([name, { before, after }]) => `| ${name} | ${before} | ${after} |`),
    ].join('\n'),
    [
      '| output | relative difference | mean cosine |',
      '|---|---|---|',
      ...outputs.map(({ name, relative, cosine }) => `| ${name} | ${relative.toPrecision(3)} | ${cosine.toFixed(4)} |`),
    ].join('\n'),
  ].join('\n\n');
}
