import type { OnnxModel } from '@mhe/onnx';

type Graph = NonNullable<OnnxModel['proto']['graph']>;

/** The operators of a model, those in nested graphs included: a merged decoder is one `If`. */
export function operatorsOf({ proto: { graph } }: OnnxModel): ReadonlySet<string> {
  return new Set(graph ? operatorsIn(graph) : []);
}

function* operatorsIn({ node }: Graph): Generator<string> {
  for (const { opType, attribute } of node) {
    yield opType;
    for (const { g, graphs } of attribute)
      for (const nested of [...(g ? [g] : []), ...graphs]) yield* operatorsIn(nested);
  }
}
