/**
 * @file Networks as PyTorch's two exporters write them (test/fixtures/onnx): their normal form computes what the files do, and its parameters are those
 * that PyTorch trains.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readNpz } from "../../../src/linalg/npz.ts";
import { decodeOnnx } from "../../../src/onnx/decode.ts";
import { encodeOnnx } from "../../../src/onnx/encode.ts";
import { externalDataOf } from "../../../src/onnx/node/external-data.ts";
import { normalise } from "../../../src/onnx/normal/normalise.ts";
import { modelOf } from "../../../src/onnx/normal/write.ts";
import { difference, opsOf, outputOf } from "./same.ts";

const fileOf = (name: string) => new URL(`../../fixtures/onnx/${name}`, import.meta.url);
const bytesOf = (name: string) => new Uint8Array(readFileSync(fileOf(name)));

type Entry = { name: string; batch: string | number; parameters: string[] };
const entries = JSON.parse(readFileSync(fileOf("models.json"), "utf8")) as Entry[];

/** The normal form of a file. */
async function read(name: string) {
  const external = externalDataOf(fileURLToPath(fileOf(`${name}.onnx`)));
  return normalise(await decodeOnnx(bytesOf(`${name}.onnx`), { external }));
}

describe("exported networks", () => {
  it.each(entries)("$name", async ({ name, parameters }) => {
    const graph = await read(name);
    const arrays = await readNpz(bytesOf(`${name}.npz`), name);
    const [x, y] = ["x", "y"].map((key) => arrays.get(key)!) as [
      NonNullable<ReturnType<typeof arrays.get>>,
      NonNullable<ReturnType<typeof arrays.get>>,
    ];
    const data =
      graph.input.type === "int64" ? BigInt64Array.from(x.data, BigInt) : Float32Array.from(x.data);
    const got = await outputOf(encodeOnnx(modelOf(graph)), graph, data, x.shape[0]!);
    expect(got.dims).toEqual(y.shape);
    expect(difference(Array.from(y.data), got.data)).toBeLessThan(1e-5);
    expect(graph.parameters.map(({ name }) => name).toSorted()).toEqual(parameters.toSorted());
  });

  it("have attention, normalisation and activations as single nodes, whoever wrote them out", async () => {
    const forms = ["vit_legacy13", "vit_legacy17", "vit_dynamo18", "vit_dynamo20"].map(async (name) =>
      opsOf(await read(name)),
    );
    const counts = (await Promise.all(forms)).map((ops) =>
      ["LayerNormalization", "Gelu", "Softmax", "Erf", "Pow", "Sqrt"].map(
        (op) => ops.filter((o) => o === op).length,
      ),
    );
    for (const count of counts) expect(count).toEqual([5, 2, 2, 0, 0, 0]);
  });

  it("have tied weights as one parameter", async () => {
    const { nodes, parameters } = await read("gpt_legacy14");
    const table = parameters.findIndex(({ name }) => name === "embedding.weight");
    const uses = nodes.filter((node) => node.parameters.some(({ parameter }) => parameter === table));
    expect(uses.map(({ op }) => op)).toEqual(["Embedding", "Dense"]);
    for (const name of ["recurrent_legacy13", "recurrent_dynamo20"]) {
      const { nodes, parameters } = await read(name);
      const state = parameters.findIndex(({ name }) => name === "state.weight");
      expect(
        nodes.filter((node) => node.parameters.some(({ parameter }) => parameter === state)),
      ).toHaveLength(4);
    }
  });
});
