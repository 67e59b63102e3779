/**
 * @file Builds an ONNX graph node by node and serialises it as a model (IR 10, opset 21).
 * A {@link Value} is a name in the graph; {@link file://./ops.ts} has the operations that natgrad uses.
 */
import { create, toBinary } from "@bufbuild/protobuf";
import {
  AttributeProto_AttributeType as AttributeType,
  ModelProtoSchema,
  TensorProto_DataType as DataType,
} from "onnx-buf";
import { demandName } from "../error.ts";

/** Floating-point type of a network: its weights, signals and the Grams that the engine computes. */
export type Precision = "float32" | "float64";

export const PRECISIONS: readonly Precision[] = ["float32", "float64"];

/** Element types that natgrad's graphs use. */
export type ElementType = Precision | "int64";

/** A tensor inside a graph under construction. */
export type Value = { readonly name: string };

/** One dimension: fixed, or free and named. */
export type Dim = number | string;

/** An attribute of an ONNX node. */
export type GraphAttribute = {
  name: string;
  value: { int: number } | { float: number } | { ints: readonly number[] };
};

const ELEMENT = { float32: DataType.FLOAT, float64: DataType.DOUBLE, int64: DataType.INT64 } as const;

const attributeProto = ({ name, value }: GraphAttribute) => {
  if ("int" in value) return { name, type: AttributeType.INT, i: BigInt(value.int) };
  if ("float" in value) return { name, type: AttributeType.FLOAT, f: value.float };
  return { name, type: AttributeType.INTS, ints: value.ints.map(BigInt) };
};

/** Numbers of a constant; of arrays, which may be large, as bytes. */
function numbersOf(values: Iterable<number>, precision: Precision) {
  const Floats = precision === "float32" ? Float32Array : Float64Array;
  const dataType = ELEMENT[precision];
  if (ArrayBuffer.isView(values)) {
    const { buffer, byteOffset, byteLength } = Floats.from(values);
    return { dataType, rawData: new Uint8Array(buffer, byteOffset, byteLength) };
  }
  return precision === "float32"
    ? { dataType, floatData: [...values] }
    : { dataType, doubleData: [...values] };
}

const valueInfo = (name: string, type: ElementType, dims: readonly Dim[]) => ({
  name,
  type: {
    value: {
      case: "tensorType" as const,
      value: {
        elemType: ELEMENT[type],
        shape: {
          dim: dims.map((d) => ({
            value:
              typeof d === "number"
                ? { case: "dimValue" as const, value: BigInt(d) }
                : { case: "dimParam" as const, value: d },
          })),
        },
      },
    },
  },
});

/** A graph under construction. `precision` is the type of every floating-point constant and input. */
export type Graph = {
  readonly precision: Precision;
  /** Declares an input; free dimensions are named by strings. */
  input(name: string, dims: readonly Dim[], type?: ElementType): Value;
  /** A floating-point constant of any shape, in the precision of the graph (default: a scalar). */
  constant(values: Iterable<number>, dims?: readonly number[]): Value;
  /** A tensor under a name of its own, as weights have in a model that is written. */
  initializer(name: string, values: Iterable<number>, dims: readonly number[]): Value;
  /** An int64 vector constant, as Slice, Reshape and Unsqueeze take for shapes and axes. */
  integers(...values: number[]): Value;
  /** The same of a list that may be too long for arguments, as Gather takes. */
  indices(values: readonly number[]): Value;
  /** Appends one ONNX node with one output. */
  node(op: string, inputs: readonly Value[], attributes?: readonly GraphAttribute[]): Value;
  /** Declares `value` an output of the graph under `name`. */
  output(name: string, value: Value, dims: readonly Dim[], type?: ElementType): void;
  /** The bytes of the finished ONNX model. */
  toModel(): Uint8Array;
};

/**
 * Starts an empty graph whose floating-point values have the given precision.
 * @throws InputError for an unknown one.
 */
export function createGraph(precision: Precision): Graph {
  demandName("precision", PRECISIONS, precision);
  const nodes: object[] = [];
  const inputs: object[] = [];
  const outputs: object[] = [];
  const initializers: object[] = [];
  const integerNames = new Map<string, Value>();
  let count = 0;
  const fresh = (prefix: string): Value => ({ name: `${prefix}_${count++}` });

  const indices: Graph["indices"] = (values) => {
    const key = values.join();
    const known = integerNames.get(key);
    if (known) return known;
    const value = fresh("integers");
    initializers.push({
      name: value.name,
      dims: [BigInt(values.length)],
      dataType: DataType.INT64,
      int64Data: values.map(BigInt),
    });
    integerNames.set(key, value);
    return value;
  };

  const node: Graph["node"] = (op, args, attributes = []) => {
    const out = fresh(op);
    nodes.push({
      name: out.name,
      opType: op,
      input: args.map((v) => v.name),
      output: [out.name],
      attribute: attributes.map(attributeProto),
    });
    return out;
  };

  return {
    precision,
    node,
    input(name, dims, type = precision) {
      inputs.push(valueInfo(name, type, dims));
      return { name };
    },
    initializer(name, values, dims) {
      initializers.push({ name, dims: dims.map(BigInt), ...numbersOf(values, precision) });
      return { name };
    },
    constant(values, dims = []) {
      const { name } = fresh("constant");
      initializers.push({ name, dims: dims.map(BigInt), ...numbersOf(values, precision) });
      return { name };
    },
    integers: (...values) => indices(values),
    indices,
    output(name, value, dims, type = precision) {
      // An Identity gives the output its public name; ONNX Runtime removes it.
      nodes.push({ name, opType: "Identity", input: [value.name], output: [name] });
      outputs.push(valueInfo(name, type, dims));
    },
    toModel() {
      const graph = {
        name: "natgrad",
        node: nodes,
        input: inputs,
        output: outputs,
        initializer: initializers,
      };
      const model = { irVersion: 10n, opsetImport: [{ domain: "", version: 21n }], graph };
      return toBinary(ModelProtoSchema, create(ModelProtoSchema, model));
    },
  };
}
