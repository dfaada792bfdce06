import { isObject } from '../file/is-object.js';
import type { TfjsModel } from '../file/model.js';
import { quoted } from '../file/tfjs-file-error.js';
import { weightElements } from '../file/weight-bytes.js';

/** A tensor of a functional model in its configuration: layer, use, output, then the use's arguments. */
export type TensorReference = readonly [layer: string, use: number, output: number, args?: unknown];

/** A layer in a model's configuration, names of its fields as Keras writes them. */
export interface LayerEntry {
  readonly class_name: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** Only in functional models, as the next. */
  readonly name?: string;
  readonly inbound_nodes?: readonly (readonly TensorReference[])[];
}

/** A model in the configuration. */
interface ModelEntry {
  readonly class_name: string;
  readonly config: unknown;
}

/** The layers of a model's configuration: those of a Sequential stand in a list, in old files at once. */
function layerEntries({ config }: ModelEntry): readonly LayerEntry[] | undefined {
  const list = Array.isArray(config) ? config : isObject(config) ? config.layers : undefined;
  return Array.isArray(list) && list.every(isLayer) ? (list as LayerEntry[]) : undefined;
}

/** Name of a layer in the configuration. */
export function entryName({ name, config }: LayerEntry): string {
  return name ?? String(config.name);
}

/** A model's topology with the layers of one of its models changed. `path` are the names of models, from the outermost. */
export function withEntries(
  topology: object,
  path: readonly string[],
  change: (entries: readonly LayerEntry[]) => readonly LayerEntry[],
): object {
  if ('model_config' in topology) {
    return { ...topology, model_config: changed(topology.model_config as ModelEntry, path, change) };
  }
  return changed(topology as ModelEntry, path, change);
}

function changed<M extends ModelEntry>(
  model: M,
  path: readonly string[],
  change: Parameters<typeof withEntries>[2],
): M {
  const entries = layerEntries(model) ?? [];
  const [name, ...rest] = path;
  const layers =
    name === undefined
      ? change(entries)
      : entries.map((entry) => (entryName(entry) === name ? changed(entry, rest, change) : entry));
  return { ...model, config: Array.isArray(model.config) ? layers : { ...(model.config as object), layers } };
}

/** A topology whose weights start as zeros: for weights that are replaced at once, whatever the initializers cost. */
export function withoutInitializers(topology: object): object {
  return JSON.parse(JSON.stringify(topology), (name, value: unknown) =>
    /(_i|I)nitializer$/.test(name) && value !== null ? { class_name: 'Zeros', config: {} } : value,
  ) as object;
}

/** Names of all layers, those of models in the model too. */
export function layerNames(topology: object): string[] {
  const model = 'model_config' in topology ? topology.model_config : topology;
  const inside = (entry: ModelEntry): string[] =>
    (layerEntries(entry) ?? []).flatMap((layer) => [entryName(layer), ...inside(layer)]);
  return inside(model as ModelEntry);
}

/**
 * Makes sure that TensorFlow.js can build what a configuration says: it would wait for ever for a layer that is missing,
 * or for layers that wait for each other.
 *
 * @throws Error naming the layers, or a size that no weight has.
 */
export function checkTopology({ name, fields, weights }: TfjsModel): void {
  const { modelTopology } = fields;
  const model = 'model_config' in modelTopology ? modelTopology.model_config : modelTopology;
  if (!isObject(model) || typeof model.class_name !== 'string')
    throw new Error(`${name}: its topology is no model of layers`);
  const largest = weights.reduce((most, { spec }) => Math.max(most, weightElements(spec)), 0);
  checkModel(name, model as unknown as ModelEntry, largest);
}

/** Settings that are a size of some weight. */
const weightSizes = [
  ...['units', 'filters', 'input_dim', 'output_dim', 'num_heads', 'key_dim', 'value_dim', 'head_dim'],
  ...['value_head_dim'],
];

function checkModel(model: string, entry: ModelEntry, largest: number): void {
  const entries = layerEntries(entry);
  if (!entries) throw new Error(`${model}: a model in its topology has no list of layers`);
  const names = new Set<string>();
  for (const layer of entries) {
    const name = entryName(layer);
    if (names.has(name)) throw new Error(`${model}: two layers have the name ${quoted(name)}`);
    names.add(name);
    if (isModel(layer)) checkModel(model, layer, largest);
    const size = weightSizes.find((setting) => Number(layer.config[setting] ?? 0) > largest);
    if (size === undefined) continue;
    const claim = `${quoted(name)} has ${size} ${String(layer.config[size])}`;
    throw new Error(`${model}: ${claim}, and no weight of the model has so many elements`);
  }
  const waiting = new Map(entries.map((layer) => [entryName(layer), (layer.inbound_nodes ?? []).map(sourcesOf)]));
  const made = new Set([...waiting].flatMap(([name, uses]) => (uses.length === 0 ? [name] : [])));
  for (let before = -1; before < made.size; ) {
    before = made.size;
    for (const [name, uses] of waiting) {
      // A use may wait for another use of the same layer, so that one is enough.
      if (uses.some((sources) => sources.every((source) => made.has(source)))) made.add(name);
    }
  }
  const stuck = [...waiting].filter(([, uses]) => uses.some((sources) => !sources.every((source) => made.has(source))));
  if (stuck.length === 0) return;
  const missing = stuck.flatMap(([, uses]) => uses.flat()).find((source) => !names.has(source));
  const list = stuck
    .map(([name]) => quoted(name))
    .slice(0, 5)
    .join(', ');
  throw new Error(
    missing === undefined
      ? `${model}: the layers ${list} wait for each other`
      : `${model}: ${list} read from a layer ${quoted(missing)}, which the model does not have`,
  );
}

function isModel(entry: LayerEntry): boolean {
  return layerEntries(entry) !== undefined;
}

/** Names of the layers that a use reads from, those among its arguments too. */
function sourcesOf(use: readonly TensorReference[]): string[] {
  if (!Array.isArray(use)) return [];
  return use.flatMap(([layer, , , args]) => {
    const named = isObject(args) ? Object.values(args).flatMap((value) => (isReference(value) ? [value[0]] : [])) : [];
    return typeof layer === 'string' ? [layer, ...named] : named;
  });
}

function isReference(value: unknown): value is TensorReference {
  return Array.isArray(value) && value.length === 3 && typeof value[0] === 'string' && typeof value[1] === 'number';
}

function isLayer(value: unknown): boolean {
  return (
    isObject(value) && typeof value.class_name === 'string' && isObject(value.config) !== Array.isArray(value.config)
  );
}
