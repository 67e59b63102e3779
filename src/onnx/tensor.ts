/**
 * @file Tensors of an ONNX file as typed arrays. Their numbers are raw bytes (little-endian), a typed field, or in another file; they
 * are counted against the shape before any array is made.
 */
import {
  TensorProto_DataLocation as Location,
  TensorProto_DataType as DataType,
  type TensorProto,
} from "onnx-buf";
import { InputError } from "../error.ts";
import { externalRange, readRange, type ReadExternal } from "./external.ts";
import { count, ELEMENT_TYPES, type ElementName, type Tensor } from "./model.ts";

const ELEMENTS: Readonly<Record<number, ElementName>> = {
  [DataType.FLOAT]: "float32",
  [DataType.DOUBLE]: "float64",
  [DataType.INT32]: "int32",
  [DataType.INT64]: "int64",
  [DataType.BOOL]: "bool",
};

const STORAGE = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  int64: BigInt64Array,
  bool: Uint8Array,
} as const;

/** The element types that are read, in an error. */
export const READABLE = ELEMENT_TYPES.join(", ").replace(/, (\w+)$/, " or $1");

/** The element type of this number in ONNX; undefined for one that is not read. */
export const elementOf = (dataType: number): ElementName | undefined => ELEMENTS[dataType];

/** What ONNX calls the element type of this number, in lower case. */
export const elementName = (dataType: number): string =>
  ELEMENTS[dataType] ?? DataType[dataType]?.toLowerCase() ?? `type ${dataType}`;

/**
 * Reads a tensor.
 * @param what what errors call it
 * @throws InputError for another element type, a shape that cannot be, numbers that are too many or too few, external data that is not there.
 */
export async function readTensor(
  tensor: TensorProto,
  what: string,
  external?: ReadExternal,
): Promise<Tensor> {
  const type = elementOf(tensor.dataType);
  if (!type) throw new InputError({ what, wanted: READABLE, got: elementName(tensor.dataType) });
  if (tensor.segment) throw new InputError({ what, wanted: "a whole tensor", got: "a segment of one" });
  const dims = readDims(tensor.dims, what);
  const size = count(dims);
  if (tensor.dataLocation === Location.EXTERNAL) {
    const range = externalRange(tensor, what, size * STORAGE[type].BYTES_PER_ELEMENT);
    return { type, dims, data: fromBytes(await readRange(range, what, external), type) };
  }
  const { rawData } = tensor;
  if (rawData.byteLength > 0) {
    const wanted = size * STORAGE[type].BYTES_PER_ELEMENT;
    if (rawData.byteLength === wanted) return { type, dims, data: fromBytes(rawData, type) };
    throw new InputError({
      what,
      wanted: `${wanted} bytes for shape [${dims.join()}]`,
      got: `${rawData.byteLength}`,
    });
  }
  const data = fromField(tensor, type);
  if (data.length === size) return { type, dims, data };
  throw new InputError({ what, wanted: `${size} numbers for shape [${dims.join()}]`, got: `${data.length}` });
}

/** Sizes as numbers. A zero among them must not hide what the others are. */
function readDims(dims: readonly bigint[], what: string): number[] {
  const sizes = dims.map(Number);
  const bytes = 8 * count(sizes.filter((size) => size !== 0));
  if (sizes.every((size) => size >= 0) && Number.isSafeInteger(bytes)) return sizes;
  throw new InputError({ what, wanted: "a shape that can be", got: `[${dims.join()}]` });
}

/** Little-endian elements; a view where they are floats and aligned. */
function fromBytes(bytes: Uint8Array, type: ElementName): Tensor["data"] {
  const Storage = STORAGE[type];
  const width = Storage.BYTES_PER_ELEMENT;
  const { buffer, byteOffset, byteLength } = bytes.byteOffset % width === 0 ? bytes : new Uint8Array(bytes); // a copy starts at 0
  const stored = new Storage(buffer as ArrayBuffer, byteOffset, byteLength / width);
  if (stored instanceof Float32Array || stored instanceof Float64Array) return stored;
  return Float64Array.from(stored as ArrayLike<number | bigint>, Number);
}

function fromField({ floatData, doubleData, int32Data, int64Data }: TensorProto, type: ElementName) {
  if (type === "float32") return Float32Array.from(floatData);
  if (type === "float64") return Float64Array.from(doubleData);
  return type === "int64" ? Float64Array.from(int64Data, Number) : Float64Array.from(int32Data);
}
