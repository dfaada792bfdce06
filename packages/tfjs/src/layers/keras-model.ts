import type { serialization } from '@tensorflow/tfjs-core';

/** A tensor of a functional model: the layer that made it, in which use, as which output; then the use's arguments. */
type Reference = readonly [layer: string, use: number, output: number, args?: Record<string, unknown>];

interface LayerConfig {
  readonly name: string;
  readonly className: string;
  readonly inboundNodes: readonly (readonly Reference[])[];
}

/**
 * Keras keeps all tensors of a layer's call but the first among its arguments; tfjs looks for them among its inputs.
 * Gives the configuration of a functional model with those of attention layers where tfjs looks.
 *
 * @param config - as tfjs hands it on, names of arguments in camel case.
 */
export function joinCallInputs(
  config: serialization.ConfigDict,
  classNames: readonly string[],
): serialization.ConfigDict {
  const layers = config.layers as unknown as readonly LayerConfig[] | undefined;
  if (!layers?.some((layer) => classNames.includes(layer.className))) return config;
  const names = layers.map((layer) => layer.name);
  const joined = layers.map((layer) => {
    if (!classNames.includes(layer.className)) return layer;
    return { ...layer, inboundNodes: layer.inboundNodes.map((inputs) => joinInputs(layer.name, inputs, names)) };
  });
  return { ...config, layers: joined as unknown as serialization.ConfigDictArray };
}

function joinInputs(layer: string, inputs: readonly Reference[], names: readonly string[]): readonly Reference[] {
  const [query] = inputs;
  const { value, key, attentionMask, ...rest } = query?.[3] ?? {};
  if (!query || (value == null && key == null && attentionMask == null)) return inputs;
  const listed = [...inputs];
  const stream = (argument: unknown, otherwise: Reference) =>
    argument == null ? otherwise : reference(layer, argument, names);
  const joined = [query];
  joined.push(stream(value, listed[1] ?? query));
  joined.push(stream(key, listed[2] ?? (joined[1] as Reference)));
  if (attentionMask != null) joined.push(reference(layer, attentionMask, names));
  return joined.map(([name, use, output]) => [name, use, output, rest] as const);
}

/** tfjs turns the names within arguments to camel case, so `enc_out` comes as `encOut`. */
function reference(layer: string, argument: unknown, names: readonly string[]): Reference {
  const [said, use, output] = argument as Reference;
  const candidates = names.includes(said) ? [said] : names.filter((name) => camelCase(name) === said);
  const [name] = candidates;
  if (name === undefined || candidates.length > 1) {
    throw new Error(
      `${layer}: one of its inputs comes from a layer '${said}', and ${candidates.length} layers are called so`,
    );
  }
  return [name, use, output];
}

function camelCase(name: string): string {
  return name.replaceAll(/_+(\w|$)/g, (_, letter: string) => letter.toUpperCase());
}
