/**
 * @file Runs one measurement in this process and prints its numbers as JSON: `tasks.ts NAME [NUMBER...]`. Benchmarks
 * start it; see `inFreshProcess`.
 */
import { analyticNtkTask } from "./analytic.ts";
import { cnnKernel } from "./cnn.ts";
import { coldLoop, warmLoops } from "./default-run.ts";
import { exactStep } from "./exact-step.ts";
import { wholeMnist } from "./whole-mnist.ts";
import { longRun } from "./long-run.ts";
import { solves } from "./solves.ts";
import { workersTask } from "./workers.ts";

const TASKS: Record<string, (...args: number[]) => Promise<unknown>> = {
  coldLoop,
  warmLoops,
  longRun,
  solves,
  exactStep,
  cnnKernel,
  wholeMnist,
  analyticNtk: analyticNtkTask,
  workers: workersTask,
};

const [name = "", ...args] = process.argv.slice(2);
const task = TASKS[name];
if (!task) throw new RangeError(`task: wanted one of ${Object.keys(TASKS).join(", ")}, got ${name}`);
process.stdout.write(`${JSON.stringify(await task(...args.map(Number)))}\n`);
