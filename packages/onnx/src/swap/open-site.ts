import { create } from '@bufbuild/protobuf';
import type {
  AttentionBlock,
  BlockReplacement,
  FitMoments,
  FoldedMheWeights,
  Matrix,
  OpenSite,
  OutputMoments,
  Replaced,
  Replacement,
} from '@mhe/core';
import { chooseForm, Difference, identityReplacement, inHeadOrder, streamSequences } from '@mhe/core';
import type { GraphProto, ValueInfoProto } from 'onnx-buf';
import { TypeProto_TensorSchema, TypeProtoSchema, ValueInfoProtoSchema } from 'onnx-buf';
import type { NodeBuilder } from '../emit/node-builder.js';
import { edit } from '../graph/edit.js';
import type { OnnxModel } from '../graph/model.js';
import type { HostTensor, HostTensors } from '../run/host-tensor.js';
import type { SessionOptions } from '../run/session.js';
import { isFloatDtype } from '../tensor/decode-float.js';
import type { FloatDtype } from '../tensor/dtype.js';
import { dataTypeOf } from '../tensor/dtype.js';
import { modelValue } from './block-nodes.js';
import type { BlockStage } from './block-stage.js';
import type { Frontier, RunWatch } from './frontier.js';
import { extended, forEach, only, partBetween, runAll } from './frontier.js';
import { addMatrix, numberTensor } from './host-matrix.js';
import type { MomentNames } from './moment-nodes.js';
import { momentNodes, outputMomentNodes } from './moment-nodes.js';
import { ofOriginal } from './original-error.js';
import { builderFor, replaceBlock } from './replace-block.js';

/** As many calibration inputs prove the identity swap and the range of the key biases. */
const PROBED_FEEDS = 4;

/** A product of a few hundred terms, rounded in another order. */
const IDENTITY_TOLERANCE: Readonly<Record<FloatDtype, number>> = {
  float64: 1e-10,
  float32: 2e-5,
  float16: 2e-2,
  bfloat16: 1e-1,
};

/** What an open site needs of the backend. */
export interface SiteContext {
  readonly model: OnnxModel;
  readonly place: BlockStage;
  /** Start of the names of new nodes. */
  readonly prefix: string;
  readonly session: SessionOptions;
  readonly watch: RunWatch;
  /** Values known before the stage: of the original, and of the model as swapped so far (the same where nothing was). */
  readonly original: Frontier;
  readonly swapped: Frontier;
  /** Takes what the stage hands on, and the block's replacement (`null`: kept). */
  readonly advance: (
    original: Frontier,
    swapped: Frontier,
    replacement: (BlockReplacement & { dtype: FloatDtype }) | null,
  ) => void;
}

/** Runs the original up to and through the block, and gives the pipeline its hold on the site. */
export async function openSite(context: SiteContext): Promise<OpenSite> {
  const { model, place, session, watch } = context;
  const { stage, block } = place;
  const output = modelValue(block.output.output);
  const through = partBetween(model, context.original, stage.inputs, [...new Set([...stage.outputs, output])]);
  const results = await ofOriginal(() => runAll(through, context.original, session, watch));
  const targets = results.map((values) => values[output] as HostTensor);
  const original = extended(context.original, only(results, stage.outputs));
  const dtype = (targets[0] as HostTensor).dtype;
  if (!isFloatDtype(dtype))
    throw new TypeError(`${block.chain.softmax.source} computes in ${dtype}, not in floating point`);
  return new OnnxSite(context, original, targets, dtype, output);
}

class OnnxSite implements OpenSite {
  readonly weights;
  readonly emptyRows;
  readonly tokens;
  readonly identityTolerance;
  private prepared: { readonly values: Frontier; readonly moments: FitMoments } | undefined;

