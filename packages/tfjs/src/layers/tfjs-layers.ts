// The types of tfjs-layers that its index does not export, by way of what it does.
import type { constraints, initializers, layers, regularizers, SymbolicTensor } from '@tensorflow/tfjs-layers';

export type Layer = InstanceType<typeof layers.Layer>;
export type LayerArgs = NonNullable<ConstructorParameters<typeof layers.Layer>[0]>;
export type Initializer = ReturnType<typeof initializers.ones>;
export type Regularizer = ReturnType<typeof regularizers.l1l2>;
export type Constraint = ReturnType<typeof constraints.nonNeg>;
/** Sizes of a tensor; `null` for one that is open, as the batch size. */
export type Shape = SymbolicTensor['shape'];
