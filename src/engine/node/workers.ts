/**
 * @file Worker threads that answer requests, one at a time each. They are threads and not processes so that arrays in shared
 * memory reach them uncopied, and nothing is left behind when the process goes.
 *
 * A thread must not be stopped inside of ONNX Runtime, which aborts the process. So a worker is asked to close, never
 * terminated, and a process that exits first waits for the requests that are being worked on.
 */
import { Worker, type TransferListItem, type WorkerOptions } from "node:worker_threads";
import { InputError } from "../../error.ts";
import type { Answer, Request, Results, WorkerData } from "./worker.ts";

/** Workers that have started. */
export type Workers = {
  /** Asks whichever worker is idle first. */
  ask(request: Request, transfer?: readonly TransferListItem[]): Promise<Results>;
  /** Asks every worker. */
  askAll(request: Request): Promise<void>;
  /** Ends them, after what they are doing. */
  close(): Promise<void>;
};

/** A request and who waits for its answer. */
type Job = {
  readonly request: Request;
  readonly transfer: readonly TransferListItem[];
  /** The one worker that it is for; undefined: any. */
  readonly only?: Lane;
  resolve(results: Results): void;
  reject(error: unknown): void;
};

/** A worker, and what it is working on: at first, on getting ready. */
type Lane = {
  readonly worker: Worker;
  readonly index: number;
  job: Pick<Job, "resolve" | "reject"> | undefined;
  alive: boolean;
  readonly ended: Promise<void>;
};

/** How long a process that exits waits for what is being worked on. */
const GRACE_SECONDS = 10;

const OWN = import.meta.url;

/** The program of a worker, beside this file in the sources and in what is compiled. */
const ENTRY = new URL(OWN.endsWith(".ts") ? "worker.ts" : "worker.js", OWN);

/** A thread that runs `entry`; a source file by way of tsx, which must be registered in every thread. */
function startThread(entry: URL, options: WorkerOptions): Worker {
  if (!entry.pathname.endsWith(".ts")) return new Worker(entry, options);
  const [tsx, file] = [import.meta.resolve("tsx/esm/api"), entry.href].map((x) => JSON.stringify(x));
  const code = `import(${tsx}).then(({ register }) => { register(); return import(${file}); })`;
  return new Worker(code, { ...options, eval: true });
}

/**
 * Starts `count` workers of the program `entry`, and waits until they are ready.
 * @throws InputError when one cannot start; afterwards, from every request, when one has ended.
 */
export async function startWorkers(
  count: number,
  options: Pick<WorkerData, "precision" | "threads">,
  entry: URL = ENTRY,
): Promise<Workers> {
  const pending = new Int32Array(new SharedArrayBuffer(4 * count)).fill(1);
  const waiting: Job[] = [];
  const lanes: Lane[] = [];
  const ready: Promise<Results>[] = [];
  let refusal: InputError | undefined;
  let closing: Promise<void> | undefined;

  /** Gives idle workers what waits for them, first come first served. */
  function dispatch(): void {
    if (refusal) for (const job of waiting.splice(0)) job.reject(refusal);
    for (const lane of lanes) {
      if (lane.job) continue;
      const at = waiting.findIndex(({ only }) => only === undefined || only === lane);
      if (at < 0) continue;
      const job = waiting.splice(at, 1)[0]!;
      lane.job = job;
      try {
        post(lane, job.request, job.transfer);
      } catch (error) {
        // A request that cannot be sent is an error of its caller; the worker does not get it.
        Atomics.sub(pending, lane.index, 1);
        lane.job = undefined;
        job.reject(error);
      }
    }
  }

  function post({ worker, index }: Lane, request: Request, transfer: readonly TransferListItem[] = []): void {
    Atomics.add(pending, index, 1);
    worker.ref();
    worker.postMessage(request, transfer);
  }

  function finish(lane: Lane, answer: Answer): void {
    const { job } = lane;
    lane.job = undefined;
    // Idle workers keep no process alive.
    if (!closing) lane.worker.unref();
    if ("results" in answer) job?.resolve(answer.results);
    else job?.reject(new (answer.error.input ? InputError : Error)(answer.error.message));
    dispatch();
  }

  function fail(lane: Lane, why: string): void {
    lane.alive = false;
    Atomics.store(pending, lane.index, 0);
    refusal ??= new InputError(`workers: wanted ${count} at work, got one that ended (${why})`);
    lane.job?.reject(refusal);
    dispatch();
  }

  for (let index = 0; index < count; index++) {
    const data: WorkerData = { ...options, pending, index };
    const worker = startThread(entry, {
      workerData: data,
      // Shared arrays do not count as memory for the garbage collector; a small young generation makes it run often enough.
      resourceLimits: { maxYoungGenerationSizeMb: 1 },
    });
    const ended = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
    const lane: Lane = { worker, index, job: undefined, alive: true, ended };
    lanes.push(lane);
    ready.push(new Promise((resolve, reject) => (lane.job = { resolve, reject })));
    worker.on("message", (answer: Answer) => finish(lane, answer));
    worker.on("error", (error) => fail(lane, String(error).split("\n")[0]!));
    worker.on("exit", (exitCode) => fail(lane, `exit code ${exitCode}`));
  }

  /** Blocks until the requests that are being worked on are done. */
  function settle(): void {
    const end = performance.now() + 1000 * GRACE_SECONDS;
    for (let index = 0; index < count; index++) {
      for (;;) {
        const [left, rest] = [Atomics.load(pending, index), end - performance.now()];
        if (left <= 0 || rest <= 0) break;
        Atomics.wait(pending, index, left, rest);
      }
    }
  }
  process.on("exit", settle);

  const ask = (job: Omit<Job, "resolve" | "reject">): Promise<Results> =>
    new Promise((resolve, reject) => {
      waiting.push({ ...job, resolve, reject });
      dispatch();
    });

  async function close(): Promise<void> {
    refusal ??= new InputError("engine: wanted one that is open, got one that is released");
    dispatch();
    for (const lane of lanes) if (lane.alive) post(lane, { kind: "close" });
    await Promise.all(lanes.map(({ ended }) => ended));
    process.off("exit", settle);
  }

  const workers: Workers = {
    ask: (request, transfer = []) => ask({ request, transfer }),
    async askAll(request) {
      await Promise.all(lanes.map((only) => ask({ request, transfer: [], only })));
    },
    close: () => (closing ??= close()),
  };
  const started = await Promise.allSettled(ready);
  for (const result of started) {
    if (result.status === "fulfilled") continue;
    await workers.close();
    throw result.reason;
  }
  return workers;
}
