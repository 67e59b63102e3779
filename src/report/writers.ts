/**
 * @file How a run is printed: as the table, as JSON lines, or as CSV. A writer turns an event into text.
 */
import { className } from "../data/classes.ts";
import { printable } from "../error.ts";
import { architectureText } from "../experiment/architecture/describe.ts";
import { isModel } from "../experiment/model/model-option.ts";
import { OPTIONS, type Config, type OptionName } from "../experiment/config.ts";
import { fisherOf, modulesOf, type OwnOption } from "../experiment/own.ts";
import type { ConfigEvent, DoneEvent, Metrics, RunEvent } from "../experiment/events.ts";
import { sizeText } from "../experiment/bytes.ts";
import { networkLines, networkOptionCounts } from "./network.ts";
import { formatG, tableHeader, tableRow, type TableLayout } from "./table.ts";

/** Text for an event; empty for an event that is not printed. */
export type Writer = (event: RunEvent) => string;

const METRICS: readonly (keyof Metrics)[] = ["train_accuracy", "train_loss", "test_accuracy", "test_loss"];

/** The configuration, the paper's table and the time. */
export const tableWriter: Writer = (event) => {
  if (event.event === "config") return `${configBlock(event)}\n${tableHeader(layoutOf(event))}\n`;
  if (event.event === "step") return `${tableRow(event)}\n`;
  if (event.event === "notice") return "";
  return `${footer(event)}\n`;
};

/** One JSON object per line; numbers that are not finite become the strings "NaN", "Infinity" and "-Infinity". */
export const jsonlWriter: Writer = (event) => {
  const { event: name, ...rest } = event;
  // Values that the run found (the classes of a file, the learning rate) take the place of options.
  const flat =
    "config" in rest
      ? {
          ...countingOptions(rest.config),
          modules: modulesOf(rest.config),
          ...rest,
          own: undefined,
          config: undefined,
        }
      : rest;
  return `${JSON.stringify({ event: name, ...flat }, (_, v: unknown) =>
    typeof v === "number" && !Number.isFinite(v) ? String(v) : v,
  )}\n`;
};

/** All options, but for those that layers of a file, or a model, make idle. */
const countingOptions = (config: Config): Partial<Config> =>
  Object.fromEntries(
    Object.entries(config).filter(
      ([name]) =>
        (name === "architecture" && !isModel(config.architecture)) || networkOptionCounts(name, config),
    ),
  );

/** One row per step. */
export const csvWriter: Writer = (event) => {
  if (event.event === "done" || event.event === "notice") return "";
  if (event.event === "config") {
    const { predictions, adaptive, iterative } = layoutOf(event);
    const names = [
      "step",
      ...METRICS,
      ...(predictions > 0 ? METRICS.map((name) => `predict_${name}`) : []),
      ...(predictions > 1 ? METRICS.map((name) => `predict_empirical_${name}`) : []),
      ...(adaptive ? ["damping", "reduction_ratio"] : []),
      ...(iterative ? ["cg_iterations", "cg_residual"] : []),
    ];
    return `${names.join()}\n`;
  }
  const { predict, predict_empirical: empirical, damping, reduction_ratio: ratio, solve } = event;
  const values = [
    event.step,
    ...METRICS.map((m) => event[m]),
    ...(predict ? METRICS.map((m) => predict[m]) : []),
    ...(empirical ? METRICS.map((m) => empirical[m]) : []),
    ...(damping === undefined ? [] : [damping, ratio ?? ""]),
    ...(solve === undefined ? [] : [solve?.iterations ?? "", solve?.relative_residual ?? ""]),
  ];
  return `${values.join()}\n`;
};

const PREDICTIONS = { none: 0, auto: 1, analytic: 1, empirical: 1, both: 2 } as const;

const layoutOf = ({ config, plan }: ConfigEvent): TableLayout => ({
  predictions: config.kernel_path !== undefined ? 1 : PREDICTIONS[config.kernel],
  adaptive: config.damping_schedule !== "constant",
  iterative: plan.solver === "cg",
});

export const WRITERS = { table: tableWriter, jsonl: jsonlWriter, csv: csvWriter } as const;

const RULE = "==================";

