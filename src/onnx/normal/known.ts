/**
 * @file Values of a file on their way to the normal form. Known ones are so before any sample is: initialisers, constants, shapes and what is computed from them. Numbers are made when they are
 * asked for, so that no weight is copied to be looked at. Integers may depend on the number of samples, as c + n N.
 */
import { InputError } from "../../error.ts";
import { count, type ElementName, type Tensor } from "../model.ts";
import type { Layout } from "./layout.ts";

/** A stored tensor that a known value is a view of: with its axes in the order `perm`, then in other sizes. */
export type Origin = {
  readonly name: string;
  readonly kind: "initialiser" | "constant";
  readonly dims: readonly number[];
  readonly perm?: readonly number[] | undefined;
  values(): Tensor["data"];
};

/** A known value. */
export type Known = Layout & {
  readonly kind: "known";
  readonly type: ElementName;
  /** Its numbers, without the samples (all have the same). */
  values(): Tensor["data"];
  /** n of integers c + n N. */
  readonly slope?: Tensor["data"] | undefined;
  readonly origin?: Origin | undefined;
  /** Stored tensors that it was computed from, if it is no view of one. */
  readonly sources: readonly string[];
  /** What was repeated along axis 0, as a value of the samples. */
  readonly row?: Known | undefined;
  /** Parts of an initialiser: makes them live, as parts of a parameter. */
  readonly replay?: (() => Live) | undefined;
};

/** A value of the normal graph: it depends on the samples or on parameters. */
export type Live = Layout & { readonly kind: "live"; readonly id: number; readonly type: ElementName };

/** A value behind an op that natgrad does not have. */
export type Unknown = {
  readonly kind: "unknown";
  /** What is missing where it is used, if that is not known to be missing yet. */
  readonly lack?: string;
};

/** A value of the file. */
export type Item = Known | Live | Unknown;

/** More numbers than this are not made of a few by an op such as ConstantOfShape. */
const MOST = 2 ** 28;

/** @throws InputError for sizes whose product is more than is ever made. */
export function demandSize(dims: readonly number[], what: string): void {
  if (dims.every((size) => Number.isInteger(size) && size >= 0) && count(dims) <= MOST) return;
  throw new InputError({ what, wanted: `a shape of at most ${MOST} numbers`, got: `[${dims.join(", ")}]` });
}

/** A function that computes once. */
export function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** A stored tensor. */
export const stored = (name: string, kind: Origin["kind"], { type, dims, data }: Tensor): Known => ({
  kind: "known",
  type,
  dims,
  values: () => data,
  origin: { name, kind, dims, values: () => data },
  sources: [],
});

/** Numbers that were computed from `from`. */
export const computed = (
  type: ElementName,
  dims: readonly number[],
  values: () => Tensor["data"],
  from: readonly Known[] = [],
): Known => ({ kind: "known", type, dims, values: once(values), sources: sourcesOf(from) });

/** Names of the stored tensors behind known values. */
export const sourcesOf = (from: readonly Known[]): string[] => [
  ...new Set(from.flatMap(({ origin, sources }) => (origin ? [origin.name] : sources))),
];

/** A vector of integers. */
export const integers = (values: readonly number[], slope?: readonly number[]): Known => ({
  ...computed("int64", [values.length], () => Float64Array.from(values)),
  ...(slope?.some((n) => n !== 0) ? { slope: Float64Array.from(slope) } : {}),
});

/** As a tensor. */
export const tensorOf = ({ type, dims, values }: Known): Tensor => ({ type, dims, data: values() });

/** Whether it is of floating-point numbers. */
export const isFloat = ({ type }: { type: ElementName }): boolean => type === "float32" || type === "float64";

/** An array for numbers of a type. */
export const arrayFor = (type: ElementName, length: number): Float32Array | Float64Array =>
  type === "float32" ? new Float32Array(length) : new Float64Array(length);

/**
 * One row of a value that has `size` equal ones, one for every sample of a batch that the file fixes, as a value of the samples; undefined for any
 * other.
 */
export function rowOf(known: Known, size: number | undefined): Known | undefined {
  if (size === undefined || known.batch || known.dims[0] !== size || known.dims.length < 2) return undefined;
  if (known.row) return known.row;
  const all = known.values();
  const row = all.subarray(0, all.length / size);
  if (!all.every((value, i) => value === row[i % row.length])) return undefined;
  const dims = [1, ...known.dims.slice(1)];
  const values = () => row;
  const origin = known.origin && { name: known.origin.name, kind: known.origin.kind, dims, values };
  return { ...known, dims, values, origin, batch: { axis: 0, before: 1, after: 1 } };
}
