import type { AttentionStreams } from './attention-streams.js';
import type { Shape } from './tfjs-layers.js';

/** Shapes of the streams of a call; sizes that are open are `null`. */
export type StreamShapes = Omit<AttentionStreams<Shape>, 'attentionMask'>;

/** Feature sizes of the streams. */
export type StreamDims = Record<keyof StreamShapes, number>;

/** From one shape or the list of them, in the order of the inputs. */
export function streamShapes(shapes: Shape | Shape[]): StreamShapes {
  const [query, value, key] = (Array.isArray(shapes[0]) ? shapes : [shapes]) as [Shape, Shape?, Shape?];
  return { query, value: value ?? query, key: key ?? value ?? query };
}

/**
 * The streams' feature sizes.
 *
 * @throws Error when one is open, ranks differ, or keys and values are not one for one.
 */
export function streamDims(layer: string, shapes: StreamShapes): StreamDims {
  const { query, value, key } = shapes;
  const said = (shape: Shape) => `[${shape.map((size) => size ?? '?').join(', ')}]`;
  if (value.length !== query.length || key.length !== query.length) {
    throw new Error(
      `${layer}: query, value and key must have as many axes, got ${said(query)}, ${said(value)}, ${said(key)}`,
    );
  }
  const differ = value.slice(0, -1).some((size, axis) => size !== null && key[axis] !== null && size !== key[axis]);
  if (differ)
    throw new Error(`${layer}: there must be a key for each value, got keys ${said(key)} and values ${said(value)}`);
  const features = (name: keyof StreamShapes): number => {
    const size = shapes[name].at(-1);
    if (size == null)
      throw new Error(`${layer}: the last axis of the ${name} must have a known size, got ${said(shapes[name])}`);
    return size;
  };
  return { query: features('query'), value: features('value'), key: features('key') };
}
