/**
 * @file Files of ONNX models: what is read comes back as it was written, and whatever is wrong with a file is one line.
 */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { AttributeProtoSchema, ModelProtoSchema, type ModelProto } from "onnx-buf";
import { describe, expect, it } from "vitest";
import { InputError } from "../../src/error.ts";
import { decodeOnnx } from "../../src/onnx/decode.ts";
import { encodeOnnx } from "../../src/onnx/encode.ts";
import { bytesOf, floats, ints, mlpModel, model, node, value, wave } from "./models.ts";

/** The file of {@link mlpModel}, changed as a message. */
function changed(change: (model: ModelProto) => void, bytes = encodeOnnx(mlpModel())): Uint8Array {
  const proto = fromBinary(ModelProtoSchema, bytes);
  change(proto);
  return toBinary(ModelProtoSchema, proto);
}

const DOUBLE = 11;
const FLOAT16 = 10;
const GRAPH = 5;

describe("decodeOnnx", () => {
  it("reads what encodeOnnx writes", async () => {
    const given = model(
      [
        node("Reshape", ["x", "shape"], "u"),
        node("Any", ["u", ""], ["v", "w"], {
          i: { int: -3 },
          f: { float: 0.5 },
          s: { string: "SAME_UPPER" },
          is: { ints: [1, 2] },
          fs: { floats: [0.25, -1] },
          ss: { strings: ["a", "bé"] },
          t: { tensor: floats([2, 1], 1, 2) },
        }),
        node("Where", ["mask", "v", "w"], "y"),
      ],
      {
        shape: ints(0, -1, 2 ** 40),
        mask: { type: "bool", dims: [2], data: Float64Array.of(0, 1) },
      },
      { inputs: [value("x", ["N", undefined, 3], "float64")], outputs: [value("y", undefined, "float64")] },
    );
    expect(await decodeOnnx(encodeOnnx(given))).toEqual(given);
  });

  it("reads numbers of typed fields, and a raw field at any place in the file", async () => {
    const typed = changed(({ graph }) => {
      for (const tensor of graph!.initializer) {
        tensor.floatData = [...new Float32Array(tensor.rawData.slice().buffer)];
        tensor.rawData = new Uint8Array();
      }
      graph!.initializer[3]!.dataType = DOUBLE;
      graph!.initializer[3]!.doubleData = [0.1, 0.2];
    });
    const plain = await decodeOnnx(encodeOnnx(mlpModel()));
    const read = await decodeOnnx(typed);
    expect(read.initialisers.get("a.weight")).toEqual(plain.initialisers.get("a.weight"));
    expect(read.initialisers.get("b.bias")).toEqual({
      type: "float64",
      dims: [2],
      data: Float64Array.of(0.1, 0.2),
    });
    for (const padding of [1, 2, 3]) {
      const moved = changed((m) => (m.producerName = "t".repeat(padding)));
      expect((await decodeOnnx(moved)).initialisers).toEqual(plain.initialisers);
    }
  });

  it("sorts nodes, and leaves out what no output needs", async () => {
    const { nodes, initialisers } = mlpModel();
    const dead = [node("Loop", ["h"], "dead"), node("Relu", ["nothing makes this"], "dead too")];
    const read = await decodeOnnx(
      bytesOf([...nodes.toReversed(), ...dead], { ...Object.fromEntries(initialisers), unused: wave(2) }),
    );
    expect(read.nodes).toEqual(nodes);
    expect([...read.initialisers.keys()]).toEqual([...initialisers.keys()]);
  });

  it("takes no initialiser for an input (IR 3 lists them there)", async () => {
    const old = changed((m) => {
      m.irVersion = 3n;
      m.graph!.input.push(...["a.weight", "b.bias"].map((name) => ({ ...m.graph!.input[0]!, name })));
    });
    expect((await decodeOnnx(old)).inputs.map(({ name }) => name)).toEqual(["x"]);
  });

  it("sorts a chain of ten thousand nodes", async () => {
    const chain = Array.from({ length: 10_000 }, (_, i) =>
      node("Relu", [i === 9999 ? "x" : `v${i + 1}`], i === 0 ? "y" : `v${i}`),
    );
    expect((await decodeOnnx(bytesOf(chain))).nodes.at(-1)?.outputs).toEqual(["y"]);
  });
});

