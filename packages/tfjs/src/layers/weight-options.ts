import { serialization } from '@tensorflow/tfjs-core';
import { constraints, initializers, regularizers } from '@tensorflow/tfjs-layers';
import type { Constraint, Initializer, Regularizer } from './tfjs-layers.js';

/** A class and its configuration, as models keep them. */
export interface SerializedClass {
  readonly className: string;
  readonly config: serialization.ConfigDict;
}

/** How tfjs names things that act on weights: an object of it, its name, or its class and configuration. */
export type WeightOption<T> = string | T | SerializedClass;

/** How variables of one kind start and are held in training. */
export interface VariableRules {
  readonly initializer: Initializer;
  readonly regularizer: Regularizer | null;
  readonly constraint: Constraint | null;
}

/** @throws Error where the name or the class is unknown, as of all three. */
export function initializer(option: WeightOption<Initializer>): Initializer {
  return fromOption('initializer', option, initializers);
}

/** `null` where there is none. */
export function regularizer(option: WeightOption<Regularizer> | null | undefined): Regularizer | null {
  return option == null ? null : fromOption('regularizer', option, regularizers);
}

/** `null` where there is none. */
export function constraint(option: WeightOption<Constraint> | null | undefined): Constraint | null {
  return option == null ? null : fromOption('constraint', option, constraints);
}

/** The class and configuration of an object, for `getConfig`. */
export function serialized(object: serialization.Serializable | null): serialization.ConfigDict | null {
  return object && { className: object.getClassName(), config: object.getConfig() };
}

/** What Keras has classes of their own for, and tfjs one; there what is not said is 0, here 0.01. */
const classesOfKeras: Readonly<
  Record<string, { readonly className: string; readonly config: serialization.ConfigDict }>
> = {
  L1: { className: 'L1L2', config: { l2: 0 } },
  L2: { className: 'L1L2', config: { l1: 0 } },
};

function fromOption<T extends serialization.Serializable>(kind: string, option: WeightOption<T>, factories: object): T {
  if (option instanceof serialization.Serializable) return option;
  if (typeof option !== 'string') return fromClass(kind, option.className, option.config);
  const factory = Object.entries(factories).find(([name]) => name.toLowerCase() === plainName(option))?.[1];
  return factory ? factory({}) : fromClass(kind, option, {});
}

/** `glorot_uniform`, `GlorotUniform` and `glorotUniform` are one name. */
function plainName(name: string): string {
  return name.replaceAll('_', '').toLowerCase();
}

function fromClass<T extends serialization.Serializable>(
  kind: string,
  className: string,
  config: serialization.ConfigDict,
): T {
  const ofKeras = classesOfKeras[className];
  const known = serialization.SerializationMap.getMap().classNameMap[ofKeras?.className ?? className];
  if (!known) {
    throw new Error(`unknown ${kind} '${className}': give one of tfjs by name, an object, or register the class`);
  }
  const [cls, fromConfig] = known;
  return fromConfig(cls, { ...config, ...ofKeras?.config }) as T;
}
