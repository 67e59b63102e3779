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

/** All workers, and the requests that wait for one. */
type Pool = {
  readonly lanes: Lane[];
  readonly waiting: Job[];
  /** How many requests each worker is working on, in shared memory. */
  readonly pending: Int32Array<SharedArrayBuffer>;
  /** The error of every request from now on: one has ended, or the pool is closed. */
  refusal: InputError | undefined;
  closing: Promise<void> | undefined;
};

/**
 * Starts `count` workers of the program `entry`, and waits until they are ready.
 * @throws InputError when one cannot start; afterwards, from every request, when one has ended.
 */
export async function startWorkers(
  count: number,
  options: Pick<WorkerData, "precision" | "threads">,
  entry: URL = ENTRY,
): Promise<Workers> {
  const pool: Pool = {
    lanes: [],
    waiting: [],
    pending: new Int32Array(new SharedArrayBuffer(4 * count)).fill(1),
    refusal: undefined,
    closing: undefined,
  };
  const ready = Array.from({ length: count }, (_, index) =>
    addLane(pool, startThread(entry, threadOptions({ ...options, pending: pool.pending, index })), index),
  );
  const settle = (): void => waitForPending(pool);
  process.on("exit", settle);

  const workers: Workers = {
    ask: (request, transfer = []) => ask(pool, { request, transfer }),
    async askAll(request) {
      await Promise.all(pool.lanes.map((only) => ask(pool, { request, transfer: [], only })));
    },
    close: () => (pool.closing ??= close(pool).then(() => void process.off("exit", settle))),
  };
  for (const result of await Promise.allSettled(ready)) {
    if (result.status === "fulfilled") continue;
    await workers.close();
    throw result.reason;
  }
  return workers;
}

const threadOptions = (workerData: WorkerData): WorkerOptions => ({
  workerData,
  // Shared arrays do not count as memory for the garbage collector; a small young generation makes it run often enough.
  resourceLimits: { maxYoungGenerationSizeMb: 1 },
});

/** Adds a worker to the pool. Its first job, until which the promise waits, is getting ready. */
function addLane(pool: Pool, worker: Worker, index: number): Promise<Results> {
  const ended = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
  const lane: Lane = { worker, index, job: undefined, alive: true, ended };
  pool.lanes.push(lane);
  worker.on("message", (answer: Answer) => finish(pool, lane, answer));
  worker.on("error", (error) => fail(pool, lane, String(error).split("\n")[0]!));
  worker.on("exit", (exitCode) => fail(pool, lane, `exit code ${exitCode}`));
  return new Promise((resolve, reject) => (lane.job = { resolve, reject }));
}

function ask(pool: Pool, job: Omit<Job, "resolve" | "reject">): Promise<Results> {
  return new Promise((resolve, reject) => {
    pool.waiting.push({ ...job, resolve, reject });
    dispatch(pool);
  });
}

/** Gives requests that wait to idle workers, first come first served. */
function dispatch(pool: Pool): void {
  const { lanes, waiting, pending, refusal } = pool;
  if (refusal) for (const job of waiting.splice(0)) job.reject(refusal);
  for (const lane of lanes) {
    if (lane.job) continue;
    const at = waiting.findIndex(({ only }) => only === undefined || only === lane);
    if (at < 0) continue;
    const job = waiting.splice(at, 1)[0]!;
    lane.job = job;
    try {
      post(pool, lane, job.request, job.transfer);
    } catch (error) {
      // A request that cannot be sent is an error of its caller; the worker does not get it.
      Atomics.sub(pending, lane.index, 1);
      lane.job = undefined;
      job.reject(error);
    }
  }
}

function post(
  { pending }: Pool,
  { worker, index }: Lane,
  request: Request,
  transfer: readonly TransferListItem[] = [],
): void {
  Atomics.add(pending, index, 1);
  worker.ref();
  worker.postMessage(request, transfer);
}

function finish(pool: Pool, lane: Lane, answer: Answer): void {
  const { job } = lane;
  lane.job = undefined;
  // Idle workers keep no process alive.
  if (!pool.closing) lane.worker.unref();
  if ("results" in answer) job?.resolve(answer.results);
  else job?.reject(new (answer.error.input ? InputError : Error)(answer.error.message));
  dispatch(pool);
}

/** Ends all requests with an error, as a worker has ended. */
function fail(pool: Pool, lane: Lane, why: string): void {
  lane.alive = false;
  Atomics.store(pool.pending, lane.index, 0);
  pool.refusal ??= new InputError(
    `workers: wanted ${pool.lanes.length} at work, got one that ended (${why})`,
  );
  lane.job?.reject(pool.refusal);
  dispatch(pool);
}

/** Blocks until the requests that are being worked on are done, or {@link GRACE_SECONDS} have passed. */
function waitForPending({ pending }: Pool): void {
  const end = performance.now() + 1000 * GRACE_SECONDS;
  for (let index = 0; index < pending.length; index++) {
    for (;;) {
      const [left, rest] = [Atomics.load(pending, index), end - performance.now()];
      if (left <= 0 || rest <= 0) break;
      Atomics.wait(pending, index, left, rest);
    }
  }
}

async function close(pool: Pool): Promise<void> {
  pool.refusal ??= new InputError("engine: wanted one that is open, got one that is released");
  dispatch(pool);
  for (const lane of pool.lanes) if (lane.alive) post(pool, lane, { kind: "close" });
  await Promise.all(pool.lanes.map(({ ended }) => ended));
}
