import type { io } from '@tensorflow/tfjs-core';
import { isObject } from './is-object.js';
import type { ModelFields, TfjsFormat } from './model.js';
import { formatOf } from './model.js';
import { otherFormat } from './other-formats.js';
import { normaliseShardPath } from './shard-path.js';
import { quoted, TfjsFileError } from './tfjs-file-error.js';
import { fixedByteLength } from './weight-bytes.js';

/** Weight files one after the other, and the weights that stand in them. */
export interface WeightGroup {
  /** Below the model's folder. */
  readonly paths: readonly string[];
  readonly weights: readonly io.WeightsManifestEntry[];
}

/** What a `model.json` says. */
export interface ParsedModelJson {
  readonly format: TfjsFormat;
  readonly fields: ModelFields;
  readonly groups: readonly WeightGroup[];
}

/**
 * Reads the text of a `model.json`, and checks all that later steps rely on.
 *
 * @param file - what messages call it.
 * @throws TfjsFileError where it is no model of TensorFlow.js, or an inconsistent one.
 */
export function parseModelJson(text: string, file: string): ParsedModelJson {
  let json: unknown;
  try {
    json = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (cause) {
    const other = otherFormat(text);
    if (other) throw new TfjsFileError(file, 'not-tfjs', other.what, other.remedy, { cause });
    const isCut = text.trimStart().startsWith('{');
    throw isCut
      ? new TfjsFileError(file, 'damaged', 'its JSON is cut short or damaged', 'Download it again', { cause })
      : new TfjsFileError(file, 'not-tfjs', 'is not JSON, so not the model.json of TensorFlow.js', undefined, {
          cause,
        });
  }
  if (!isObject(json) || !isObject(json.modelTopology)) {
    throw new TfjsFileError(
      file,
      'not-tfjs',
      'is JSON, but has no "modelTopology" as the model.json of TensorFlow.js has',
      'Name the model.json that the converter or model.save wrote',
    );
  }
  const { weightsManifest = [], ...fields } = json;
  const { modelTopology } = json;
  const format = formatOf(modelTopology);
  if (format === null) {
    throw new TfjsFileError(file, 'damaged', 'its topology has neither the nodes of a graph nor layers');
  }
  return { format, fields: { ...fields, modelTopology }, groups: groupsOf(weightsManifest, file) };
}

function groupsOf(manifest: unknown, file: string): WeightGroup[] {
  const damaged = (what: string) => new TfjsFileError(file, 'damaged', what);
  if (!Array.isArray(manifest)) throw damaged('its "weightsManifest" is no list');
  const names = new Set<string>();
  return manifest.map((group: unknown) => {
    if (!isObject(group) || !Array.isArray(group.paths) || !Array.isArray(group.weights)) {
      throw damaged('a group of its "weightsManifest" has no lists of paths and weights');
    }
    const paths = group.paths.map((path: unknown) => {
      const normal = normaliseShardPath(path);
      if (normal !== null) return normal;
      throw new TfjsFileError(
        file,
        'weights',
        `it names the weight file ${quoted(String(path))}, which is not in its own folder`,
        'Put the weight files beside it, and name them by relative paths',
      );
    });
    for (const weight of group.weights as unknown[]) {
      if (!isObject(weight) || typeof weight.name !== 'string') throw damaged('a weight of its list has no name');
      if (names.has(weight.name)) throw damaged(`the weight ${quoted(weight.name)} is listed twice`);
      names.add(weight.name);
      fixedByteLength(weight as unknown as io.WeightsManifestEntry, file);
    }
    return { paths, weights: group.weights as io.WeightsManifestEntry[] };
  });
}
