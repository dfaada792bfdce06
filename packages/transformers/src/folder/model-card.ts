import type { SwapReport } from '@mhe/onnx';
import { splitPath } from '../split-path.js';
import { CONVERTER, conversionCommand } from './conversion.js';
import { type FileKind, fileKind, fileName } from './dtype.js';
import type { Usage } from './usage.js';

/** What a card tells. */
export interface CardContent {
  /** Name of the folder that the model came from, or its id on the hub. */
  readonly source: string;
  /** Where on the hub it came from; `null` where it came from a folder. */
  readonly hub: { readonly id: string; readonly revision: string } | null;
  /** The `README.md` of the original, empty where it has none. */
  readonly original: string;
  readonly reports: Readonly<Record<string, SwapReport>>;
  readonly usage: Usage;
  /** Files of the original that are not here, and why. */
  readonly notices: readonly string[];
  /** Of these, model files that can be made out of what is here, with the operators of that. */
  readonly leftOut: readonly (FileKind & { readonly operators: ReadonlySet<string> })[];
}

/** The `README.md` of a swapped folder: the original's head and text, and what was done to it. */
export function modelCard({ source, hub, original, reports, usage, notices, leftOut }: CardContent): string {
  const { head, body } = split(original, hub === null ? [] : [`base_model: ${hub.id}`]);
  const parts = [
    head,
    `# ${source}, with multi-head-embedding attention`,
    `The multi-head attention of \`${source}\` was swapped for multi-head-embedding attention (MHE, Xue & Aletras 2023) by ` +
      '`@mhe/transformers`, fitted in closed form without training. It loads like the original:',
    example(usage, dtypeOf(reports)),
    ...Object.entries(reports).map(([file, report]) => fileSection(file, report)),
    'No quality was measured on a task. Before use, score both models on held-out data of yours. `mhe.json` has the whole report.',
    ...(notices.length > 0 ? [notices.map((notice) => `- ${notice}`).join('\n')] : []),
    ...conversions(leftOut),
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

/** How the model is loaded, by its pipeline or its class. */
function example({ autoModel, task, fileName }: Usage, dtype: string): string {
  const file = fileName === null ? '' : `, model_file_name: '${fileName}'`;
  const [folder, options] = ["'./path/to/this/folder'", `{ dtype: '${dtype}'${file} }`];
  const load = `${autoModel}.from_pretrained(${folder}, ${options})`;
  // Version 2 looks for the merged file of a decoder.
  const named = autoModel === 'AutoModelForCausalLM' && fileName === null ? ", model_file_name: 'model'" : file;
  return [
    '```js',
    `import { ${task === null ? autoModel : 'pipeline'} } from '@huggingface/transformers';`,
    '',
    ...(task === null
      ? [`const model = await ${load};`]
      : [`const run = await pipeline('${task}', ${folder}, ${options});`, `// Or the model alone: ${load}`]),
    `// @xenova/transformers 2: { quantized: false${named} }`,
    '```',
  ].join('\n');
}

/** The dtype that the files have; fp32 where there is one. */
function dtypeOf(reports: CardContent['reports']): string {
  const dtypes = Object.keys(reports).map((file) => fileKind(splitPath(file).name).dtype);
  return dtypes.includes('fp32') ? 'fp32' : (dtypes[0] ?? 'fp32');
}

/** How to make the other dtypes of a model again. */
function conversions(leftOut: CardContent['leftOut']): string[] {
  const commands = leftOut.flatMap((kind) => {
    const [source, target] = [fileName({ ...kind, dtype: 'fp32' }), fileName(kind)].map((name) => `onnx/${name}`);
    return conversionCommand(source as string, target as string, kind.dtype, kind.operators) ?? [];
  });
  if (commands.length === 0) return [];
  const head = `## Other dtypes\n\nNothing in JavaScript makes them; in this folder, after \`${CONVERTER}\`:`;
  return [`${head}\n\n${['```sh', ...commands, '```'].join('\n')}`];
}

function fileSection(file: string, report: SwapReport): string {
  const { swapped, skipped, calibration, parameters, bytes, cachePerToken, outputs } = report;
  const rows = [
    ['parameters', parameters],
    ['bytes of weights', bytes],
    ...(cachePerToken.before > 0 ? ([['numbers cached per token', cachePerToken]] as const) : []),
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
