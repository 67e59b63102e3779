/**
 * @file How a diagnosis is printed: as tables for people, or as JSON lines. Both turn an event into text.
 */
import { className } from "../data/classes.ts";
import { printable } from "../error.ts";
import { sizeText } from "../experiment/bytes.ts";
import { architectureText } from "../experiment/architecture/describe.ts";
import type { Config } from "../experiment/config.ts";
import {
  DIAGNOSIS_OPTIONS,
  type DiagnosisConfigEvent,
  type DiagnosisEvent,
  type LayerEvent,
  type MethodEvent,
  type PosteriorEvent,
  type SpectrumEvent,
} from "../experiment/diagnosis.ts";
import { networkLines, networkOptionCounts } from "./network.ts";
import { modulesOf } from "../experiment/own.ts";
import { fileOf } from "./writers.ts";
import { formatG } from "./table.ts";

/** Text for an event; empty for an event that is printed together with a later one. */
export type DiagnosisWriter = (event: DiagnosisEvent) => string;

/** Makes the writer of a format. */
export const DIAGNOSIS_WRITERS: Readonly<Record<"table" | "jsonl", () => DiagnosisWriter>> = {
  table: diagnosisTables,
  jsonl: () => jsonLine,
};

/** One JSON object per line; numbers that are not finite become the strings "NaN", "Infinity" and "-Infinity". */
function jsonLine(event: DiagnosisEvent): string {
  const { event: name, ...rest } = event;
  const flat =
    "config" in rest
      ? { ...optionsOf(rest.config), modules: modulesOf(rest.config), ...rest, config: undefined }
      : rest;
  return `${JSON.stringify({ event: name, ...flat }, (_, v: unknown) =>
    typeof v === "number" && !Number.isFinite(v) ? String(v) : v,
  )}\n`;
}

/** The options that count in a diagnosis; the method that is asked for is in `methods`. */
const optionsOf = (config: Config): Partial<Omit<Config, "own">> =>
  Object.fromEntries(
    DIAGNOSIS_OPTIONS.filter((name) => name !== "natural_gradient_type" && config[name] !== undefined).map(
      (name) => [name, config[name]],
    ),
  );

/**
 * One table per kind of event: the spectra side by side, then one row per event. A part that is not of the loss asked for says
 * so.
 */
function diagnosisTables(): DiagnosisWriter {
  let section = "";
  let asked = "";
  let hasBoth = true;
  const spectra: SpectrumEvent[] = [];
  const row = (name: keyof typeof COLUMNS, heading: string, cells: string): string => {
    const start = section === name ? "" : `\n${heading}\n${columns(name, COLUMNS[name])}\n`;
    section = name;
    return `${start}${cells}\n`;
  };
  const whose = (lossType: string): string => (lossType === asked ? "" : ` (${lossType})`);
  return (event) => {
    switch (event.event) {
      case "config":
        asked = event.config.loss_type;
        hasBoth = event.kernel_reason === undefined;
        return configBlock(event);
      case "spectrum":
        spectra.push(event);
        return spectra.length === (hasBoth ? 2 : 1) ? spectrumTable(spectra, whose(event.loss_type)) : "";
      case "layer":
        return row("layer", LAYERS, layerRow(event));
      case "method":
        return row("method", methodsHeading(event, spectra), methodRow(event));
      case "posterior":
        return row("posterior", `${POSTERIORS}${whose(event.loss_type)}`, posteriorRow(event));
      case "done": {
        const memory = Math.round(event.peak_rss_bytes / 2 ** 20);
        return `\ndone in ${event.seconds.toFixed(2)} s, peak memory ${memory} MiB\n`;
      }
    }
  };
}

const WIDTHS = {
  layer: [7, 14, 12, 12, 12, 12, 12],
  method: [20, 11, 12, 12, 12, 12, 12, 0],
  posterior: [20, 15, 12, 12],
} as const;

const columns = (name: keyof typeof WIDTHS, cells: readonly string[]): string =>
  cells
    .map((cell, i) => cell.padEnd(WIDTHS[name][i]!))
    .join("")
    .trimEnd();

const COLUMNS = {
  layer: ["layer", "weights", "analytic", "empirical", "Theta", "A (inputs)", "B (signals)"],
  method: ["method", "kernel", "alpha", "of theory", "deviation", "eta default", "eta stable"],
  posterior: ["posterior", "test_accuracy", "test_loss", "deviation"],
} as const;

const LAYERS = "layers: share of tr Theta, and |empirical - analytic| / |analytic| of Theta_l, A_l and B_l";
const POSTERIORS = "test set over all initialisations, at convergence";

/** The methods may be measured under another loss than the spectra. */
const methodsHeading = ({ loss_type }: MethodEvent, [spectrum]: readonly SpectrumEvent[]): string =>
  spectrum?.loss_type === loss_type
    ? "methods: how far G is from alpha I, and learning rates"
    : `methods under ${loss_type}, curvature S S^T at the initial outputs: how far S^T G is from alpha I, and learning rates`;

/** Four significant digits. */
const short = (x: number | null): string => (x === null ? "-" : formatG(Number(x.toPrecision(4))));

const RULE = "==================";

