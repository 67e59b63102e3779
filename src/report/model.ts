/**
 * @file What an ONNX model holds, as text: tables, or one line of JSON.
 */
import { printable } from "../error.ts";
import type { OnnxDescription } from "../network/onnx/describe.ts";
import type { OnnxValue } from "../onnx/model.ts";

/** Ways to print a description. */
export const MODEL_WRITERS: Readonly<Record<"table" | "jsonl", (model: OnnxDescription) => string>> = {
  table: (model) =>
    [facts(model), blocks(model), ops(model)]
      .filter((rows) => rows.length > 0)
      .map((rows) => columns(rows))
      .join("\n"),
  jsonl: ({ fault, ...model }) => `${JSON.stringify({ event: "model", ...model, fault: fault?.message })}\n`,
};

/** Rows of cells as columns of equal width. */
function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, i) => cell.padEnd(widths[i]!))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}

const grouped = (n: number): string => String(n).replaceAll(/\B(?=(\d{3})+$)/g, ",");

const valueText = ({ name, type, dims }: OnnxValue): string =>
  `${printable(name)} ${type} ${dims ? `[${dims.map((size) => size ?? "?").join(", ")}]` : "of any shape"}`;

function facts({
  producer,
  ir,
  opset,
  inputs,
  outputs,
  nodes,
  numbers,
  network,
}: OnnxDescription): string[][] {
  const made = network
    ? `${grouped(network.inputs)} inputs, ${grouped(network.outputs)} outputs, ${network.blocks.length} blocks, ${grouped(network.parameters)} parameters`
    : "none";
  return [
    ["model", `IR ${ir}, opset ${opset}${producer === "" ? "" : `, ${printable(producer)}`}`],
    ...inputs.map((value) => ["input", valueText(value)]),
    ...outputs.map((value) => ["output", valueText(value)]),
    ["nodes", grouped(nodes)],
    ["numbers", grouped(numbers)],
    ["network", made],
  ];
}

const blocks = ({ network }: OnnxDescription): string[][] =>
  network === undefined
    ? []
    : [
        ["block", "theta", "positions", "parameters"],
        ...network.blocks.map(({ parameters, fanOut, columns, positions }, l) => [
          String(l + 1),
          `${fanOut} x ${columns}`,
          String(positions),
          parameters.map(printable).join(", "),
        ]),
      ];

const ops = ({ ops }: OnnxDescription): string[][] => [
  ["op", "nodes", "known"],
  ...ops.map(({ op, nodes, known }) => [printable(op), String(nodes), known ? "yes" : "no"]),
];