  constructor(
    private readonly context: SiteContext,
    private readonly originalAfter: Frontier,
    private readonly targets: readonly HostTensor[],
    private readonly dtype: FloatDtype,
    private readonly output: string,
  ) {
    this.identityTolerance = IDENTITY_TOLERANCE[dtype];
    this.emptyRows = context.place.block.chain.after.some(({ step }) => step.kind === 'guard' || step.kind === 'mask');
    this.weights = context.place.block.weights();
    const { outputDim } = this.block.output;
    this.tokens = targets.reduce((sum, { data }) => sum + data.length / outputDim, 0);
  }

  private get block(): AttentionBlock {
    return this.context.place.block;
  }

  async verify(identity: FoldedMheWeights): Promise<number> {
    const { model, place, original, prefix, session, watch } = this.context;
    const replacement = identityReplacement(this.block, identity);
    const feeds = original.slice(0, PROBED_FEEDS);
    const part = partBetween(model, feeds, place.stage.inputs, [this.output]);
    const swapped = replaceBlock(part, this.context.place, replacement, this.dtype, prefix);
    const difference = new Difference();
    const results = await runAll(swapped, feeds, session, { signal: watch.signal });
    for (const [i, values] of results.entries()) {
      difference.add(numberTensor(values[this.output] as HostTensor), numberTensor(this.targets[i] as HostTensor));
    }
    return difference.relativeToLargest;
  }

  async moments(): Promise<FitMoments> {
    return (await this.prepare(true)).moments;
  }

  async outputMoments(replacement: Replacement): Promise<OutputMoments | undefined> {
    const { prefix, session, watch } = this.context;
    const { values } = await this.prepare(true);
    const decided = this.decide(replacement, values);
    const part = this.blockPart(values, [this.block.output.operand.value]);
    const swapped = replaceBlock(part, this.context.place, decided, this.dtype, prefix);
    const target = this.output;
    const sums: { heads?: Matrix; cross?: Matrix } = {};
    let names = { heads: '', cross: '' };
    const measured = withNodes(swapped, this.dtype, `${prefix}/refit`, [typedInput(target, this.dtype)], (builder) => {
      names = outputMomentNodes(builder, this.block, target);
      return [names.heads, names.cross];
    });
    const feeds = values.map((entry, i) => ({ ...entry, [target]: this.targets[i] as HostTensor }));
    await forEach(measured, feeds, session, watch, async (run, entry) => {
      const result = await run.run(entry);
      sums.heads = addMatrix(sums.heads, result[names.heads] as HostTensor);
      sums.cross = addMatrix(sums.cross, result[names.cross] as HostTensor);
    });
    const { heads, cross } = sums;
    return heads && cross ? inHeadOrder({ features: heads, targets: cross }, this.block.output.features) : undefined;
  }

  async replace(replacement: Replacement): Promise<Replaced> {
    const { prefix, session, watch } = this.context;
    const { values } = await this.prepare(false);
    const decided = this.decide(replacement, values);
    const { fromBlock } = this.context.place;
    const part = this.blockPart(values, [...new Set([...fromBlock, this.output])]);
    const swapped = replaceBlock(part, this.context.place, decided, this.dtype, prefix);
    const results = await runAll(swapped, values, session, watch);
    const difference = new Difference();
    for (const [i, entry] of results.entries()) {
      difference.add(numberTensor(entry[this.output] as HostTensor), numberTensor(this.targets[i] as HostTensor));
    }
    this.goOn(values, results, { ...decided, dtype: this.dtype });
    return { form: decided.form, formReason: decided.reason, outputError: difference.relative };
  }

  async keep(): Promise<void> {
    if (this.isUnchanged) {
      this.context.advance(this.originalAfter, this.originalAfter, null);
      return;
    }
    const { values } = await this.prepare(false);
    const part = this.blockPart(values, [...new Set([...this.context.place.fromBlock, this.output])]);
    this.goOn(values, await runAll(part, values, this.context.session, this.context.watch), null);
  }

  /** Whether nothing before this site was swapped: its inputs are the original's. */
  private get isUnchanged(): boolean {
    return this.context.original === this.context.swapped;
  }

