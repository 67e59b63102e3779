/**
 * @file Tensors in files beside the model: read by offset and length, and never from outside its folder.
 */
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ModelProtoSchema, TensorProto_DataLocation as Location } from "onnx-buf";
import { afterAll, describe, expect, it } from "vitest";
import { InputError } from "../../../src/error.ts";
import { decodeOnnx } from "../../../src/onnx/decode.ts";
import { encodeOnnx } from "../../../src/onnx/encode.ts";
import { externalDataOf } from "../../../src/onnx/node/external-data.ts";
import { mlpModel } from "../models.ts";

const root = mkdtempSync(join(tmpdir(), "natgrad-onnx-"));
const folder = join(root, "models");
mkdirSync(join(folder, "data"), { recursive: true });
afterAll(() => rmSync(root, { recursive: true }));

const plain = mlpModel();
const numbers = plain.initialisers.get("a.weight")!.data;
const content = new Uint8Array(numbers.byteLength + 8);
content.set(new Uint8Array(numbers.buffer), 8);
writeFileSync(join(folder, "data", "weights.bin"), content);
writeFileSync(join(root, "secret.bin"), content);
symlinkSync(join(root, "secret.bin"), join(folder, "data", "link.bin"));
symlinkSync(join(folder, "data", "weights.bin"), join(folder, "inside.bin"));

/** The model with the first weights in a file. */
function bytesWith(entries: Record<string, string>): Uint8Array {
  const proto = fromBinary(ModelProtoSchema, encodeOnnx(plain));
  const [tensor] = proto.graph!.initializer;
  tensor!.rawData = new Uint8Array();
  tensor!.dataLocation = Location.EXTERNAL;
  tensor!.externalData = Object.entries(entries).map(([key, value]) => ({
    $typeName: "onnx.StringStringEntryProto",
    key,
    value,
  }));
  return toBinary(ModelProtoSchema, proto);
}

const external = externalDataOf(join(folder, "model.onnx"));
const at = { offset: "8", length: "48" };

describe("external data", () => {
  it.each(["data/weights.bin", "./data/weights.bin", "inside.bin"])("in %s", async (location) => {
    const { initialisers } = await decodeOnnx(bytesWith({ location, ...at }), { external });
    expect(initialisers).toEqual(plain.initialisers);
    const { initialisers: short } = await decodeOnnx(bytesWith({ location, offset: "8" }), { external });
    expect(short).toEqual(plain.initialisers);
  });

  it("from any function of the caller", async () => {
    const files: Record<string, Uint8Array> = { "weights.bin": content };
    const { initialisers } = await decodeOnnx(bytesWith({ location: "weights.bin", ...at }), {
      external: ({ location, offset, length }) => files[location]!.subarray(offset, offset + length),
    });
    expect(initialisers).toEqual(plain.initialisers);
  });

  it.each([
    [
      "../secret.bin",
      /: wanted external data in a file below the folder of the model, got \.\.\/secret\.bin$/,
    ],
    ["data/../../secret.bin", /below the folder of the model/],
    ["/etc/passwd", /below the folder of the model, got \/etc\/passwd$/],
    ["..\\secret.bin", /below the folder of the model/],
    ["C:\\secret.bin", /below the folder of the model/],
    ["file:///etc/passwd", /below the folder of the model/],
    ["data/weights.bin\0", /below the folder of the model, got data\/weights\.bin\\u0000$/],
    ["", /below the folder of the model, got no location$/],
    [
      "data/link.bin",
      /^external data: wanted files below the folder of the model, got data\/link\.bin, which leads outside$/,
    ],
    ["data", /^external data: wanted a readable file data, got EISDIR$/],
    [".", /^external data: wanted/],
    ["gone.bin", /^external data: wanted a readable file gone\.bin, got ENOENT$/],
  ])("in %s is refused", async (location, line) => {
    const error: unknown = await decodeOnnx(bytesWith({ location, ...at }), { external }).catch(
      (e: unknown) => e,
    );
    expect(error).toBeInstanceOf(InputError);
    expect((error as InputError).message).toMatch(line);
  });

  it.each([
    [
      { offset: "-1" },
      /^initialiser a\.weight: wanted a whole number as offset of its external data, got -1$/,
    ],
    [{ offset: "1e3" }, /as offset of its external data, got 1e3$/],
    [
      { length: "2147483648000" },
      /^initialiser a\.weight: wanted 48 bytes of external data .*, got a length of 2147483648000$/,
    ],
    [
      { offset: "2147483648000" },
      /^external data: wanted 2147483648048 bytes in inside\.bin, got 56 \(truncated\)$/,
    ],
    [{ offset: "12" }, /^external data: wanted 60 bytes in inside\.bin, got 56 \(truncated\)$/],
  ])("at %j is refused", async (entries, line) => {
    const bytes = bytesWith({ location: "inside.bin", ...entries });
    await expect(decodeOnnx(bytes, { external })).rejects.toThrow(line);
  });

  it("without a way to read it is refused, and so is a function that reads too little", async () => {
    const bytes = bytesWith({ location: "inside.bin", ...at });
    await expect(decodeOnnx(bytes)).rejects.toThrow(
      /^initialiser a\.weight: wanted a way to read external data \(the option `external`\), got none for inside\.bin$/,
    );
    await expect(decodeOnnx(bytes, { external: () => new Uint8Array(3) })).rejects.toThrow(
      /^initialiser a\.weight: wanted 48 bytes at 8 of inside\.bin, got 3$/,
    );
  });
});
