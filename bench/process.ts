/**
 * @file The whole process of the default run as a user sees it: `natgrad train --natural_gradient_type exact`, from
 * the shell and back, and where its time goes.
 */
import type { DoneEvent } from "../src/experiment/events.ts";
import { output, type Benchmark } from "./benchmark.ts";
import { mb, s, table, verdict } from "./markdown.ts";
import { columns, median, seconds, spread, type Spread } from "./statistics.ts";

const RUNS = 7;
const TARGETS = { wall: 1.5, weights: 0.4, peak: 450e6 };
const COMMAND = ["bin/natgrad.js", "train", "--natural_gradient_type", "exact", "--format", "jsonl"];
/** The paper's NumPy program with the same settings on two cores. */
const REFERENCE = { wall: "23-70", peak: "15800" };

/** Parts that a run tells of itself. */
const STAGES = ["data", "engine", "weights", "kernel", "isotropy", "loop", "predict"] as const;

/** Seconds, but for `peak` in bytes. `bare` is Node with nothing to do, `help` the same program asked for its help. */
type Run = Record<"wall" | "peak" | "bare" | "help" | (typeof STAGES)[number], number>;

async function measure(): Promise<Run> {
  const node = process.execPath;
  const bare = await seconds(() => output(node, "-e", "0"));
  // Help loads what a run loads and stops there, ONNX Runtime excepted, which belongs to `engine`.
  const help = await seconds(() => output(node, "bin/natgrad.js", "train", "--help"));
  let text = "";
  const wall = await seconds(async () => {
    text = await output(node, ...COMMAND);
  });
  const done = JSON.parse(text.trim().split("\n").at(-1) ?? "") as DoneEvent;
  const stages = STAGES.map((stage) => [stage, done.timings[stage] ?? 0] as const);
  return {
    wall,
    peak: done.peak_rss_bytes,
    bare,
    help,
    ...(Object.fromEntries(stages) as Record<(typeof STAGES)[number], number>),
  };
}

const seconds3 = (x: number): string => x.toFixed(3);

function row(
  what: string,
  { min, median, max }: Spread,
  show: (x: number) => string,
  target?: number,
  reference = "",
): string[] {
  const met = target === undefined ? "" : `< ${show(target)} ${verdict(median, target)}`;
  return [what, show(min), show(median), show(max), met, reference];
}

export const wholeProcess: Benchmark = {
  name: "process",
  title: "The whole process: natgrad train --natural_gradient_type exact",
  async run({ runs = RUNS, progress }) {
    progress("npm run build");
    await output("npm", "run", "-s", "build");
    await measure();
    const measured: Run[] = [];
    for (let i = 0; i < runs; i++) {
      progress(`run ${i + 1}/${runs}`);
      measured.push(await measure());
    }
    const all = columns(measured);
    // Three processes run one after another, so their difference is taken between medians.
    const of = (part: keyof Run): number => median(all[part]);
    const rest = of("wall") - of("help") - STAGES.reduce((sum, stage) => sum + of(stage), 0);
    const part = (what: string, name: keyof Run, target?: number): string[] =>
      row(what, spread(all[name]), seconds3, target);
    const text = table(
      [`${runs} runs`, "min", "median", "max", "target", "NumPy program"],
      [
        row("wall, s", spread(all.wall), s, TARGETS.wall, REFERENCE.wall),
        row("peak memory, MB", spread(all.peak), mb, TARGETS.peak, REFERENCE.peak),
        part("node alone, s", "bare"),
        ["imports, s", "", seconds3(of("help") - of("bare"))],
        ...STAGES.map((stage) =>
          part(`${stage}, s`, stage, stage === "weights" ? TARGETS.weights : undefined),
        ),
        ["between stages and exit, s", "", seconds3(rest)],
      ],
    );
    return { text: `${text}\n`, raw: measured };
  },
};
