/**
 * @file `npm run bench:peers`: natgrad beside JAX with Neural Tangents, PyTorch, and a NumPy program with explicit
 * Jacobians, on the same inputs, each held to natgrad's result. Markdown on stdout, progress on stderr.
 */
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { availableParallelism, cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { readWhole, writeWhole } from "../../src/data/node/files.ts";
import { InputError } from "../../src/error.ts";
import type { DoneEvent, StepEvent } from "../../src/experiment/events.ts";
import { output, ROOT } from "../benchmark.ts";
import { inSeconds } from "./render.ts";
import { median, seconds } from "../statistics.ts";
import {
  bytesOf,
  casesOf,
  inTurns,
  JOBS,
  keyOf,
  PEERS,
  STEPS,
  waysOf,
  type Case,
  type Job,
  type Peer,
  type Way,
} from "./cases.ts";
import { createEnvironment, type Environment } from "./environment.ts";
import { drawAll, keep, type Measurements } from "./figures.ts";
import { ask, availableBytes, launcherOf, type Answer, type Limits, type Request } from "./measure.ts";
import { render } from "./render.ts";
import { disagrees, idOf, toleranceOf, type Result } from "./result.ts";
import { measureInTurns, resultOf } from "./turns.ts";

const HELP = `npm run bench:peers -- [options]

  --jobs LIST     some of ${JOBS.join(",")}
  --peers LIST    some of ${PEERS.join(",")}; natgrad is always measured
  --match TEXT    only cases whose name, as progress shows it, contains the text
  --quick         tiny sizes, to see that everything works
  --runs N        repetitions (default 5, with --quick 2)
  --limit N       seconds after which a single measurement is ended (default 300)
  --memory N      GB that a single measurement may use (default 90 % of what is free)
  --json FILE     keep every measurement there; what is in it already is not measured again
  --write         put the tables into docs/benchmarks.md, the measurements into docs/generated/peers.json, from which
                  npm run figures -- peers draws again, and the figures into docs/figures/
  --help

The Python peers are installed into bench/peers/.venv on the first run (about 2.5 GB). bench/README.md says how to read it.
`;

/** Repetitions stop after so many seconds. */
const REPEAT_SECONDS = 20;
const NOT_INSTALLED = "not installed";
/** Steps of the default run. */
const RUN_STEPS = 2;
const DOCUMENT = join(ROOT, "docs/benchmarks.md");
const [BEGIN, END] = ["<!-- npm run bench:peers -->", "<!-- end -->"];

type Options = {
  readonly jobs: readonly Job[];
  readonly peers: readonly Peer[];
  readonly match: string;
  readonly quick: boolean;
  readonly runs: number;
  readonly limit: number;
  readonly memory: number | undefined;
  readonly json: string | undefined;
  readonly write: boolean;
};

const progress = (what: string): void => {
  process.stderr.write(`peers: ${what}\n`);
};

function parse(): Options | undefined {
  const string = { type: "string" } as const;
  const flag = { type: "boolean", default: false } as const;
  let values;
  try {
    ({ values } = parseArgs({
      options: {
        jobs: string,
        peers: string,
        match: string,
        runs: string,
        limit: string,
        memory: string,
        json: string,
        quick: flag,
        write: flag,
        help: flag,
      },
    }));
  } catch (error) {
    throw new InputError(error instanceof Error ? error.message : String(error));
  }
  if (values.help) return undefined;
  const peers = listed("peers", values.peers, PEERS);
  return {
    jobs: listed("jobs", values.jobs, JOBS),
    peers: PEERS.filter((peer) => peer === "natgrad" || peers.includes(peer)),
    match: values.match ?? "",
    quick: values.quick,
    runs: positive("runs", values.runs) ?? (values.quick ? 2 : 5),
    limit: positive("limit", values.limit) ?? 300,
    memory: positive("memory", values.memory),
    json: values.json,
    write: values.write,
  };
}

function listed<T extends string>(name: string, text: string | undefined, known: readonly T[]): readonly T[] {
  if (text === undefined) return known;
  const wanted = text.split(",");
  const unknown = wanted.find((word) => !(known as readonly string[]).includes(word));
  if (unknown !== undefined)
    throw new InputError(`--${name}: wanted some of ${known.join()}, got ${unknown}`);
  return known.filter((word) => wanted.includes(word));
}

function positive(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!(value > 0)) throw new InputError(`--${name}: wanted a number above 0, got ${text}`);
  return value;
}

/** The machine: figures mean nothing without it. */
const machine = `${cpus()[0]?.model.trim() ?? "unknown"}, ${availableParallelism()} cores, Node ${process.version}`;