const twoRelus = [node("Relu", ["x"], "u"), node("Relu", ["u"], "y")];

describe("a bad file", () => {
  const cases: [string, Uint8Array, RegExp][] = [
    [
      "is empty",
      new Uint8Array(),
      /^model: wanted an ONNX model, got 0 bytes that are truncated or of another format$/,
    ],
    ["is text", new TextEncoder().encode("<!DOCTYPE html>"), /^model: wanted an ONNX model, got 15 bytes/],
    [
      "is a Git LFS pointer",
      new TextEncoder().encode("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
      /^model: wanted an ONNX model, got a Git LFS pointer to one \(git lfs pull\)$/,
    ],
    ["is truncated", encodeOnnx(mlpModel()).subarray(0, 200), /^model: wanted an ONNX model, got 200 bytes/],
    ["is of IR 2", changed((m) => (m.irVersion = 2n)), /^IR version: wanted 3 to 13, got 2$/],
    ["is of opset 8", bytesOf(twoRelus, {}, { opset: 8 }), /^opset: wanted 9 to 24, got 8$/],
    ["is of opset 25", bytesOf(twoRelus, {}, { opset: 25 }), /^opset: wanted 9 to 24, got 25$/],
    [
      "is of another domain",
      changed((m) => (m.opsetImport[0]!.domain = "ai.onnx.ml")),
      /^opset: wanted operators of the default domain, got ai\.onnx\.ml$/,
    ],
    [
      "has a cycle",
      bytesOf([node("Add", ["x", "v"], "u"), node("Relu", ["u"], "v"), node("Relu", ["v"], "y")]),
      /^graph: wanted no cycles, got a value that depends on itself: [uv]$/,
    ],
    [
      "has a node that feeds itself",
      bytesOf([node("Add", ["x", "y"], "y")]),
      /^graph: wanted no cycles, got .*: y$/,
    ],
    [
      "has a loose end",
      bytesOf([node("Add", ["x", "missing"], "y")]),
      /^graph: wanted values that are made somewhere, got missing, which nothing makes, for y$/,
    ],
    [
      "makes no output",
      bytesOf([node("Relu", ["x"], "z")]),
      /^graph: wanted values that are made .*, got y, .* for an output$/,
    ],
    ["has no output", bytesOf(twoRelus, {}, { outputs: [] }), /^graph: wanted an output, got none$/],
    [
      "makes a value twice",
      bytesOf([...twoRelus, node("Relu", ["x"], "u")]),
      /^graph: wanted every value made once, got u twice$/,
    ],
    [
      "makes its input",
      bytesOf([node("Relu", ["x"], "x")]),
      /^graph: wanted every value made once, got x twice$/,
    ],
    [
      "has an initialiser twice",
      changed(({ graph }) => (graph!.initializer[1]!.name = "a.weight")),
      /^graph: wanted every value made once, got a\.weight twice$/,
    ],
    [
      "has float16 weights",
      changed(({ graph }) => graph!.initializer.forEach((tensor) => (tensor.dataType = FLOAT16))),
      /^initialisers: wanted float32, float64, int32, int64 or bool, got float16 \(a\.weight, a\.bias, b\.weight and 1 more\)$/,
    ],
    [
      "has weights of a type that does not exist",
      changed(({ graph }) => (graph!.initializer[0]!.dataType = 99)),
      /^initialisers: wanted float32, .*, got type 99 \(a\.weight\)$/,
    ],
    [
      "has an input of float16",
      changed(
        ({ graph }) => ((graph!.input[0]!.type!.value.value as { elemType: number }).elemType = FLOAT16),
      ),
      /^input x: wanted float32, float64, int32, int64 or bool, got float16$/,
    ],
    [
      "has an input without a type",
      changed(({ graph }) => delete graph!.input[0]!.type),
      /^input x: wanted a tensor, got no type$/,
    ],
    [
      "has too few bytes for a shape",
      changed(({ graph }) => (graph!.initializer[0]!.dims = [4n, 4n])),
      /^initialiser a\.weight: wanted 64 bytes for shape \[4,4\], got 48$/,
    ],
    [
      "has a huge shape",
      changed(({ graph }) => (graph!.initializer[0]!.dims = [2n ** 40n, 2n ** 40n])),
      /^initialiser a\.weight: wanted a shape that can be, got \[1099511627776,1099511627776\]$/,
    ],
    [
      "has a huge shape behind a zero",
      changed(({ graph }) => (graph!.initializer[0]!.dims = [0n, 2n ** 62n])),
      /^initialiser a\.weight: wanted a shape that can be/,
    ],
    [
      "has a negative size",
      changed(({ graph }) => (graph!.initializer[0]!.dims = [-4n, -3n])),
      /^initialiser a\.weight: wanted a shape that can be, got \[-4,-3\]$/,
    ],
    [
      "has no numbers",
      changed(({ graph }) => (graph!.initializer[0]!.rawData = new Uint8Array())),
      /^initialiser a\.weight: wanted 12 numbers for shape \[4,3\], got 0$/,
    ],
    [
      "has subgraphs",
      changed(({ graph }) => {
        const proto = graph!.node[1]!;
        proto.opType = "If";
        proto.attribute = [create(AttributeProtoSchema, { name: "then_branch", type: GRAPH })];
      }),
      /^ops: wanted one graph without branches and loops, got If, which hold graphs of their own$/,
    ],
    [
      "has an attribute without a type",
      changed(({ graph }) => (graph!.node[0]!.attribute[0]!.type = 0)),
      /^Gemm Gemm:u, transB: wanted numbers, strings or a tensor, got no type$/,
    ],
  ];
  it.each(cases)("that %s", async (_, bytes, line) => {
    const error: unknown = await decodeOnnx(bytes).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(InputError);
    expect((error as InputError).message).toMatch(line);
  });

  it("that is no bytes at all", async () => {
    await expect(decodeOnnx("model.onnx" as never)).rejects.toThrow(
      'model: wanted the bytes of an ONNX file (a Uint8Array), got "model.onnx"',
    );
  });

  it("that is nested without end", async () => {
    // Graphs in attributes of nodes in graphs: AttributeProto.g = 6, NodeProto.attribute = 5, GraphProto.node = 1.
    let bytes = Buffer.alloc(0);
    for (let i = 0; i < 4000; i++) {
      for (const tag of [0x32, 0x2a, 0x0a])
        bytes = Buffer.concat([Buffer.of(tag, ...varint(bytes.length)), bytes]);
    }
    const file = Buffer.concat([Buffer.of(0x08, 10, 0x3a, ...varint(bytes.length)), bytes]);
    await expect(decodeOnnx(file)).rejects.toThrow(InputError);
  });

  it("whatever its bytes are, is an InputError or a model", async () => {
    const good = encodeOnnx(mlpModel());
    const edits = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(edits, fc.integer({ min: 1, max: good.length }), async (changes, length) => {
        const bytes = good.slice(0, changes.length % 2 ? good.length : length);
        for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte;
        const result: unknown = await decodeOnnx(bytes).catch((error: unknown) => error);
        if (result instanceof Error) {
          expect(result).toBeInstanceOf(InputError);
          expect(result.message).not.toContain("\n");
        }
      }),
      { numRuns: 2000 },
    );
  });
});

function varint(value: number): number[] {
  return value > 0x7f ? [(value & 0x7f) | 0x80, ...varint(value >>> 7)] : [value];
}
