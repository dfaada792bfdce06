import { create } from '@bufbuild/protobuf';
import type {
  AttentionBlock,
  BlockReplacement,
  FitMoments,
  FoldedMheWeights,
  OpenSite,
  OutputMoments,
  Replaced,
  Replacement,
} from '@mhe/core';
import {
  chooseForm,
  Difference,
  IDENTITY_TOLERANCE,
  identityReplacement,
  inHeadOrder,
  PROBED_FEEDS,
  streamSequences,
} from '@mhe/core';
import type { GraphProto, ValueInfoProto } from 'onnx-buf';
import { ValueInfoProtoSchema } from 'onnx-buf';
import type { NodeBuilder } from '../emit/node-builder.js';
import { edit } from '../graph/edit.js';
import type { OnnxModel } from '../graph/model.js';
import { valueInfo } from '../graph/value-info.js';
import type { HostTensor, HostTensors } from '../run/host-tensor.js';
import type { Session, SessionOptions } from '../run/session.js';
import { withSession } from '../run/session.js';
import { isFloatDtype } from '../tensor/decode-float.js';
import type { FloatDtype } from '../tensor/dtype.js';
import { dataTypeOf } from '../tensor/dtype.js';
import { checkEmptyCaches, withCachesOf } from './block-caches.js';
import { modelValue } from './block-nodes.js';
import type { BlockStage } from './block-stage.js';
import type { Frontier, RunWatch } from './frontier.js';
import { extended, forEach, only, partBetween, runAll } from './frontier.js';
import type { MomentNames } from './moment-nodes.js';
import { momentNodes, outputMomentNodes } from './moment-nodes.js';
import { MomentSum, productModel } from './moment-sum.js';
import { numberTensor } from './number-tensor.js';
import { ofOriginal } from './original-error.js';
import { OutputSums } from './output-sums.js';
import { builderFor, replaceBlock } from './replace-block.js';

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
  const { model, place, original, session, watch } = context;
  const { stage, block } = place;
  const output = modelValue(block.output.output);
  const after = [...new Set([...stage.outputs, output])];
  const before = beforeBlock(place);
  const isUnchanged = context.original === context.swapped;
  const through = partBetween(model, original, stage.inputs, [...new Set([...after, ...before])]);
  const results: HostTensors[] = [];
  await ofOriginal(() =>
    forEach(through, original, session, watch, async (run, values, at) => {
      results.push(await run.run(values, isUnchanged || at < PROBED_FEEDS ? undefined : after));
    }),
  );
  const targets = results.map((values) => values[output] as HostTensor);
  const dtype = (targets[0] as HostTensor).dtype;
  if (!isFloatDtype(dtype))
    throw new TypeError(`${block.chain.softmax.source} computes in ${dtype}, not in floating point`);
  const knownBefore = extended(original, only(results, before));
  return new OnnxSite(context, {
    after: extended(original, only(results, stage.outputs)),
    probed: knownBefore.slice(0, PROBED_FEEDS),
    targets,
    dtype,
    output,
    ...(isUnchanged && { before: knownBefore }),
  });
}

/** What the original gave. */
interface Captured {
  /** What is known behind the stage. */
  readonly after: Frontier;
  /** What is known before the block: of the first inputs, and of all where nothing was swapped yet. */
  readonly probed: Frontier;
  readonly before?: Frontier;
  /** The block's output, and its name. */
  readonly targets: readonly HostTensor[];
  readonly output: string;
  readonly dtype: FloatDtype;
}

/** Values that a stage computes before its block, for the block and for later stages. */
function beforeBlock({ prepared, besides }: BlockStage): readonly string[] {
  return [...new Set([...prepared, ...besides])];
}

class OnnxSite implements OpenSite {
  readonly weights;
  readonly emptyRows;
  readonly tokens;
  readonly identityTolerance;
  private before: Frontier | undefined;

  constructor(
    private readonly context: SiteContext,
    private readonly captured: Captured,
  ) {
    const { block } = context.place;
    this.identityTolerance = IDENTITY_TOLERANCE[captured.dtype];
    this.emptyRows = block.chain.after.some(({ step }) => step.kind === 'guard' || step.kind === 'mask');
    this.weights = block.weights();
    this.tokens = captured.targets.reduce((sum, { data }) => sum + data.length / block.output.outputDim, 0);
    this.before = captured.before;
  }

  private get block(): AttentionBlock {
    return this.context.place.block;
  }

  async verify(identity: FoldedMheWeights): Promise<number> {
    const replacement = identityReplacement(this.block, identity);
    const { probed, output, targets } = this.captured;
    const caches = this.presentCaches();
    const part = this.blockPart(probed, [output, ...caches]);
    const swapped = replaceBlock(part, this.context.place, replacement, this.captured.dtype, this.context.prefix);
    const difference = new Difference();
    const kept = caches.map((name) => ({ name, difference: new Difference() }));
    const results = await runAll(swapped, probed, this.context.session, { signal: this.context.watch.signal });
    for (const [i, values] of results.entries()) {
      difference.add(numberTensor(values[output] as HostTensor), numberTensor(targets[i] as HostTensor));
      for (const { name, difference } of kept) {
        const expected = this.captured.after[i]?.[name] as HostTensor;
        difference.add(numberTensor(values[name] as HostTensor), numberTensor(expected));
      }
    }
    return Math.max(difference.relativeToLargest, ...kept.map(({ difference }) => difference.relativeToLargest));
  }

