/**
 * @file The engine: ONNX Runtime sessions on one device, at one precision, with the settings that make wide
 * matrix products fast (all cores, no spinning between calls) and no silent fallback to another device.
 *
 * On the native CPU, inputs are passed without copying and outputs that are given are written without copying or
 * page faults. Outputs that are null are allocated.
 */
import { loadOrt, type OrtSession, type OrtSessionOptions, type OrtTensor, type Runtime } from "../ort.ts";
import { PRECISIONS, type Graph, type Precision } from "./graph.ts";
import { agree, demandName, demandWhole, InputError, oneLine } from "../error.ts";

/** Where the network runs. */
export type Device = "cpu" | "webgpu" | "cuda";

export const DEVICES: readonly Device[] = ["cpu", "webgpu", "cuda"];

/** A float tensor of the engine's precision, or an int64 vector. */
export type Tensor = OrtTensor;

/** The float storage of a precision. */
export type FloatArray = Float32Array | Float64Array;

/** Named tensors. */
export type Tensors = Record<string, Tensor>;

/** A compiled graph: runs on `feeds`, writes into `outputs` (null: allocate) and returns them. */
export type Program = {
  /** @throws InputError when feeds or outputs are not those of the graph, or the engine was released. */
  run(feeds: Tensors, outputs: Record<string, Tensor | null>): Promise<Tensors>;
  release(): Promise<void>;
};

/** Settings of {@link createEngine}. */
export type EngineOptions = {
  device?: Device;
  precision?: Precision;
  /** Threads of one operation. Default: the cores that the platform reports. */
  threads?: number;
  /**
   * Browser only: address of the folder that holds onnxruntime-web's `.wasm` files; it counts for later engines that say
   * nothing, too.
   */
  wasmPaths?: string;
  /**
   * Called with one line when WebAssembly takes the place of native code in Node, which says what to do about it. Default:
   * the console, once per process.
   */
  notice?: (line: string) => void;
};

/** One device at one precision. */
export type Engine = {
  readonly device: Device;
  readonly precision: Precision;
  /** What runs its programs: native code, or WebAssembly. */
  readonly runtime: Runtime["kind"];
  /** Runs that may usefully go on at a time: 1, or the number of its workers. */
  readonly lanes: number;
  /** Compiles a graph. */
  compile(graph: Pick<Graph, "toModel">): Promise<Program>;
  /** A float tensor over `data` (no copy where the precision already agrees) with the given shape. */
  tensor(data: FloatArray, dims: readonly number[]): Tensor;
  /** An int64 vector. */
  integers(...values: number[]): Tensor;
  /** A zero array of the engine's precision, where its programs read and write fastest. */
  floats(length: number): FloatArray;
  /**
   * Float64 on the CPU of this thread, for what the host computes beside the network: the engine itself where it is that, else one
   * beside it with the same threads, which is opened when it is first asked for and released with it.
   * @throws InputError when the engine was released.
   */
  float64(): Promise<Engine>;
  /** Releases its programs and whatever else it holds; nothing can be run afterwards. */
  release(): Promise<void>;
  /** Machine epsilon of the engine's precision. */
  readonly epsilon: number;
};

/** Cores of this machine. ONNX Runtime's own default counted one on virtual machines. */
export const cores = (): number =>
  globalThis.process?.getBuiltinModule?.("os").availableParallelism() ??
  globalThis.navigator?.hardwareConcurrency ??
  1;

const sessionOptions = (
  device: Device,
  precision: Precision,
  threads: number,
  kind: Runtime["kind"],
): OrtSessionOptions => ({
  executionProviders: [device === "cpu" && kind === "wasm" ? "wasm" : device],
  intraOpNumThreads: threads,
  graphOptimizationLevel: "all",
  // Failures are thrown and worded here, so ONNX Runtime must not print them as well.
  logSeverityLevel: 4,
  extra: {
    session: {
      // Threads that spin after a run would take the cores from the host's float64 solves.
      intra_op: { allow_spinning: "0" },
      ...(device === "cpu" ? {} : { disable_cpu_ep_fallback: "1" }),
    },
    // It makes a factor before or after a MatMul an attribute, and those are float32.
    ...(precision === "float64"
      ? { optimization: { disable_specified_optimizers: "MatMulScaleFusion" } }
      : {}),
  },
});

/**
 * The native CPU provider writes into the outputs that it is given. Elsewhere they would come back untouched: there
 * outputs are allocated by the provider, and copied into those that were given.
 */
function program(session: OrtSession, lifetime: Lifetime, inPlace: boolean, begin: typeof inTurn): Program {
  return {
    async run(feeds, outputs) {
      lifetime.demandOpen(session);
      demandNames("feeds", session.inputNames, Object.keys(feeds), true);
      demandNames("outputs", session.outputNames, Object.keys(outputs), false);
      const results: Tensors = {
        ...(await begin(() => session.run(feeds, inPlace ? outputs : Object.keys(outputs))).catch(fitting)),
      };
      if (inPlace) return results;
      for (const [name, given] of Object.entries(outputs)) {
        if (given === null) continue;
        (given.data as FloatArray).set(results[name]!.data as FloatArray);
        results[name]!.dispose();
        results[name] = given;
      }
      return results;
    },
    release: () => lifetime.release(session),
  };
}

/** The last `wasmPaths` that was given: it counts for both builds of the web, and for engines that say nothing. */
let folder: string | undefined;

/** What was begun last on the GPU of a page: its build of ONNX Runtime opens and runs one session at a time. */
let last: Promise<unknown> = Promise.resolve();

/** `work` after all that was begun before it. */
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const done = last.then(work, work);
  last = done.catch(() => {});
  return done;
}

