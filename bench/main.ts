/**
 * @file `npm run bench`: measures natgrad and prints Markdown, each figure beside its floor or reference.
 */
import { availableParallelism, cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { writeWhole } from "../src/data/node/files.ts";
import { InputError } from "../src/error.ts";
import { analyticBenchmark } from "./analytic.ts";
import type { Benchmark, Report } from "./benchmark.ts";
import { cnnBenchmark } from "./cnn.ts";
import { defaultRun } from "./default-run.ts";
import { eigenBenchmark } from "./eigen.ts";
import { exactStepBenchmark } from "./exact-step.ts";
import { longRunBenchmark } from "./long-run.ts";
import { wholeMnistBenchmark } from "./whole-mnist.ts";
import { wholeProcess } from "./process.ts";
import { solvesBenchmark } from "./solves.ts";
import { workersBenchmark } from "./workers.ts";

const BENCHMARKS: readonly Benchmark[] = [
  defaultRun,
  wholeProcess,
  longRunBenchmark,
  solvesBenchmark,
  exactStepBenchmark,
  cnnBenchmark,
  analyticBenchmark,
  workersBenchmark,
  eigenBenchmark,
  wholeMnistBenchmark,
];

const HELP = `npm run bench -- [name ...] [options]

${BENCHMARKS.map(({ name, title, long }) => `  ${name.padEnd(14)}${title}${long ? " (long)" : ""}`).join("\n")}

  --runs N      repetitions (default: each benchmark's own)
  --steps N     steps of long-run (default 1000)
  --json FILE   write every number measured
  --help

Left alone, all but the long ones run. bench/README.md says how to read the tables.
`;

/** A whole number above zero, or undefined where the option was left out. */
function count(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) {
    throw new InputError(`--${name}: wanted a whole number above 0, got ${text}`);
  }
  return value;
}

function parse() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        help: { type: "boolean", default: false },
        json: { type: "string" },
        runs: { type: "string" },
        steps: { type: "string" },
      },
    });
  } catch (error) {
    throw new InputError(error instanceof Error ? error.message : String(error));
  }
}

/** The machine, as a line and as data: figures mean nothing without it. */
const machine = {
  cpu: cpus()[0]?.model.trim() ?? "unknown",
  cores: availableParallelism(),
  node: process.version,
};

async function main(): Promise<void> {
  const { values, positionals } = parse();
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const runs = count("runs", values.runs);
  const steps = count("steps", values.steps);
  const known = BENCHMARKS.map(({ name }) => name);
  const unknown = positionals.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new InputError(`benchmark: wanted one of ${known.join(", ")}, got ${unknown}`);
  }

  const reports: Record<string, Report["raw"]> = {};
  process.stdout.write(`${machine.cpu}, ${machine.cores} cores, Node ${machine.node}\n`);
  for (const benchmark of BENCHMARKS) {
    const named = positionals.includes(benchmark.name);
    if (positionals.length > 0 || benchmark.long ? !named : false) continue;
    const progress = (what: string) => process.stderr.write(`${benchmark.name}: ${what}\n`);
    const before = loadavg()[0]!;
    const { text, raw } = await benchmark.run({
      progress,
      ...(runs === undefined ? {} : { runs }),
      ...(steps === undefined ? {} : { steps }),
    });
    process.stdout.write(`\n## ${benchmark.name}: ${benchmark.title}\n\n${text}\n`);
    process.stdout.write(
      `Load of the machine before and after: ${before.toFixed(1)}, ${loadavg()[0]!.toFixed(1)}.\n`,
    );
    reports[benchmark.name] = raw;
  }
  if (values.json !== undefined) await writeWhole(values.json, `${JSON.stringify({ machine, reports })}\n`);
}

try {
  await main();
} catch (error) {
  if (!(error instanceof InputError)) throw error;
  process.stderr.write(`bench: ${error.message}\n`);
  process.exitCode = 2;
}