  private goOn(
    values: Frontier,
    results: Frontier,
    replacement: (BlockReplacement & { dtype: FloatDtype }) | null,
  ): void {
    const { besides, fromBlock } = this.context.place;
    const swapped = extended(extended(this.context.swapped, only(values, besides)), only(results, fromBlock));
    this.context.advance(this.originalAfter, swapped, replacement);
  }

  /** Runs the model as swapped so far up to the block, once. */
  private async prepare(withMoments: boolean) {
    if (this.prepared) return this.prepared;
    const { model, place, swapped, prefix, session, watch } = this.context;
    const stream = this.block.key.stream?.value;
    const streams =
      stream !== undefined && !place.stage.inputs.includes(stream) && this.isComputedBefore(stream) ? [stream] : [];
    const wanted = [...new Set([...place.prepared, ...place.besides, ...streams])];
    if (wanted.length === 0 && !withMoments) {
      // The block reads nothing but the model's inputs: there is nothing to run before it.
      this.prepared = { values: swapped, moments: {} };
      return this.prepared;
    }
    const probabilities = withMoments ? [this.block.chain.probabilities] : [];
    let part = partBetween(model, swapped, place.stage.inputs, [...wanted, ...probabilities]);
    let names: MomentNames | undefined;
    if (withMoments) {
      part = withNodes(part, this.dtype, `${prefix}/moments`, [], (builder) => {
        names = momentNodes(builder, this.block);
        return [...wanted, ...Object.values(names)];
      });
    }
    const kept: HostTensors[] = [];
    const sums: { query?: Matrix; key?: Matrix; attended?: Matrix } = {};
    await forEach(part, swapped, session, watch, async (run, entry) => {
      const result = await run.run(entry);
      kept.push(only([result], wanted)[0] as HostTensors);
      for (const moment of ['query', 'key', 'attended'] as const) {
        const value = names?.[moment];
        if (value !== undefined) sums[moment] = addMatrix(sums[moment], result[value] as HostTensor);
      }
    });
    this.prepared = { values: extended(swapped, kept), moments: sums };
    return this.prepared;
  }

  private isComputedBefore(value: string): boolean {
    return this.context.place.prepared.includes(value) || this.context.place.besides.includes(value);
  }

  private blockPart(values: Frontier, outputs: readonly string[]): OnnxModel {
    return partBetween(this.context.model, values, this.context.place.blockInputs, outputs);
  }

  private decide(replacement: Replacement, values: Frontier): BlockReplacement & { readonly reason: string } {
    const { stream } = this.block.key;
    const keys = values.slice(0, PROBED_FEEDS).flatMap((entry) => {
      const value = stream && entry[stream.value];
      return value ? streamSequences(numberTensor(value), stream) : [];
    });
    const { form, reason } = chooseForm(
      this.block,
      replacement.weights,
      replacement.form,
      this.dtype === 'float32',
      keys,
    );
    return { weights: replacement.weights, embedding: replacement.embedding, form, reason };
  }
}

/** A model with more inputs and nodes, and other outputs: those that the nodes' maker names. */
function withNodes(
  model: OnnxModel,
  dtype: FloatDtype,
  prefix: string,
  inputs: readonly ValueInfoProto[],
  make: (builder: NodeBuilder) => readonly string[],
): OnnxModel {
  const graph = model.proto.graph as GraphProto;
  const builder = builderFor(model, dtype, prefix);
  const outputs = make(builder).map(
    (name) => graph.output.find((info) => info.name === name) ?? create(ValueInfoProtoSchema, { name }),
  );
  const changed = edit(graph, {
    node: [...graph.node, ...builder.nodes],
    initializer: [...graph.initializer, ...builder.initializers],
    input: [...graph.input, ...inputs],
    output: outputs,
  });
  return { ...model, proto: edit(model.proto, { graph: changed }) };
}

function typedInput(name: string, dtype: FloatDtype): ValueInfoProto {
  const tensor = create(TypeProto_TensorSchema, { elemType: dataTypeOf(dtype) });
  return create(ValueInfoProtoSchema, {
    name,
    type: create(TypeProtoSchema, { value: { case: 'tensorType', value: tensor } }),
  });
}