/** Which sessions of an engine are open. */
type Lifetime = {
  /** @throws InputError when the session, or the engine, was released. */
  demandOpen(session?: OrtSession): void;
  release(session: OrtSession): Promise<void>;
};

/** @throws InputError unless every name is known and, where all are wanted, given. */
function demandNames(what: string, known: readonly string[], names: readonly string[], all: boolean): void {
  const fits = names.every((name) => known.includes(name)) && (!all || names.length === known.length);
  if (!fits) throw new InputError(`${what}: wanted ${known.join(", ")}, got ${names.join(", ") || "none"}`);
}

/** Tensors that do not fit are an error of who gave them; anything else that goes wrong is passed on. */
function fitting(error: unknown): never {
  const text = error instanceof Error ? error.message : String(error);
  if (
    /invalid (dimensions|rank)|data type|dimension|shape|Tensor\./i.test(text) &&
    !/failed to allocate|bad_alloc|out of memory/i.test(text)
  ) {
    throw new InputError(`feeds: wanted tensors that fit the program, got an error: ${reason(text)}`);
  }
  throw error;
}

/**
 * Opens an engine.
 * @throws InputError for an unknown device or precision or a wrong number of threads, when the device cannot compute at
 * that precision, or ONNX Runtime is not installed; a device that is missing on this machine is reported here or when the
 * first graph is compiled.
 * @example
 * import { createEngine } from "natgrad";
 *
 * const engine = await createEngine({ precision: "float64", threads: 2 });
 * console.log(engine.runtime); // "native", or "wasm"
 * await engine.release();
 */
export async function createEngine(options: EngineOptions = {}): Promise<Engine> {
  const { device = "cpu", precision = "float32", threads = cores(), wasmPaths, notice = warnOnce } = options;
  demandName("device", DEVICES, device);
  demandName("precision", PRECISIONS, precision);
  demandWhole("threads", threads);
  if (precision === "float64" && device !== "cpu") {
    throw new InputError(`precision: wanted float32 on device ${device}, got float64 (only cpu has float64)`);
  }
  const { ort, kind, standIn } = await loadOrt(device === "cpu");
  ort.env.logLevel = "fatal";
  if (kind === "wasm") {
    // In a browser, threads need a page that is cross-origin isolated. The first session of a process fixes their number.
    ort.env.wasm.numThreads = standIn !== undefined || globalThis.crossOriginIsolated ? threads : 1;
    folder = wasmPaths ?? folder;
    if (folder !== undefined) ort.env.wasm.wasmPaths = folder;
  }
  if (standIn !== undefined) {
    if (device !== "cpu") throw missing(device, standIn);
    notice(standIn);
  }
  const Floats = precision === "float32" ? Float32Array : Float64Array;
  const begin: typeof inTurn = kind === "wasm" && device !== "cpu" ? inTurn : (work) => work();
  const sessions = new Set<OrtSession>();
  let beside: Promise<Engine> | undefined;
  let open = true;
  const lifetime: Lifetime = {
    demandOpen(session) {
      if (!open) throw new InputError("engine: wanted one that is open, got one that is released");
      if (session && !sessions.has(session)) {
        throw new InputError("program: wanted one that is open, got one that is released");
      }
    },
    async release(session) {
      if (sessions.delete(session)) await session.release();
    },
  };
  const engine: Engine = {
    device,
    precision,
    runtime: kind,
    lanes: 1,
    epsilon: precision === "float32" ? 2 ** -23 : 2 ** -52,
    floats: (length) => new Floats(length),
    tensor(data, dims) {
      const size = dims.reduce((product, dim) => product * dim, 1);
      agree(`tensor [${dims.join(", ")}]`, `${size} numbers`, `${data.length} numbers`);
      return new ort.Tensor(precision, data instanceof Floats ? data : Floats.from(data), dims);
    },
    integers: (...values) => new ort.Tensor("int64", BigInt64Array.from(values, BigInt), [values.length]),
    async compile(graph) {
      lifetime.demandOpen();
      try {
        const session = await begin(() =>
          ort.InferenceSession.create(graph.toModel(), sessionOptions(device, precision, threads, kind)),
        );
        sessions.add(session);
        return program(session, lifetime, kind === "native" && device === "cpu", begin);
      } catch (error) {
        throw device === "cpu"
          ? new InputError(`engine: ONNX Runtime refused the graph: ${String(error).split("\n")[0]}`)
          : missing(device, reason(error));
      }
    },
    async float64() {
      lifetime.demandOpen();
      if (precision === "float64") return engine;
      return (beside ??= createEngine({
        precision: "float64",
        threads,
        // The line about WebAssembly was this engine's.
        notice: () => {},
        ...(wasmPaths === undefined ? {} : { wasmPaths }),
      }));
    },
    async release() {
      open = false;
      for (const session of sessions) await lifetime.release(session);
      await (await beside?.catch(() => undefined))?.release();
    },
  };
  return engine;
}

const missing = (device: Device, why: string): InputError =>
  new InputError(`device: wanted a working ${device} provider, got none on this machine (${why})`);

let warned = false;

/** The console's line about WebAssembly in place of native code. */
function warnOnce(line: string): void {
  if (!warned) console.warn(`natgrad: ${line}`);
  warned = true;
}

/** An error of ONNX Runtime without its place in the C++ code, short enough for one line. */
const reason = (error: unknown): string =>
  oneLine(error instanceof Error ? error.message : String(error))
    .replace(/^.*(?:was false\. |\[ONNXRuntimeError\] : \d+ : \w+ : )/, "")
    .slice(0, 160);
