/**
 * @file How the explanation of a run is printed: as a table of its blocks and its plan, or as JSON.
 */
import { sizeText } from "../experiment/bytes.ts";
import type { BlockPlan, Explanation } from "../experiment/explain.ts";
import { isModel } from "../experiment/model/model-option.ts";
import { networkLines } from "./network.ts";

/** Writers by format. */
export const EXPLANATION_WRITERS = { table: explanationTable, jsonl: explanationLine } as const;

const NAMES = ["block", "layer", "input", "weights", "positions", "form", "kept", "Gram", "why"] as const;

/** A table of the blocks, and the parts of the plan. */
function explanationTable({ network, samples, batch, blocks, plan, ...rest }: Explanation): string {
  const { config, kernel_reason, solver_reason } = rest;
  const { network: ours, solves } = plan.operations;
  const parts = Object.entries(plan.parts)
    .filter(([, bytes]) => bytes >= 5e5)
    .toSorted(([, a], [, b]) => b - a);
  const because = (reason: string | undefined): string => (reason === undefined ? "" : ` (${reason})`);
  return `${[
    ...networkLines(network),
    "",
    ...columns([NAMES, ...blocks.map(blockCells)]),
    "",
    `method: ${config.natural_gradient_type ?? "gradient descent"}, ${config.loss_type}`,
    `samples: ${samples.train} training, ${samples.test} test; ${batch} per step, ${Math.min(plan.tile, batch)} at a time through the network`,
    ...(config.kernel_path === undefined ? [`kernel: ${config.kernel}${because(kernel_reason)}`] : []),
    ...(plan.solver ? [`solver: ${plan.solver}${because(solver_reason)}`] : []),
    `operations: about ${ours.toPrecision(2)} of the network, ${solves.toPrecision(2)} of solves`,
    `memory: about ${sizeText(plan.bytes)} at the peak`,
    ...parts.map(([name, bytes]) => `  ${name}: ${sizeText(bytes)}`),
  ].join("\n")}\n`;
}

const blockCells = (block: BlockPlan, l: number): readonly string[] => [
  String(l + 1),
  block.layer,
  `[${block.input.join(", ")}]`,
  block.weights.join(" x "),
  String(block.positions),
  block.form,
  sizeText(block.bytes),
  block.algorithm,
  block.reason,
];

/** Rows of cells, as wide as the widest of each column. */
function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, k) => Math.max(...rows.map((cells) => cells[k]!.length)));
  return rows.map((cells) =>
    cells
      .map((cell, k) => cell.padEnd(widths[k]!))
      .join("  ")
      .trimEnd(),
  );
}

/** One line of JSON. */
function explanationLine({ config, network, samples, batch, plan, ...rest }: Explanation): string {
  const { architecture, natural_gradient_type, loss_type, kernel } = config;
  const { bytes, parts, tile, solver, operations } = plan;
  return `${JSON.stringify({
    event: "explanation",
    architecture: isModel(architecture) ? architecture.model : architecture,
    natural_gradient_type,
    loss_type,
    kernel,
    ...network,
    train_size: samples.train,
    test_size: samples.test,
    batch_size: batch,
    ...rest,
    plan: { bytes, parts, tile, solver, operations },
  })}\n`;
}
