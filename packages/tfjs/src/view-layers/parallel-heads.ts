import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { LayerCall, LayerCalls, Level } from '../layers-model/layer-calls.js';

/** What the layers of one head compute, for all heads at once: the same tensor of every head. */
export interface HeadTensors {
  /** One tensor that all heads read, or one of each. */
  readonly symbols: readonly [SymbolicTensor, ...SymbolicTensor[]];
  /** The layers that make them; `null` where the tensor is the heads' common input. */
  readonly made: {
    readonly calls: readonly [LayerCall, ...LayerCall[]];
    readonly inputs: readonly HeadTensors[];
  } | null;
}

/** Heads that are written as layers of their own, joined by a Concatenate layer. */
export interface ParallelHeads {
  readonly join: LayerCall;
  readonly heads: HeadTensors;
  /** Every use of a layer that belongs to a head. */
  readonly calls: ReadonlySet<LayerCall>;
}

/** Classes that heads are written with. */
const headClasses = new Set(
  'Dense Conv1D Dot Activation Softmax Rescaling Add Subtract Multiply Reshape Permute Dropout'.split(' '),
);

/** Longest way from a head's output back to what all heads read. */
const LONGEST_HEAD = 24;

/**
 * Heads that do the same with weights of their own, if what a Concatenate layer joins is that: layer by layer alike, from
 * their outputs back to common inputs, and read by nothing else. At least one step must be a softmax.
 */
export function parallelHeads(join: LayerCall, model: LayerCalls): ParallelHeads | undefined {
  if (join.layer.getClassName() !== 'Concatenate' || join.inputs.length < 2) return undefined;
  const rank = join.inputs[0]?.rank;
  const { axis } = join.layer.getConfig();
  if (rank !== 3 || (axis !== -1 && axis !== 2)) return undefined;
  const matcher = new HeadMatcher(join.level, model);
  const heads = matcher.match(join.inputs as HeadTensors['symbols'], 0);
  if (!heads?.made || !matcher.hasSoftmax) return undefined;
  const calls = matcher.calls;
  const isInside = (reader: LayerCall) => reader === join || calls.has(reader);
  const readers = readersIn(join.level, model);
  const leaks = [...calls]
    .flatMap(({ outputs }) => outputs)
    .some((output) => {
      return join.level.model.outputs.includes(output) || !(readers.get(output) ?? []).every(isInside);
    });
  return leaks ? undefined : { join, heads, calls };
}

class HeadMatcher {
  readonly calls = new Set<LayerCall>();
  hasSoftmax = false;
  private readonly known = new Map<string, HeadTensors | undefined>();

  constructor(
    private readonly level: Level,
    private readonly model: LayerCalls,
  ) {}

  match(symbols: HeadTensors['symbols'], depth: number): HeadTensors | undefined {
    const [first] = symbols;
    if (symbols.every((symbol) => symbol === first)) return { symbols: [first], made: null };
    const key = symbols.map(({ id }) => id).join();
    if (!this.known.has(key)) this.known.set(key, depth < LONGEST_HEAD ? this.matchMade(symbols, depth) : undefined);
    return this.known.get(key);
  }

  private matchMade(symbols: HeadTensors['symbols'], depth: number): HeadTensors | undefined {
    const calls = symbols.flatMap((symbol) => this.level.calls.get(symbol) ?? []);
    const [first] = calls;
    if (!first || calls.length !== symbols.length || new Set(calls).size !== calls.length) return undefined;
    const shape = shapeOf(first);
    if (calls.some((call) => this.model.uses(call.layer) !== 1 || shapeOf(call) !== shape)) return undefined;
    const name = first.layer.getClassName();
    if (!headClasses.has(name)) return undefined;
    const inputs = first.inputs.map((_, i) => {
      const same = calls.map((call) => call.inputs[i] as SymbolicTensor);
      return this.match(same as unknown as HeadTensors['symbols'], depth + 1);
    });
    if (!inputs.every((input) => input !== undefined)) return undefined;
    // Nothing of its own goes into it: all heads would compute one thing.
    if (first.layer.weights.length === 0 && inputs.every(({ made }) => made === null)) return undefined;
    for (const call of calls) this.calls.add(call);
    if (name === 'Softmax' || first.layer.getConfig().activation === 'softmax') this.hasSoftmax = true;
    return { symbols, made: { calls: calls as unknown as [LayerCall, ...LayerCall[]], inputs } };
  }
}

/** What heads must have in common: class, configuration, number of inputs, sizes of the weights. */
function shapeOf({ layer, inputs }: LayerCall): string {
  const { name: _name, ...config } = layer.getConfig();
  const weights = layer.weights.map(({ shape }) => shape);
  return JSON.stringify([layer.getClassName(), config, inputs.length, weights]);
}

function readersIn(level: Level, { calls }: LayerCalls): Map<SymbolicTensor, LayerCall[]> {
  const readers = new Map<SymbolicTensor, LayerCall[]>();
  for (const call of calls) {
    if (call.level !== level) continue;
    for (const input of call.inputs) readers.set(input, [...(readers.get(input) ?? []), call]);
  }
  return readers;
}