  /** Caches that the block hands on as outputs of the model. */
  private presentCaches(): readonly string[] {
    const { key, value } = this.block;
    const names = [key, value].flatMap(({ cache }) => cache?.present ?? []);
    return names.filter((name) => this.context.place.fromBlock.includes(name));
  }

  async moments(): Promise<FitMoments> {
    const { prefix } = this.context;
    const values = await this.runUpToBlock();
    checkEmptyCaches(this.block, values);
    let names: MomentNames | undefined;
    const part = withNodes(
      this.blockPart(values, [this.block.chain.probabilities]),
      this.captured.dtype,
      `${prefix}/moments`,
      [],
      (builder) => {
        names = momentNodes(builder, this.block);
        return Object.values(names);
      },
    );
    return this.sumUp(part, values, (product) => {
      const parts = ['query', 'key', 'keyInput', 'attended'] as const;
      const sum = () => new MomentSum(product);
      const sums = { query: sum(), key: sum(), keyInput: sum(), attended: sum() };
      return {
        add: async (rows) => {
          for (const moment of parts) {
            const value = names?.[moment];
            if (value !== undefined) await sums[moment].add(rows[value] as HostTensor);
          }
        },
        total: async () => {
          const totals = await Promise.all(parts.map(async (moment) => [moment, await sums[moment].total()] as const));
          return Object.fromEntries(totals.filter(([, total]) => total)) as FitMoments;
        },
      };
    });
  }

  async outputMoments(replacement: Replacement): Promise<readonly OutputMoments[]> {
    const { prefix } = this.context;
    const { targets, output, dtype } = this.captured;
    const values = await this.runUpToBlock();
    const decided = this.decide(replacement, values);
    const part = this.blockPart(values, [this.block.output.operand.value]);
    const swapped = replaceBlock(part, this.context.place, decided, dtype, prefix);
    let names = { heads: '', targets: '' };
    const measured = withNodes(swapped, dtype, `${prefix}/refit`, [valueInfo(output, dataTypeOf(dtype))], (builder) => {
      names = outputMomentNodes(builder, this.block, output);
      return [names.heads, names.targets];
    });
    const sized = withCachesOf(this.block, decided.weights, values);
    const feeds = sized.map((entry, i) => ({ ...entry, [output]: targets[i] as HostTensor }));
    return this.sumUp(measured, feeds, (product) => {
      const sums = new OutputSums(product, feeds.length);
      return {
        add: (rows, input) => sums.add(input, rows[names.heads] as HostTensor, rows[names.targets] as HostTensor),
        total: async () => (await sums.total()).map((part) => inHeadOrder(part, this.block.output.features)),
      };
    });
  }

  async replace(replacement: Replacement): Promise<Replaced> {
    const { prefix, session, watch, place } = this.context;
    const { targets, output, dtype } = this.captured;
    const values = await this.runUpToBlock();
    const decided = this.decide(replacement, values);
    const part = this.blockPart(values, [...new Set([...place.fromBlock, output])]);
    const swapped = replaceBlock(part, place, decided, dtype, prefix);
    const results = await runAll(swapped, withCachesOf(this.block, decided.weights, values), session, watch);
    const difference = new Difference();
    for (const [i, entry] of results.entries()) {
      difference.add(numberTensor(entry[output] as HostTensor), numberTensor(targets[i] as HostTensor));
    }
    this.goOn(values, results, { ...decided, dtype });
    return { form: decided.form, formReason: decided.reason, outputError: difference.relative };
  }

  async keep(): Promise<void> {
    const { context, captured } = this;
    if (context.original === context.swapped) {
      context.advance(captured.after, captured.after, null);
      return;
    }
    const values = await this.runUpToBlock();
    const part = this.blockPart(values, [...new Set([...context.place.fromBlock, captured.output])]);
    this.goOn(values, await runAll(part, values, context.session, context.watch), null);
  }

  private goOn(
    values: Frontier,
    results: Frontier,
    replacement: (BlockReplacement & { dtype: FloatDtype }) | null,
  ): void {
    const { besides, fromBlock } = this.context.place;
    const swapped = extended(extended(this.context.swapped, only(values, besides)), only(results, fromBlock));
    this.context.advance(this.captured.after, swapped, replacement);
  }

  /** Runs the model as swapped so far up to the block, once. */
  private async runUpToBlock(): Promise<Frontier> {
    if (this.before) return this.before;
    const { model, place, swapped, session, watch } = this.context;
    const wanted = beforeBlock(place);
    // A block may read nothing but the model's inputs.
    const part = wanted.length > 0 && partBetween(model, swapped, place.stage.inputs, wanted);
    this.before = part ? extended(swapped, await runAll(part, swapped, session, watch)) : swapped;
    return this.before;
  }

  /** Runs a part of the model for every calibration input and sums up what it gives. */
  private async sumUp<T>(part: OnnxModel, values: Frontier, start: (product: Session) => Sums<T>): Promise<T> {
    const { session, watch } = this.context;
    return withSession(productModel, session, async (product) => {
      const sums = start(product);
      await forEach(part, values, session, watch, async (run, entry, at) => sums.add(await run.run(entry), at));
      return sums.total();
    });
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
      this.captured.dtype === 'float32',
      keys,
    );
    return { weights: replacement.weights, embedding: replacement.embedding, form, reason };
  }
}

/** Sums over runs. */
interface Sums<T> {
  /** @param input - number of the calibration input. */
  add(rows: HostTensors, input: number): Promise<void>;
  total(): Promise<T>;
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