function configBlock(event: DiagnosisConfigEvent): string {
  const { config, methods, target_classes, plan } = event;
  const fromFile = config.dataset_path !== undefined;
  const shown = {
    ...optionsOf(config),
    target_classes: `[${target_classes.map(className).join(", ")}]`,
    architecture: architectureText(config.architecture),
    ...(config.memory_limit === undefined ? {} : { memory_limit: sizeText(config.memory_limit) }),
  };
  const left = (name: string): boolean =>
    (fromFile && (name === "dataset" || name === "n_classes")) ||
    (!config.forster_transform && name.startsWith("forster_transform")) ||
    !networkOptionCounts(name, config) ||
    (name === "channels_first" && !config.channels_first);
  const lines = Object.entries(shown)
    .filter(([name]) => !left(name))
    .map(([name, value]) => `${name}: ${printable(String(value))}${fileOf(config, name)}`);
  lines.push(
    `methods: ${methods.join(", ")}${fileOf(config, "natural_gradient_type")}`,
    ...networkLines(event),
    ...(event.kernel_reason === undefined ? [] : [`kernels: empirical (${event.kernel_reason})`]),
    `plan: about ${sizeText(plan.bytes)} of memory`,
  );
  return [RULE, ...lines, RULE, ""].join("\n");
}

/** Widths of the name and of the kernels in the table of spectra. */
const NAME_WIDTH = 38;
const VALUE_WIDTH = 26;

/** @param whose the loss of what is said of gradient descent, where it is not the one asked for */
function spectrumTable(spectra: readonly SpectrumEvent[], whose: string): string {
  const line = (name: string, of: (spectrum: SpectrumEvent) => string): string =>
    `${name.padEnd(NAME_WIDTH)}${spectra.map((s) => of(s).padEnd(VALUE_WIDTH)).join("")}`.trimEnd();
  const fractions = spectra[0]!.convergence.map(({ fraction }) => fraction);
  const lines = [
    line("spectrum of Theta / N", ({ kernel }) => kernel),
    line("trace per output", (s) => short(s.trace / s.outputs)),
    line("lambda: largest", (s) => short(s.lambda_max)),
    line("        median", (s) => short(s.lambda_median)),
    line("        smallest", (s) => short(s.lambda_min)),
    line("rank", (s) => `${s.rank} of ${s.size}`),
    line("condition", (s) => short(s.condition)),
    line("alignment with the labels", (s) => short(s.alignment)),
    line("          centred", (s) => short(s.centred_alignment)),
    ...([1, 5, 10] as const).map((k) =>
      line(k === 1 ? "labels' energy in the top 1" : `                         ${k}`, (s) =>
        short(s.label_energy[k]),
      ),
    ),
    ...(whose === "" ? [] : [`gradient descent${whose}`]),
    line(whose === "" ? "gradient descent: eta stable below" : "  eta stable below", (s) =>
      short(s.max_learning_rate),
    ),
    ...fractions.map((fraction, i) =>
      line(`  eta t to ${short(100 * fraction)}% of the loss (steps)`, ({ convergence }) => {
        const { time, steps } = convergence[i]!;
        return time === Infinity ? "never" : `${short(time)} (${steps})`;
      }),
    ),
  ];
  const certain = spectra.map(({ eigenvalues, rank }) => eigenvalues.slice(0, rank));
  const [bottom, top] = [Math.min(...certain.flat()), Math.max(...certain.flat())];
  const bars = spectra.map(
    ({ kernel, size }, k) => `${kernel.padEnd(11)}${sparkline(certain[k]!, size, bottom, top)}`,
  );
  const scale = `log lambda, largest first; a bar from ${short(bottom)} to ${short(top)}`;
  return ["", ...lines, "", ...bars, `           ${scale}`, ""].join("\n");
}

const BARS = "▁▂▃▄▅▆▇█";
const MAX_BARS = 64;

/**
 * Positive numbers as bars on a logarithmic scale from `bottom` to `top`, at most 64 for `size` of them; where there are
 * fewer the rest is left out (eigenvalues that are rounding).
 */
export function sparkline(values: readonly number[], size: number, bottom: number, top: number): string {
  const count = Math.min(MAX_BARS, size);
  const height = Math.log(top / bottom);
  return Array.from({ length: count }, (_, i) => {
    const value = values[count === 1 ? 0 : Math.round((i * (size - 1)) / (count - 1))];
    if (value === undefined) return " ";
    const part = height === 0 ? 1 : Math.log(value / bottom) / height;
    return BARS[Math.min(BARS.length - 1, Math.floor(part * BARS.length))]!;
  })
    .join("")
    .trimEnd();
}

const layerRow = ({ layer, fan_in, fan_out, trace_share, distance }: LayerEvent): string =>
  columns("layer", [
    String(layer),
    fan_in === null || fan_out === null ? "" : `${fan_in} x ${fan_out}`,
    short(trace_share.analytic),
    short(trace_share.empirical),
    short(distance.ntk),
    short(distance.inputs),
    short(distance.signals),
  ]);

function methodRow(event: MethodEvent): string {
  const { method, kernel } = event;
  if ("reason" in event) return columns("method", [method, kernel, `none: ${event.reason}`]);
  const { alpha, alpha_theory, deviation, learning_rate, max_learning_rate } = event;
  const figures = [alpha, alpha_theory, deviation, learning_rate, max_learning_rate];
  // With fewer probes than columns alpha and deviation are estimates.
  const how = event.probes === event.size ? "" : `from ${event.probes} random probes`;
  return columns("method", [method, kernel, ...figures.map(short), how]);
}

function posteriorRow(event: PosteriorEvent): string {
  if ("reason" in event) return columns("posterior", [NAMES[event.kind], `none: ${event.reason}`]);
  const { kind, test_accuracy, test_loss, mean_deviation } = event;
  return columns("posterior", [NAMES[kind], short(test_accuracy), short(test_loss), short(mean_deviation)]);
}

const NAMES = { ntk: "ntk, all layers", nngp: "nngp, last layer" } as const;
