/**
 * @file How a run is printed: as the table, as JSON lines, or as CSV. A writer turns an event into text.
 */
import { OPTIONS } from "../experiment/config.ts";
import type { ConfigEvent, DoneEvent, Metrics, RunEvent } from "../experiment/run.ts";
import { formatG, tableHeader, tableRow } from "./table.ts";

/** Text for an event; empty for nothing. */
export type Writer = (event: RunEvent) => string;

const METRICS: readonly (keyof Metrics)[] = ["train_accuracy", "train_loss", "test_accuracy", "test_loss"];

/** The configuration, the paper's table and the time. */
export const tableWriter: Writer = (event) => {
  if (event.event === "config") return `${configBlock(event)}\n${tableHeader()}\n`;
  if (event.event === "step") return `${tableRow(event)}\n`;
  return `${footer(event)}\n`;
};

/** One JSON object a line; numbers that are not finite become strings. */
export const jsonlWriter: Writer = (event) => {
  const { event: name, ...rest } = event;
  const flat = "config" in rest ? { ...rest.config, ...rest, config: undefined } : rest;
  return `${JSON.stringify({ event: name, ...flat }, (_, v: unknown) =>
    typeof v === "number" && !Number.isFinite(v) ? String(v) : v,
  )}\n`;
};

/** A row a step. */
export const csvWriter: Writer = (event) => {
  if (event.event === "config") {
    return `step,${[...METRICS, ...METRICS.map((name) => `predict_${name}`)].join()}\n`;
  }
  if (event.event === "done") return "";
  return `${[event.step, ...METRICS.map((m) => event[m]), ...METRICS.map((m) => event.predict[m])].join()}\n`;
};

export const WRITERS = { table: tableWriter, jsonl: jsonlWriter, csv: csvWriter } as const;

const RULE = "==================";

/** What the run is made of: the flags, and what followed from them. */
function configBlock({ config, widths, target_classes, learning_rate, isotropy }: ConfigEvent): string {
  const shown: [string, unknown][] = [];
  for (const name of OPTIONS) {
    const value =
      name === "target_classes"
        ? target_classes
        : name === "learning_rate"
          ? formatG(learning_rate)
          : config[name];
    if (value === undefined || value === false || HIDDEN.has(name)) continue;
    shown.push([name, Array.isArray(value) ? `[${value.join(", ")}]` : value]);
  }
  shown.push(["widths", widths.join(" - ")]);
  if (isotropy) {
    const { alpha, alpha_theory, deviation, probes } = isotropy;
    const how = probes < config.train_size ? ` (from ${probes} random probes)` : "";
    shown.push([
      "isotropy",
      `|G - alpha I| / |alpha I| = ${formatG(deviation)}, alpha = ${formatG(alpha)}, ` +
        `alpha of theory = ${alpha_theory === null ? "none" : formatG(alpha_theory)}${how}`,
    ]);
  }
  const lines = shown.map(([name, value]) => `${name}: ${String(value)}`);
  return [RULE, ...lines, RULE].join("\n");
}

/** Options that say something only when they are used. */
const HIDDEN = new Set([
  "store_on_device",
  "save_dataset_dir",
  "save_kernel_dir",
  "save_init_weights_dir",
  "forster_transform_n_iters",
  "forster_transform_tol",
  "gd_prediction",
  "n_classes",
  "width",
]);

function footer({ seconds, peak_rss_bytes, timings, diverged }: DoneEvent): string {
  const parts = ["weights", "kernel", "loop"]
    .map((name) => `${name} ${(timings[name] ?? 0).toFixed(3)} s`)
    .join(", ");
  const end = diverged ? "diverged: the loss is not a number any more\n" : "";
  return `${end}${seconds.toFixed(2)} s (${parts}), peak memory ${Math.round(peak_rss_bytes / 2 ** 20)} MiB`;
}
