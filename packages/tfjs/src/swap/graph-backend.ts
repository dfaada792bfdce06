import type { AttentionSite, Finished, FoundSite, OpenSite, SkippedSite, SwapBackend } from '@mhe/core';
import { Difference } from '@mhe/core';
import { fusedAfterOutput } from '../emit/output-weights.js';
import type { TfjsModel } from '../file/model.js';
import type { GraphIndex } from '../graph-model/graph-index.js';
import { graphIndex } from '../graph-model/graph-index.js';
import type { NodeDef } from '../graph-model/node-def.js';
import type { HostTensors } from '../run/host-tensor.js';
import { hostNumbers } from '../run/host-tensor.js';
import { blockNodes, modelNode } from './block-nodes.js';
import type { Frontier, RunWatch } from './frontier.js';
import { extended, only } from './frontier.js';
import { modelSize } from './model-size.js';
import { openSite } from './open-site.js';
import type { Stage } from './plan-stages.js';
import { planStages, stageObstacle } from './plan-stages.js';
import { replaceBlock, storedTypeOf } from './replace-block.js';
import { runAll } from './run-part.js';

/** What the backend is made of. */
export interface GraphBackendOptions {
  readonly feeds: readonly HostTensors[];
  readonly watch: RunWatch;
}

/**
 * Runs a graph in stages, each ending with a site, in the current backend of TensorFlow.js: for every calibration
 * input once as it was and once as swapped so far. No stage is computed twice.
 */
export class GraphSwapBackend implements SwapBackend<TfjsModel> {
  readonly sites: readonly AttentionSite[];
  readonly skipped: readonly SkippedSite[];
  private readonly places: readonly { readonly found: FoundSite; readonly stage: Stage }[];
  private readonly index: GraphIndex;
  private result: TfjsModel;
  private original: Frontier;
  private swapped: Frontier;
  private at = 0;

  constructor(
    private readonly model: TfjsModel,
    found: readonly FoundSite[],
    private readonly options: GraphBackendOptions,
  ) {
    this.index = graphIndex(model);
    const accepted: { readonly found: FoundSite; readonly nodes: ReadonlySet<NodeDef> }[] = [];
    const skipped: SkippedSite[] = [];
    for (const entry of found) {
      const nodes = blockNodes(this.index, entry.block);
      const obstacle = this.obstacle(entry, nodes, accepted);
      if (obstacle === null) accepted.push({ found: entry, nodes });
      else skipped.push({ name: entry.site.name, reason: obstacle, nodes: [entry.site.name] });
    }
    const stages = planStages(
      this.index,
      accepted.map(({ nodes }) => nodes),
    );
    this.places = stages.map((stage) => ({ found: accepted[stage.number]?.found as FoundSite, stage }));
    this.sites = this.places.map((place) => place.found.site);
    this.skipped = skipped;
    this.result = model;
    this.original = options.feeds;
    this.swapped = options.feeds;
  }

  private obstacle(
    { block }: FoundSite,
    nodes: ReadonlySet<NodeDef>,
    accepted: readonly { readonly nodes: ReadonlySet<NodeDef> }[],
  ): string | null {
    const last = modelNode(this.index, block.output.output);
    const fused = last && fusedAfterOutput(last);
    if (fused !== undefined) return `its output projection is fused with what follows it (${fused})`;
    const obstacle = stageObstacle(
      this.index,
      accepted.map((other) => other.nodes),
      nodes,
    );
    return obstacle && `it cannot be cut out of the graph: ${obstacle}`;
  }

  async open(site: AttentionSite): Promise<OpenSite> {
    const place = this.places[this.at];
    if (!place || place.found.site !== site) throw new TypeError(`${site.name} is not the next site`);
    const { block } = place.found;
    const prefix = `mhe/${site.index}`;
    const stored = storedTypeOf(this.model, block);
    return openSite({
      model: this.model,
      block,
      stage: place.stage,
      prefix,
      stored,
      watch: this.options.watch,
      original: this.original,
      swapped: this.swapped,
      advance: (original, swapped, replacement) => {
        const isSame = original === swapped;
        this.original = only(original, place.stage.held);
        this.swapped = isSame ? this.original : only(swapped, place.stage.held);
        if (replacement) this.result = replaceBlock(this.result, block, replacement, prefix, stored);
        this.at++;
      },
    });
  }

  async finish(): Promise<Finished<TfjsModel>> {
    const outputs = [...this.index.outputs];
    const runLast = async (frontier: Frontier) =>
      outputs.every((output) => frontier[0]?.[output])
        ? frontier
        : extended(frontier, await runAll(this.model, frontier, outputs, this.options.watch));
    const before = await runLast(this.original);
    const after = this.original === this.swapped ? before : await runLast(this.swapped);
    const differences = outputs.map((name) => {
      const difference = new Difference();
      before.forEach((values, i) => {
        const [expected, actual] = [values[name], after[i]?.[name]];
        if (expected && actual && expected.dtype === 'float32')
          difference.add(hostNumbers(actual), hostNumbers(expected));
      });
      return difference.toOutput(name);
    });
    const [was, is] = [modelSize(this.model), modelSize(this.result)];
    return {
      model: this.result,
      parameters: { before: was.parameters, after: is.parameters },
      bytes: { before: was.bytes, after: is.bytes },
      outputs: differences,
    };
  }
}
