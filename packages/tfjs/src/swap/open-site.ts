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
  PROBED_FEEDS,
  streamSequences,
} from '@mhe/core';
import type { StoredType } from '../file/encode-weight.js';
import type { TfjsModel } from '../file/model.js';
import type { HostTensor, HostTensors } from '../run/host-tensor.js';
import { hostNumbers, hostValues, toBackend, withKnown } from '../run/host-tensor.js';
import { modelValue } from './block-nodes.js';
import type { Frontier, RunWatch } from './frontier.js';
import { extended, only } from './frontier.js';
import { HeadMoments, InputMoments } from './moments.js';
import type { Stage } from './plan-stages.js';
import { replaceBlock } from './replace-block.js';
import { forEach, runAll } from './run-part.js';

/** What an open site needs of the backend. */
export interface SiteContext {
  readonly model: TfjsModel;
  readonly block: AttentionBlock;
  readonly stage: Stage;
  /** Start of the names of new nodes. */
  readonly prefix: string;
  /** How new matrices are stored. */
  readonly stored: StoredType;
  readonly watch: RunWatch;
  /** Values known before the stage: of the original, and of the model as swapped so far (the same where nothing was). */
  readonly original: Frontier;
  readonly swapped: Frontier;
  /** Takes what the stage hands on, and the block's replacement (`null`: kept). */
  readonly advance: (original: Frontier, swapped: Frontier, replacement: BlockReplacement | null) => void;
}

/** Runs the original up to and through the block, and gives the pipeline its hold on the site. */
export async function openSite(context: SiteContext): Promise<OpenSite> {
  const { model, block, stage, watch, original } = context;
  const output = modelValue(block.output.output);
  const results = await runAll(model, original, [...new Set([...stage.held, output])], watch);
  const targets = results.map((values) => values[output] as HostTensor);
  return new GraphSite(context, extended(original, only(results, stage.held)), targets, output);
}

class GraphSite implements OpenSite {
  readonly weights;
  readonly emptyRows;
  readonly tokens;
  readonly identityTolerance = IDENTITY_TOLERANCE.float32;
  private prepared: { readonly values: Frontier; readonly moments: FitMoments } | undefined;

  constructor(
    private readonly context: SiteContext,
    private readonly originalAfter: Frontier,
    private readonly targets: readonly HostTensor[],
    private readonly output: string,
  ) {
    const { chain, output: projection, weights } = context.block;
    this.emptyRows = chain.after.some(({ step }) => step.kind === 'guard' || step.kind === 'mask');
    this.weights = weights();
    this.tokens = targets.reduce((sum, { data }) => sum + data.length / projection.outputDim, 0);
  }

  async verify(identity: FoldedMheWeights): Promise<number> {
    const { model, block, original, prefix, watch } = this.context;
    const swapped = replaceBlock(model, block, identityReplacement(block, identity), prefix);
    const results = await runAll(swapped, original.slice(0, PROBED_FEEDS), [this.output], { signal: watch.signal });
    return this.difference(results).relativeToLargest;
  }

  async moments(): Promise<FitMoments> {
    return (await this.prepare(true)).moments;
  }

  async outputMoments(replacement: Replacement): Promise<readonly OutputMoments[]> {
    const { block, watch } = this.context;
    const { values } = await this.prepare(true);
    const operand = block.output.operand.value;
    const moments = new HeadMoments(block, values.length);
    try {
      await forEach(this.replaced(this.decide(replacement, values)), values, [operand], watch, (session, entry, at) =>
        session.withTensors(entry, async (outputs) => {
          const target = toBackend(this.targets[at] as HostTensor);
          await moments.add(at, outputs.get(operand) as ReturnType<typeof toBackend>, target);
          target.dispose();
        }),
      );
      return await moments.total();
    } finally {
      moments.dispose();
    }
  }

  async replace(replacement: Replacement): Promise<Replaced> {
    const { watch } = this.context;
    const { values } = await this.prepare(false);
    const decided = this.decide(replacement, values);
    const results = await runAll(this.replaced(decided), values, this.fromBlock, watch);
    this.goOn(values, results, decided);
    return { form: decided.form, formReason: decided.reason, outputError: this.difference(results).relative };
  }

  async keep(): Promise<void> {
    const { model, original, swapped, watch, advance } = this.context;
    if (original === swapped) {
      advance(this.originalAfter, this.originalAfter, null);
      return;
    }
    const { values } = await this.prepare(false);
    this.goOn(values, await runAll(model, values, this.fromBlock, watch), null);
  }

  /** What the block makes that is needed later, its output among it. */
  private get fromBlock(): string[] {
    const { stage } = this.context;
    const made = new Set([...stage.block].map(({ name }) => name));
    return [...new Set([this.output, ...stage.held.filter((value) => made.has(value.replace(/:\d+$/, '')))])];
  }

  private goOn(values: Frontier, results: Frontier, replacement: BlockReplacement | null): void {
    this.context.advance(this.originalAfter, extended(values, results), replacement);
  }

  /** Runs the model as swapped so far up to the block, once. */
  private async prepare(withMoments: boolean) {
    if (this.prepared) return this.prepared;
    const { model, block, stage, swapped, watch } = this.context;
    const fromBlock = new Set(this.fromBlock);
    const wanted = [...new Set([...stage.blockInputs, ...stage.held.filter((value) => !fromBlock.has(value))])];
    const moments = new InputMoments(block);
    const kept: HostTensors[] = [];
    try {
      const outputs = withMoments ? [...new Set([...wanted, ...moments.values])] : wanted;
      await forEach(model, swapped, outputs, watch, (session, entry) =>
        session.withTensors(entry, async (tensors) => {
          kept.push(await hostValues(tensors, wanted));
          if (withMoments) await withKnown(entry, tensors, moments.values, (get) => moments.add(get));
        }),
      );
      this.prepared = { values: extended(swapped, kept), moments: withMoments ? await moments.total() : {} };
      return this.prepared;
    } finally {
      moments.dispose();
    }
  }

  private replaced(decided: BlockReplacement): TfjsModel {
    const { model, block, prefix, stored } = this.context;
    return replaceBlock(model, block, decided, prefix, stored);
  }

  private difference(results: Frontier): Difference {
    const difference = new Difference();
    for (const [i, entry] of results.entries()) {
      difference.add(hostNumbers(entry[this.output] as HostTensor), hostNumbers(this.targets[i] as HostTensor));
    }
    return difference;
  }

  private decide(replacement: Replacement, values: Frontier): BlockReplacement & { readonly reason: string } {
    const { block } = this.context;
    const { stream } = block.key;
    const keys = values.slice(0, PROBED_FEEDS).flatMap((entry) => {
      const value = stream && entry[stream.value];
      return value ? streamSequences(hostNumbers(value), stream) : [];
    });
    const { weights, embedding } = replacement;
    const { form, reason } = chooseForm(block, weights, replacement.form, true, keys);
    return { weights, embedding, form, reason };
  }
}
