/**
 * @file Encodes a model as the bytes of an ONNX file: the way back of decode.ts, so that what is read can be written again. Numbers are written as
 * raw bytes.
 */
import { create, toBinary } from "@bufbuild/protobuf";
import {
  AttributeProto_AttributeType as Type,
  ModelProtoSchema,
  TensorProto_DataType as DataType,
} from "onnx-buf";
import {
  count,
  type Attribute,
  type ElementName,
  type OnnxModel,
  type OnnxValue,
  type Tensor,
} from "./model.ts";
import { agree, InputError } from "../error.ts";

const DATA_TYPES: Readonly<Record<ElementName, DataType>> = {
  float32: DataType.FLOAT,
  float64: DataType.DOUBLE,
  int32: DataType.INT32,
  int64: DataType.INT64,
  bool: DataType.BOOL,
};

/** A message of Protocol Buffers has no more bytes than this. */
const LARGEST = 2 ** 31 - 1;

const text = new TextEncoder();

/**
 * Encodes a model.
 * @throws InputError for one of 2 GiB and more, which a file cannot hold; RangeError for a tensor whose shape does not fit its numbers.
 */
export function encodeOnnx({
  ir,
  opset,
  producer,
  inputs,
  outputs,
  nodes,
  initialisers,
}: OnnxModel): Uint8Array {
  const bytes = [...initialisers.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
  if (bytes > LARGEST) {
    throw new InputError({
      what: "model",
      wanted: "parameters below 2 GiB, as a file holds",
      got: `${bytes} bytes`,
    });
  }
  const graph = {
    name: "main",
    node: nodes.map(({ name, op, inputs, outputs, attributes }) => ({
      name,
      opType: op,
      input: [...inputs],
      output: [...outputs],
      attribute: Array.from(attributes, ([name, value]) => ({ name, ...attributeProto(value) })),
    })),
    input: inputs.map(valueProto),
    output: outputs.map(valueProto),
    initializer: Array.from(initialisers, ([name, tensor]) => ({ name, ...tensorProto(tensor, name) })),
  };
  const model = {
    irVersion: BigInt(ir),
    producerName: producer,
    opsetImport: [{ domain: "", version: BigInt(opset) }],
    graph,
  };
  return toBinary(ModelProtoSchema, create(ModelProtoSchema, model));
}

function attributeProto(value: Attribute) {
  if ("int" in value) return { type: Type.INT, i: BigInt(value.int) };
  if ("float" in value) return { type: Type.FLOAT, f: value.float };
  if ("string" in value) return { type: Type.STRING, s: text.encode(value.string) };
  if ("ints" in value) return { type: Type.INTS, ints: value.ints.map(BigInt) };
  if ("floats" in value) return { type: Type.FLOATS, floats: [...value.floats] };
  if ("strings" in value) return { type: Type.STRINGS, strings: value.strings.map((s) => text.encode(s)) };
  return { type: Type.TENSOR, t: tensorProto(value.tensor, "attribute") };
}

function tensorProto({ type, dims, data }: Tensor, what: string) {
  agree(what, count(dims), data.length);
  return { dims: dims.map(BigInt), dataType: DATA_TYPES[type], rawData: rawBytes(type, data) };
}

/** Little-endian bytes of the type's own width. */
function rawBytes(type: ElementName, data: Tensor["data"]): Uint8Array<ArrayBuffer> {
  const stored = {
    float32: () => (data instanceof Float32Array ? data : new Float32Array(data)),
    float64: () => (data instanceof Float64Array ? data : new Float64Array(data)),
    int32: () => Int32Array.from(data),
    int64: () => BigInt64Array.from(Array.from(data, BigInt)),
    bool: () => Uint8Array.from(data),
  }[type]();
  return new Uint8Array(stored.buffer as ArrayBuffer, stored.byteOffset, stored.byteLength);
}

function valueProto({ name, type, dims }: OnnxValue) {
  const dim = dims?.map((d) => {
    if (typeof d === "number") return { value: { case: "dimValue" as const, value: BigInt(d) } };
    return d === undefined ? {} : { value: { case: "dimParam" as const, value: d } };
  });
  const shape = dim ? { shape: { dim } } : {};
  return {
    name,
    type: { value: { case: "tensorType" as const, value: { elemType: DATA_TYPES[type], ...shape } } },
  };
}