/** Measures all ways of one case, natgrad first: the others are held to its result. */
async function measureCase(
  one: Case,
  ways: readonly Way[],
  options: Options,
  environment: Environment,
): Promise<Result[]> {
  const folder = await mkdtemp(join(tmpdir(), "natgrad-peers-"));
  try {
    const fisher = STEPS.find((step) => step.fisher.name === methodOf(one));
    const shape = { samples: one.N, layers: one.depth, width: one.width, outputs: one.C };
    const request = {
      ...one,
      learningRate: 1 / (fisher?.fisher.alpha(shape) ?? 1),
      damping: fisher?.damping ?? 0,
      repeats: options.runs,
      seconds: REPEAT_SECONDS,
      folder,
      expected: join(folder, "expected.npz"),
      steps: RUN_STEPS,
      check: false,
    };
    const launcher = (peer: Peer) => launcherOf(peer, environment.python, environment.env);
    const prepared = await ask(launcher("natgrad"), { ...request, prepare: true }, limitsOf(options));
    if (prepared.failure !== undefined) throw new Error(`preparing ${one.job}: ${prepared.failure}`);
    const excuse = (way: Way): string | undefined => {
      const needed = bytesOf(one, way);
      if (environment.missing.has(way.peer)) return NOT_INSTALLED;
      return needed > limitsOf(options).bytes ? `needs ${(needed / 1e9).toFixed(0)} GB` : undefined;
    };
    const done = (result: Result): void => progress(`${idOf(one, result.way)}: ${summary(result)}`);
    if (inTurns(one.job)) {
      const limits = () => limitsOf(options);
      return await measureInTurns(one, ways, {
        request,
        rounds: options.runs,
        launcher,
        limits,
        excuse,
        done,
      });
    }
    const results: Result[] = [];
    let expected: readonly (readonly number[])[] = [];
    for (const way of ways) {
      const limits = limitsOf(options);
      const note = excuse(way);
      let result: Result;
      if (note !== undefined) {
        result = { case: one, way, seconds: [], note };
      } else if (one.job !== "default-run") {
        result = resultOf(
          one,
          way,
          await ask(launcher(way.peer), { ...request, variant: way.variant }, limits),
        );
      } else if (way.peer === "natgrad") {
        const own = await natgradRun(one, options.runs);
        expected = own.table;
        result = { ...own.result, case: one, way };
      } else {
        const start = (check: boolean): Promise<Answer> =>
          ask(launcher(way.peer), { ...request, variant: way.variant, check } satisfies Request, limits);
        result = await peerRun(one, way, options.runs, start, expected);
      }
      done(result);
      results.push(result);
    }
    return results;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The Fisher approximation of a step. */
const methodOf = ({ job, method }: Case): string | undefined => (job === "images-step" ? "exact" : method);

const limitsOf = ({ limit, memory }: Options): Limits => ({
  seconds: limit,
  bytes: memory === undefined ? 0.9 * availableBytes() : memory * 1e9,
});

/** natgrad's default run as its users start it, and its table. */
async function natgradRun(one: Case, runs: number) {
  const sizes = [
    "--train_size",
    one.N,
    "--test_size",
    one.tests,
    "--width",
    one.width,
    "--n_layers",
    one.depth,
  ];
  const args = [
    "bin/natgrad.js",
    "train",
    "--natural_gradient_type",
    "exact",
    "--format",
    "jsonl",
    ...sizes.map(String),
  ];
  args.push("--n_steps", String(RUN_STEPS));
  const walls: number[] = [];
  const steps: number[] = [];
  const peaks: number[] = [];
  let table: number[][] = [];
  // The first run finds files in no cache.
  for (let i = 0; i <= runs; i++) {
    let text = "";
    const wall = await seconds(async () => {
      text = await output(process.execPath, ...args);
    });
    if (i === 0) continue;
    const events = text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as StepEvent | DoneEvent | { event: "config" });
    table = events
      .filter((event) => event.event === "step")
      .map((e) => [e.train_loss, e.test_loss, e.predict!.train_loss, e.predict!.test_loss]);
    const done = events.find((event) => event.event === "done")!;
    const { linearize = NaN, gram = NaN, precondition = NaN, update = NaN } = done.timings;
    walls.push(wall);
    steps.push((linearize + gram + precondition + update) / RUN_STEPS);
    peaks.push(done.peak_rss_bytes);
  }
  return { table, result: { seconds: walls, step: median(steps), peak: Math.max(...peaks) } };
}

/** A peer's default run: timed with its own random weights, and once more with natgrad's to compare the tables. */
async function peerRun(
  one: Case,
  way: Way,
  runs: number,
  start: (check: boolean) => Promise<Answer>,
  expected: readonly (readonly number[])[],
): Promise<Result> {
  const check = await start(true);
  if (check.failure !== undefined) return { ...resultOf(one, way, check), seconds: [] };
  const answers: Answer[] = [];
  for (let i = 0; i < runs; i++) answers.push(await start(false));
  const failed = answers.find(({ failure }) => failure !== undefined);
  const done = answers.filter(({ failure }) => failure === undefined);
  return {
    case: one,
    way,
    seconds: done.map(({ wall }) => wall),
    difference: tableDifference(check.table ?? [], expected),
    ...(done.length > 0
      ? {
          step: median(done.flatMap(({ samples }) => samples)),
          compile: median(done.map(({ compile = 0 }) => compile)),
          peak: Math.max(...done.map(({ peak = 0 }) => peak)),
        }
      : {}),
    ...(failed?.failure === undefined ? {} : { note: failed.failure }),
  };
}

/** The greatest difference of two tables, each column relative to its greatest entry. */
function tableDifference(
  a: readonly (readonly number[])[],
  b: readonly (readonly number[])[],
): number | null {
  let worst = a.length === b.length ? 0 : NaN;
  for (const [column] of (b[0] ?? []).entries()) {
    const scale = Math.max(...b.map((row) => Math.abs(row[column]!)));
    for (const [row, values] of b.entries()) {
      const difference = Math.abs((a[row]?.[column] ?? NaN) - values[column]!) / scale;
      worst = Number.isNaN(difference) ? NaN : Math.max(worst, difference);
    }
  }
  return Number.isFinite(worst) ? worst : null;
}

function summary(result: Result): string {
  const { seconds, ratios = [], difference, note, way } = result;
  const parts = [
    ...(seconds.length > 0 ? [`${inSeconds(median(seconds))} s`] : []),
    ...(ratios.length > 0 ? [`${median(ratios).toFixed(2)} x natgrad`] : []),
    ...(way.peer !== "natgrad" && typeof difference === "number"
      ? [`off by ${difference.toExponential(1)}`]
      : []),
    ...(disagrees(result) ? [`DISAGREES with natgrad (more than ${toleranceOf(result.case)})`] : []),
    ...(note === undefined ? [] : [note]),
  ];
  return parts.join(", ");
}

/** What a file of measurements holds already. */
async function known({ json, quick }: Options): Promise<Result[]> {
  if (json === undefined || !existsSync(json)) return [];
  const record = JSON.parse(await readFile(json, "utf8")) as Measurements;
  if (record.machine !== machine || record.quick !== quick) {
    const settings = (r: Pick<Measurements, "machine" | "quick">) =>
      `${r.machine}${r.quick ? " (quick)" : ""}`;
    throw new InputError(
      `--json: wanted measurements of ${settings({ machine, quick })}, got those of ${settings(record)} in ${json}`,
    );
  }
  return record.results.filter(({ note }) => note !== NOT_INSTALLED);
}

async function main(): Promise<void> {
  const options = parse();
  if (!options) {
    process.stdout.write(HELP);
    return;
  }
  const kept = new Map((await known(options)).map((result) => [idOf(result.case, result.way), result]));
  const cases = casesOf(options.jobs, options)
    .filter((one) => keyOf(one).includes(options.match))
    .map((one) => ({ one, ways: waysOf(one).filter(({ peer }) => options.peers.includes(peer)) }));
  const waiting = cases.filter(({ one, ways }) => ways.some((way) => !kept.has(idOf(one, way))));
  if (waiting.length > 0) {
    const environment = await createEnvironment(options.peers, progress);
    for (const [peer, why] of environment.missing) progress(`${peer} is left out: ${why}`);
    if (waiting.some(({ one }) => one.job === "default-run")) {
      progress("npm run build");
      await output("npm", "run", "-s", "build");
    }
    for (const { one, ways } of waiting) {
      // natgrad again even if known: the others are compared with its result.
      const missing = ways.filter((way) => way.peer === "natgrad" || !kept.has(idOf(one, way)));
      for (const result of await measureCase(one, missing, options, environment)) {
        kept.set(idOf(result.case, result.way), result);
      }
      if (options.json !== undefined) {
        const record: Measurements = {
          machine,
          quick: options.quick,
          runs: options.runs,
          results: [...kept.values()],
        };
        await writeWhole(options.json, `${JSON.stringify(record)}\n`);
      }
    }
  }

  const results = cases.flatMap(({ one, ways }) => ways.flatMap((way) => kept.get(idOf(one, way)) ?? []));
  const text = `${machine}, ${options.runs} repetitions, load ${loadavg()[0]!.toFixed(1)}.\n\n${render(results)}`;
  process.stdout.write(text);
  if (options.write) {
    const before = (await readWhole(DOCUMENT)).toString();
    await writeWhole(DOCUMENT, replaceBetween(before, text));
    const measurements: Measurements = { machine, quick: options.quick, runs: options.runs, results };
    await keep(measurements);
    for (const [name, svg] of drawAll(measurements)) {
      await writeWhole(join(ROOT, name), svg);
      progress(`wrote ${name}`);
    }
  }
  const wrong = results.filter(disagrees);
  for (const result of wrong) progress(`${idOf(result.case, result.way)}: ${summary(result)}`);
  if (wrong.length > 0) process.exitCode = 1;
}

/** The document with `text` between the marks; a document without them gets them at its end. */
function replaceBetween(document: string, text: string): string {
  const begin = document.indexOf(BEGIN);
  if (begin < 0) return `${document.trimEnd()}\n\n## Peers\n\n${BEGIN}\n\n${text}\n${END}\n`;
  const end = document.indexOf(END, begin);
  if (end < 0) throw new InputError(`docs/benchmarks.md: wanted ${END} after ${BEGIN}, got none`);
  return `${document.slice(0, begin + BEGIN.length)}\n\n${text}\n${document.slice(end)}`;
}

try {
  await main();
} catch (error) {
  if (!(error instanceof InputError)) throw error;
  process.stderr.write(`bench:peers: ${error.message}\n`);
  process.exitCode = 2;
}