/** The options that have an effect in this run, and what followed from them. */
function configBlock(event: ConfigEvent): string {
  const { config, target_classes, learning_rate, plan, isotropy, kernel_reason } = event;
  const values: Partial<Record<OptionName, unknown>> = {
    ...config,
    architecture: architectureText(config.architecture),
    kernel: kernel_reason === undefined ? config.kernel : `${config.kernel} (${kernel_reason})`,
    target_classes: `[${target_classes.map(className).join(", ")}]`,
    learning_rate: formatG(learning_rate) + measuredNote(event),
    memory_limit: config.memory_limit === undefined ? undefined : sizeText(config.memory_limit),
    solver: plan.solver,
  };
  const lines = OPTIONS.filter((name) => values[name] !== undefined && counts(name, event)).map(
    (name) => `${name}: ${printable(String(values[name]))}${fileOf(config, name)}`,
  );
  const time = plan.seconds === undefined ? "" : ` and ${duration(plan.seconds)}`;
  lines.push(...networkLines(event), `plan: about ${sizeText(plan.bytes)} of memory${time}`);
  if (isotropy) {
    const { alpha, alpha_theory, deviation, probes, size } = isotropy;
    // With fewer probes than columns the figures are estimates.
    const how = probes === size ? "" : ` (from ${probes} random probes)`;
    const theory = alpha_theory === null ? "" : ` (theory: ${formatG(alpha_theory)})`;
    lines.push(
      `alpha: ${formatG(alpha)}${theory}`,
      `isotropy: |G - alpha I| / |alpha I| = ${formatG(deviation)}${how}`,
    );
  }
  return [RULE, ...lines, RULE].join("\n");
}

/** Seconds, minutes or hours, rounded as an estimate. */
const duration = (seconds: number): string =>
  seconds < 100
    ? `${Number(seconds.toPrecision(1))} s`
    : seconds < 6000
      ? `${Math.round(seconds / 60)} min`
      : `${(seconds / 3600).toFixed(1)} h`;

/** The module that an option's value is from, in parentheses. */
export const fileOf = (config: Config, name: string): string => {
  const { file } = modulesOf(config)?.[name as OwnOption] ?? {};
  return file === undefined ? "" : ` (${printable(file)})`;
};

/** Whether an option has an effect in this run. */
function counts(name: OptionName, { config, plan }: ConfigEvent): boolean {
  const fromFile = config.dataset_path !== undefined;
  switch (name) {
    case "dataset":
    case "n_classes":
      return !fromFile;
    case "target_classes":
      return config.dataset !== "synthetic" || fromFile;
    case "kernel":
      return config.kernel_path === undefined;
    case "kernel_batch_size":
      return config.kernel_path === undefined && config.kernel !== "none";
    case "cg_tolerance":
    case "cg_max_iterations":
    case "preconditioner_rank":
      return plan.solver === "cg";
    case "gd_prediction":
      return fisherOf(config).continuous === true && config.kernel !== "none";
    case "save_dataset_dir":
    case "save_kernel_dir":
    case "save_init_weights_dir":
      return config[name.slice(0, -"_dir".length) as "save_dataset"];
    case "forster_transform_n_iters":
    case "forster_transform_tol":
      return config.forster_transform;
    case "singular":
      return config.singular !== "refuse";
    case "architecture":
    case "n_layers":
    case "width":
    case "activation":
    case "weight_variance":
    case "bias_variance":
    case "parameterization":
    case "prng":
      return networkOptionCounts(name, config);
    case "store_on_device":
      return false;
    default:
      return config[name] !== false;
  }
}

const STAGES = { weights: "weights", kernel: "kernel", loop: "steps" } as const;

function footer({ seconds, peak_rss_bytes, timings, diverged, diverged_at }: DoneEvent): string {
  const parts = Object.entries(STAGES).map(([name, text]) => `${text} ${(timings[name] ?? 0).toFixed(2)} s`);
  const memory = Math.round(peak_rss_bytes / 2 ** 20);
  const since = diverged_at === undefined ? "" : `, from step ${diverged_at} on`;
  return `${diverged ? "diverged" : "done"} in ${seconds.toFixed(2)} s (${parts.join(", ")}), peak memory ${memory} MiB${since}`;
}

/** Says where a learning rate comes from that the theory has not. */
function measuredNote({ alpha_measured: alpha, learning_rate_by: by }: ConfigEvent): string {
  if (alpha === undefined) return "";
  const what = by === "stability" ? "half of the largest stable one" : `1/alpha, alpha = ${formatG(alpha)}`;
  return ` (${what}, measured at the start: the theory has none here)`;
}
