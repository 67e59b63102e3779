/**
 * @file One worker of {@link file://./worker-engine.ts}: an engine in a thread of its own, which compiles and runs what it
 * is sent, in order. It is started by the path of this file; other modules import only its types.
 */
import { parentPort, workerData } from "node:worker_threads";
import { InputError } from "../../error.ts";
import { createEngine, type Engine, type FloatArray, type Program, type Tensor } from "../engine.ts";
import { createGraph, type Precision } from "../graph.ts";
import { relu } from "../ops.ts";

/** What a worker is started with. */
export type WorkerData = {
  readonly precision: Precision;
  readonly threads: number;
  /** Requests that are not done, by worker: one more by who asks, one fewer here. Getting ready is the first. */
  readonly pending: Int32Array;
  readonly index: number;
};

/** A tensor on its way; arrays in shared memory are not copied. */
export type Parcel = { readonly type: Tensor["type"]; readonly dims: readonly number[]; readonly data: Data };

/** What tensors hold here. */
export type Data = FloatArray | BigInt64Array;

/** What a worker is asked. Outputs are places in shared memory; null: send them back. */
export type Request =
  | { readonly kind: "compile"; readonly program: number; readonly model: Uint8Array }
  | {
      readonly kind: "run";
      readonly program: number;
      readonly feeds: Readonly<Record<string, Parcel>>;
      readonly outputs: Readonly<Record<string, Parcel | null>>;
    }
  | { readonly kind: "release"; readonly program: number }
  | { readonly kind: "close" };

/** Outputs by name. */
export type Results = Readonly<Record<string, Parcel>>;

/** What it answers: outputs that had no place, or why there are none. The first answer comes unasked, when it is ready. */
export type Answer =
  | { readonly results: Results }
  | { readonly error: { readonly message: string; readonly input: boolean } };

/** Whether ONNX Runtime takes tensors in shared memory; on Node 20 it cannot. */
async function takesShared(engine: Engine): Promise<boolean> {
  const g = createGraph(engine.precision);
  g.output("y", relu(g, g.input("x", [1])), [1]);
  const program = await engine.compile(g);
  const one = engine.floats(1);
  const shared = new (one.constructor as Float32ArrayConstructor)(new SharedArrayBuffer(one.byteLength));
  try {
    await program.run({ x: engine.tensor(shared, [1]) }, { y: null });
    return true;
  } catch {
    return false;
  } finally {
    await program.release();
  }
}

/** Private arrays that stand for shared ones, kept by name: fresh pages cost more than what is copied to them. */
function createCopies(engine: Engine): (name: string, length: number) => FloatArray {
  const kept = new Map<string, FloatArray>();
  return (name, length) => {
    let array = kept.get(name);
    if (array === undefined || array.length < length) kept.set(name, (array = engine.floats(length)));
    return array.subarray(0, length);
  };
}

async function serve({ precision, threads, pending, index }: WorkerData): Promise<void> {
  const port = parentPort!;
  // The thread that started this one has printed that line already.
  const engine = await createEngine({ precision, threads, notice: () => {} });
  const inPlace = await takesShared(engine);
  const copies = createCopies(engine);
  const programs = new Map<number, Program>();

  const tensor = (name: string, { data, dims }: Parcel, filled: boolean): Tensor => {
    if (data instanceof BigInt64Array) return engine.integers(...Array.from(data, Number));
    if (inPlace || !(data.buffer instanceof SharedArrayBuffer)) return engine.tensor(data, dims);
    const copy = copies(name, data.length);
    if (filled) copy.set(data);
    return engine.tensor(copy, dims);
  };

  async function run({ program, feeds, outputs }: Extract<Request, { kind: "run" }>): Promise<Answer> {
    const given: Record<string, Tensor> = {};
    const wanted: Record<string, Tensor | null> = {};
    for (const [name, parcel] of Object.entries(feeds)) given[name] = tensor(`> ${name}`, parcel, true);
    for (const [name, parcel] of Object.entries(outputs)) {
      wanted[name] = parcel && tensor(`< ${name}`, parcel, false);
    }
    const tensors = await programs.get(program)!.run(given, wanted);
    const results: Record<string, Parcel> = {};
    for (const [name, parcel] of Object.entries(outputs)) {
      const { type, dims, data } = tensors[name]!;
      if (parcel === null) results[name] = { type, dims, data: data as Data };
      else if (!inPlace) (parcel.data as FloatArray).set(data as FloatArray);
    }
    return { results };
  }

  async function perform(request: Request): Promise<Answer> {
    if (request.kind === "run") return run(request);
    if (request.kind === "compile") {
      const { program, model } = request;
      programs.set(program, await engine.compile({ toModel: () => model }));
    } else if (request.kind === "release") {
      await programs.get(request.program)?.release();
      programs.delete(request.program);
    } else {
      await engine.release();
      port.close();
    }
    return { results: {} };
  }

  const done = (answer: Answer): void => {
    port.postMessage(answer);
    Atomics.sub(pending, index, 1);
    Atomics.notify(pending, index);
  };
  async function answer(request: Request): Promise<void> {
    try {
      done(await perform(request));
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      done({ error: { message, input: error instanceof InputError } });
    }
  }
  let last = Promise.resolve();
  port.on("message", (request: Request) => {
    last = last.then(() => answer(request));
  });
  done({ results: {} });
}

await serve(workerData as WorkerData);
