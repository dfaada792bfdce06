/** Name of a value (an edge of the graph), unique in its view. */
export type ValueId = string;

/** A dimension: a size, a name that stands for the same size wherever it occurs, or nothing known. */
export type Dimension = number | string | null;

/** Elementwise operations of two operands that the finder can compute with. */
export type BinaryName =
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'pow'
  | 'mod'
  | 'min'
  | 'max'
  | 'equal'
  | 'less'
  | 'lessOrEqual'
  | 'greater'
  | 'greaterOrEqual'
  | 'and'
  | 'or'
  | 'xor';

/**
 * Sizes of a node's outputs from those of its inputs (`undefined`: unknown) and from the numbers of small ones, for
 * operators that only the adapter knows.
 */
export type ShapeRule = (
  inputs: readonly (readonly number[] | undefined)[],
  numbers: (place: number) => readonly number[] | undefined,
) => readonly (readonly number[] | undefined)[];

/**
 * What a node does, in terms that every format shares. Adapters translate their own operators into these; one
 * node of a model may become several here (a `Gemm` is a product and an addition).
 */
export type Operator =
  /** No inputs. `read` gives the numbers, row-major; */
  | {
      readonly kind: 'constant';
      readonly dims: readonly number[];
      readonly type: 'float' | 'integer' | 'boolean';
      readonly read: () => Float64Array;
    }
  /** NumPy `matmul`, the last two axes of an operand swapped first where told. */
  | { readonly kind: 'matmul'; readonly transposeA: boolean; readonly transposeB: boolean }
  /** Two operands, an explicit equation of single letters: `bld,dhk->blhk`. */
  | { readonly kind: 'einsum'; readonly equation: string }
  /** `[batch, channels, ...space]` by `[out, channels, 1...]`: a product over the channel axis. */
  | { readonly kind: 'pointwise' }
  | { readonly kind: 'binary'; readonly name: BinaryName }
  /** One operand, same size; `name` is the operator's own where the finder has no meaning for it. */
  | { readonly kind: 'unary'; readonly name: string }
  | { readonly kind: 'cast'; readonly to: 'float' | 'integer' | 'boolean' }
  | { readonly kind: 'identity' }
  /** Over all axes from `axis` on where `flattened` (ONNX before opset 13), else over `axis`. */
  | { readonly kind: 'softmax'; readonly axis: number; readonly flattened: boolean }
  /** Inputs: condition, value where true, value where false. */
  | { readonly kind: 'where' }
  /** Inputs: data, target. 0 copies a dimension unless `zeroIsSize`. */
  | { readonly kind: 'reshape'; readonly zeroIsSize: boolean }
  | { readonly kind: 'flatten'; readonly axis: number }
  | { readonly kind: 'transpose'; readonly permutation: readonly number[] | null }
  /** Inputs: data, axes (absent: all of size 1). */
  | { readonly kind: 'squeeze' }
  /** Inputs: data, axes. */
  | { readonly kind: 'unsqueeze' }
  /** Inputs: data, target, broadcast both ways. */
  | { readonly kind: 'expand' }
  /** Inputs: data, repeats. */
  | { readonly kind: 'tile' }
  /** Inputs: data, starts, ends, axes (may be absent), steps (may be absent). */
  | { readonly kind: 'slice' }
  /** Inputs: data, sizes (absent: equal parts). */
  | { readonly kind: 'split'; readonly axis: number }
  /** Inputs: data, indices. */
  | { readonly kind: 'gather'; readonly axis: number }
  | { readonly kind: 'concat'; readonly axis: number }
  | { readonly kind: 'shape'; readonly start: number; readonly end: number | null }
  | { readonly kind: 'size' }
  /** Input: target. */
  | { readonly kind: 'fill'; readonly value: number }
  /** Inputs: start, limit, step. */
  | { readonly kind: 'range' }
  /** Inputs: data, axes (absent: all). */
  | { readonly kind: 'reduce'; readonly name: string; readonly keepDims: boolean }
  /**
   * Input: data. Divided by the root of the mean of its squares (`epsilon` added to the mean) over all axes from `axis` on;
   * their mean taken off first where `centred`.
   */
  | { readonly kind: 'normalise'; readonly axis: number; readonly epsilon: number; readonly centred: boolean }
  /** Anything else. */
  | { readonly kind: 'opaque'; readonly name: string; readonly shapes: ShapeRule | null };

/** One operation. An absent optional input is the empty string. */
export interface ViewNode {
  readonly operator: Operator;
  readonly inputs: readonly ValueId[];
  readonly outputs: readonly ValueId[];
  /** Name of the model's node that it stands for. */
  readonly source: string;
}

/** A value the caller feeds. */
export interface ViewInput {
  readonly id: ValueId;
  readonly type: 'float' | 'integer' | 'boolean' | 'other';
  readonly dims: readonly Dimension[];
}

/** A model as the finder reads it. */
export interface GraphView {
  /** Every node after the nodes it reads from. */
  readonly nodes: readonly ViewNode[];
  readonly inputs: readonly ViewInput[];
  readonly outputs: readonly ValueId[];
  /** Sizes that the file states for inner values, used where they can't be derived. */
  readonly declared: ReadonlyMap<ValueId, readonly Dimension[]>;
  /**
   * Keys and values that stay from one step of the model to the next although this graph joins nothing to them: another
   * graph of the same model takes them, or made them. Default: none.
   */
  readonly kept?: ReadonlySet<ValueId>;
}
