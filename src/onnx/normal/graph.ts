/**
 * @file The normal form of an ONNX model: a graph of few ops with one output each, on single samples. Value 0 is the input, value k + 1 what node k
 * makes; shapes are those of one sample, and a value is [N, ...shape]. Weights are known by their use, whatever they are stored as; one
 * that is used twice is one parameter.
 */
import type { ElementName, Tensor } from "../model.ts";

/** Sizes of one sample's value. */
export type Shape = readonly number[];

/** What a parameter is to the node that uses it. */
export type Role = "kernel" | "bias" | "gain" | "shift" | "table" | "slope" | "value";

/** A use of a parameter: the stored tensor with its axes in the order `perm` (if any), then in the shape `dims`. */
export type ParameterUse = {
  readonly role: Role;
  readonly parameter: number;
  readonly perm?: readonly number[];
  readonly dims: readonly number[];
};

/** Attributes in the normal form: axes count within a sample, from its front; pads are explicit. */
export type NormalAttributes = Readonly<Record<string, number | string | readonly number[]>>;

/** An op at its place. */
export type NormalNode = {
  /** The value's name in the file, or that of the value that it helps to make. */
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly number[];
  readonly attributes: NormalAttributes;
  readonly parameters: readonly ParameterUse[];
  /** Numbers that are no parameters, as a mask that is added. */
  readonly constants: readonly Tensor[];
  readonly shape: Shape;
};

/** A parameter as it is stored. */
export type NormalParameter = {
  readonly name: string;
  readonly type: "float32" | "float64";
  readonly dims: readonly number[];
  /** Its numbers, made when they are asked for. */
  values(): Float32Array | Float64Array;
};

/** A model in normal form. */
export type NormalGraph = {
  readonly input: { readonly name: string; readonly type: ElementName; readonly shape: Shape };
  readonly output: { readonly name: string; readonly value: number; readonly shape: Shape };
  readonly nodes: readonly NormalNode[];
  readonly parameters: readonly NormalParameter[];
};
