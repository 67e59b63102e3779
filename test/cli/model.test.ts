/**
 * @file `natgrad model`: what it prints of a network, of a model that is none, and of what is no model.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { bytesOf, floats, node, value, wave } from "../onnx/models.ts";
import { natgrad } from "./terminal.ts";

const folder = mkdtempSync(join(tmpdir(), "natgrad-model-"));
afterAll(() => rmSync(folder, { recursive: true }));
const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/onnx/${name}.onnx`, import.meta.url));

function file(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

describe("natgrad model", () => {
  it("prints inputs, outputs, blocks and ops", async () => {
    const { exitCode, stdout, stderr } = await natgrad("model", fixture("gpt_legacy14"));
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toMatch(/^model {4}IR \d+, opset 14, pytorch [\d.]+$/m);
    expect(stdout).toMatch(/^input {4}x int64 \[N, 6\]$/m);
    expect(stdout).toMatch(/^network {2}6 inputs, 7 outputs, 9 blocks, 720 parameters$/m);
    expect(stdout).toMatch(/^1 +8 x 7 +7 +embedding\.weight$/m);
    expect(stdout).toMatch(/^\d+ +8 x 2 +1 +norm\.weight, norm\.bias$/m);
    expect(stdout).toMatch(/^Softmax +1 +yes$/m);
  });

  it("prints one line of JSON", async () => {
    const { exitCode, stdout } = await natgrad("model", fixture("mlp_external_dynamo20"), "--format jsonl");
    expect(exitCode).toBe(0);
    const { event, network } = JSON.parse(stdout) as { event: string; network: { blocks: unknown[] } };
    expect(event).toBe("model");
    expect(network.blocks[0]).toEqual({
      parameters: ["0.weight", "0.bias"],
      fanOut: 8,
      columns: 7,
      positions: 1,
    });
  });

  it("prints what it knows of a model that is no network, and the reason", async () => {
    const nodes = [node("GridSample", ["x", "w"], "u"), node("Relu", ["u"], "v"), node("Floor", ["v"], "y")];
    const { exitCode, stdout, stderr } = await natgrad(
      "model",
      file("other.onnx", bytesOf(nodes, { w: wave(2, 2) })),
    );
    expect(exitCode).toBe(2);
    expect(stdout).toMatch(/^network {2}none$/m);
    expect(stdout).toMatch(/^Floor +1 +no$/m);
    expect(stdout).toMatch(/^GridSample +1 +no$/m);
    expect(stdout).toMatch(/^Relu +1 +yes$/m);
    expect(stderr).toBe("natgrad: ops: wanted those that natgrad has (docs/onnx.md), got GridSample\n");
  });

  it("takes sizes and an output", async () => {
    const bytes = bytesOf(
      [
        node("MatMul", ["x", "W"], "y"),
        node("ReduceMean", ["y"], "z", { axes: { ints: [1] }, keepdims: { int: 0 } }),
      ],
      { W: floats([3, 2], 1, 2, 3, 4, 5, 6) },
      {
        opset: 13,
        inputs: [value("x", ["N", "T", 3])],
        outputs: [value("y", undefined), value("z", undefined)],
      },
    );
    const path = file("open.onnx", bytes);
    const first = await natgrad("model", path, "--output_name z");
    expect(first.stderr).toMatch(
      /^natgrad: input x: wanted samples of a fixed size, \[N, \.\.\.\], got \[N, T, 3\]\n$/,
    );
    const { exitCode, stdout } = await natgrad("model", path, "--output-name z --sizes T=5");
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^network {2}15 inputs, 2 outputs, 1 blocks, 6 parameters$/m);
  });

  it.each([
    [["model"], /^natgrad: file: wanted a value, got nothing$/],
    [["model", "gone.onnx"], /^natgrad: gone\.onnx: wanted a readable file, got ENOENT$/],
    [["model", folder], /wanted a readable file, got EISDIR$/],
    [["model", file("text.onnx", new TextEncoder().encode("hello")), ""], /^natgrad: /],
    [
      ["model", fixture("mlp_legacy13"), "--format", "xml"],
      /^natgrad: format: wanted one of table, jsonl, got xml$/,
    ],
    [
      ["model", fixture("mlp_legacy13"), "--sizes", "T"],
      /^natgrad: sizes: wanted name=size, as sequence=16, got T$/,
    ],
    [["model", fixture("mlp_legacy13"), "--output_name", "z"], /^natgrad: output: wanted one of y, got z$/],
    [
      ["model", file("cut.onnx", readFileSync(fixture("mlp_legacy13")).subarray(0, 700))],
      /^natgrad: model: wanted an ONNX model, got 700 bytes that are truncated or of another format$/,
    ],
    [
      ["model", file("alone.onnx", readFileSync(fixture("mlp_external_dynamo20")))],
      /^natgrad: external data: wanted a readable file mlp_external_dynamo20\.onnx\.data, got ENOENT$/,
    ],
    [["model", fixture("mlp_legacy13"), "--depth", "3"], /^natgrad: --depth: wanted a known option/],
  ])("refuses %j in one line", async (args, line) => {
    const { exitCode, stderr } = await natgrad(...args);
    expect(exitCode).toBe(2);
    expect(stderr.trimEnd()).toMatch(line);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  });
});
