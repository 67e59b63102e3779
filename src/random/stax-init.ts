/**
 * @file The draws of a Neural Tangents network: `stax.serial(Dense(M_1), Relu(), Dense(M_2), ..., Dense(M_L))`
 * initialised by `init_fn(PRNGKey(seed), (-1, M_0))`. `serial` splits its key once per layer, activations included
 * (jax/example_libraries/stax.py); `Dense` splits the layer's key into one for W and one for b
 * (neural_tangents/_src/stax/linear.py). Everything is a standard normal: `ntk` scales as it is applied.
 */
import { InputError } from "../error.ts";
import { normalInto } from "./threefry-normal.ts";
import { prngKey, split } from "./threefry.ts";
import type { Key, ThreefryOptions } from "./threefry.ts";

/** One `Dense` of a `serial`. */
export type DenseKeys = { readonly weights: Key; readonly bias: Key };

/** One `Dense`'s standard normals: `weights` [M_{l-1}, M_l] row-major, `bias` [M_l]. */
export type DenseNormals = { readonly weights: Float32Array; readonly bias: Float32Array };

/** How the network's key is split. */
export type StaxOptions = ThreefryOptions & {
  /** Layers without parameters between two `Dense`, each of which uses up one split of the key: 1 for `Relu()` alone. */
  readonly between?: number;
};

/**
 * The keys of each `Dense`, first to last, when `serial` is given `key` and `layers` of them, `between` other
 * layers apart. The key for b is split off whether or not the network has biases (`b_std=None`).
 */
export function staxDenseKeys(
  key: Key,
  layers: number,
  { between = 1, ...layout }: StaxOptions = {},
): DenseKeys[] {
  const keys: DenseKeys[] = [];
  let rest = key;
  const next = (): Key => {
    const [left, layer] = split(rest, 2, layout);
    rest = left!;
    return layer!;
  };
  for (let l = 0; l < layers; l++) {
    const [weights, bias] = split(next(), 2, layout);
    keys.push({ weights: weights!, bias: bias! });
    for (let skipped = 0; skipped < between; skipped++) next();
  }
  return keys;
}

/**
 * The normals of each `Dense` of widths `sizes` = [M_0, ..., M_L] from `PRNGKey(seed)`.
 * @throws InputError when `sizes` has fewer than two entries or one that is not a positive integer.
 */
export function staxDenseInit(
  seed: number,
  sizes: readonly number[],
  options: StaxOptions = {},
): DenseNormals[] {
  if (sizes.length < 2 || !sizes.every((size) => Number.isInteger(size) && size > 0)) {
    throw new InputError(
      `staxDenseInit: wanted two or more positive integer sizes, got [${sizes.join(", ")}]`,
    );
  }
  return staxDenseKeys(prngKey(seed), sizes.length - 1, options).map(({ weights, bias }, l) => ({
    weights: normalInto(weights, new Float32Array(sizes[l]! * sizes[l + 1]!), options),
    bias: normalInto(bias, new Float32Array(sizes[l + 1]!), options),
  }));
}
