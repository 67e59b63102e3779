/**
 * @file The bytes of an ONNX file as a protocol-buffer message, with the checks of the file as a whole: that it is a model, of versions that are
 * read, of ONNX's own operators.
 */
import { fromBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema, type GraphProto, type ModelProto } from "onnx-buf";
import { InputError } from "../error.ts";

/** Versions that are read: of the file format, and of the operators of the default domain. */
export const IR_VERSIONS = { first: 3, last: 13 };
export const OPSETS = { first: 9, last: 24 };

/** A model whose versions are read. */
export type Parsed = {
  readonly model: ModelProto;
  readonly graph: GraphProto;
  readonly ir: number;
  readonly opset: number;
};

/**
 * Parses a file.
 * @throws InputError for what is no ONNX model, and for versions that are not read.
 */
export function parse(bytes: Uint8Array): Parsed {
  const model = message(bytes);
  const { graph, irVersion, opsetImport } = model;
  if (!graph || irVersion === 0n) throw none(bytes);
  const ir = within("IR version", irVersion, IR_VERSIONS);
  const own = opsetImport.filter(({ domain }) => domain === "" || domain === "ai.onnx");
  if (own.length === 0) {
    const others = opsetImport.map(({ domain }) => domain).join(", ");
    throw new InputError({ what: "opset", wanted: "operators of the default domain", got: others || "none" });
  }
  const [first] = own;
  return { model, graph, ir, opset: within("opset", first!.version, OPSETS) };
}

function message(bytes: Uint8Array): ModelProto {
  try {
    return fromBinary(ModelProtoSchema, bytes, { readUnknownFields: false });
  } catch {
    // Not only what the parser refuses: nesting without end overflows its stack.
    throw none(bytes);
  }
}

/** What is no model; one that was stored with Git LFS and not fetched says so. */
function none(bytes: Uint8Array): InputError {
  const start = new TextDecoder().decode(bytes.subarray(0, 24));
  const got = start.startsWith("version https://git-lfs")
    ? "a Git LFS pointer to one (git lfs pull)"
    : `${bytes.length} bytes that are truncated or of another format`;
  return new InputError({ what: "model", wanted: "an ONNX model", got });
}

function within(what: string, version: bigint, { first, last }: typeof OPSETS): number {
  if (version >= first && version <= last) return Number(version);
  throw new InputError({ what, wanted: `${first} to ${last}`, got: `${version}` });
}
