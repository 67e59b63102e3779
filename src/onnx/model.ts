/**
 * @file A decoded ONNX model: plain data, checked, with the nodes that its outputs need in an order in which they can be computed.
 */

/** Element types that are read. Integers and booleans are shapes, indices and masks; parameters are float32 or float64. */
export const ELEMENT_TYPES = ["float32", "float64", "int32", "int64", "bool"] as const;

/** An element type that is read. */
export type ElementName = (typeof ELEMENT_TYPES)[number];

/** A tensor, row-major. float32 is a Float32Array; all else is held as float64 (integers above 2^53 are rounded). */
export type Tensor = {
  readonly type: ElementName;
  readonly dims: readonly number[];
  readonly data: Float32Array | Float64Array;
};

/** The value of an attribute, under its type. */
export type Attribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly string: string }
  | { readonly ints: readonly number[] }
  | { readonly floats: readonly number[] }
  | { readonly strings: readonly string[] }
  | { readonly tensor: Tensor };

/** One operation. */
export type OnnxNode = {
  readonly name: string;
  /** Its operator, with the domain in front where that is not ONNX's own. */
  readonly op: string;
  /** Names of values; an empty one is an input that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, Attribute>;
};

/** A declared input or output. A dimension is fixed, named, or undefined where nothing is said; no `dims`: any shape. */
export type OnnxValue = {
  readonly name: string;
  readonly type: ElementName;
  readonly dims: readonly (number | string | undefined)[] | undefined;
};

/** A model. */
export type OnnxModel = {
  /** Version of the file format. */
  readonly ir: number;
  /** Version of the default domain. */
  readonly opset: number;
  /** Who wrote it; may be empty. */
  readonly producer: string;
  /** Inputs that are no initialisers. */
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly nodes: readonly OnnxNode[];
  /** Those that are used. */
  readonly initialisers: ReadonlyMap<string, Tensor>;
};

/** Numbers in a tensor of these sizes. */
export const count = (dims: readonly number[]): number => dims.reduce((product, size) => product * size, 1);
