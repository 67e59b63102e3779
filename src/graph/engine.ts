/**
 * @file The engine: ONNX Runtime sessions on one device, at one precision, with the settings that make wide
 * matrix products fast (all cores, no spinning between calls) and no silent fallback to another device.
 *
 * On the native CPU, inputs are passed without copying and outputs that are given are written without copying or
 * page faults. Outputs that are null are allocated.
 */
import { loadOrt, type OrtSession, type OrtSessionOptions, type OrtTensor, type Runtime } from "../ort.ts";
import type { Graph, Precision } from "./graph.ts";
import { InputError } from "../error.ts";

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
  run(feeds: Tensors, outputs: Record<string, Tensor | null>): Promise<Tensors>;
  release(): Promise<void>;
};

/** Settings of {@link createEngine}. */
export type EngineOptions = {
  device?: Device;
  precision?: Precision;
  /** Threads of one operation. Default: the cores that the platform reports. */
  threads?: number;
  /** Browser only: address of the folder that holds onnxruntime-web's `.wasm` files. */
  wasmPaths?: string;
  /**
   * Told, in one line, that WebAssembly stands in for native code in Node, and what to do about it. Default: the console, once
   * a process.
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
  /** Releases its programs and whatever else it holds; nothing can be run afterwards. */
  release(): Promise<void>;
  /** Machine epsilon of the engine's precision. */
  readonly epsilon: number;
};

/** Cores of this machine. ONNX Runtime's own default counted one on virtual machines. */
const cores = (): number =>
  globalThis.process?.getBuiltinModule?.("os").availableParallelism() ??
  globalThis.navigator?.hardwareConcurrency ??
  1;

const sessionOptions = (device: Device, threads: number, kind: Runtime["kind"]): OrtSessionOptions => ({
  executionProviders: [device === "cpu" && kind === "wasm" ? "wasm" : device],
  intraOpNumThreads: threads,
  graphOptimizationLevel: "all",
  // What fails is thrown, and worded here: nothing is to be printed beside it.
  logSeverityLevel: 4,
  extra: {
    session: {
      // Spinning threads steal the cores from the host's float64 solves between two runs.
      intra_op: { allow_spinning: "0" },
      ...(device === "cpu" ? {} : { disable_cpu_ep_fallback: "1" }),
    },
  },
});

/**
 * The native CPU provider writes into the outputs that it is given. Elsewhere they would come back untouched: there
 * outputs are allocated by the provider, and copied into those that were given.
 */
function program(session: OrtSession, inPlace: boolean, release: () => Promise<void>): Program {
  return {
    async run(feeds, outputs) {
      if (inPlace) return await session.run(feeds, outputs);
      const results: Tensors = { ...(await session.run(feeds, Object.keys(outputs))) };
      for (const [name, given] of Object.entries(outputs)) {
        if (given === null) continue;
        (given.data as FloatArray).set(results[name]!.data as FloatArray);
        results[name]!.dispose();
        results[name] = given;
      }
      return results;
    },
    release,
  };
}

/**
 * Opens an engine.
 * @throws InputError when the device cannot compute at that precision, or ONNX Runtime is not installed; a device that is
 * missing on this machine is reported here or when the first graph is compiled.
 */
export async function createEngine(options: EngineOptions = {}): Promise<Engine> {
  const { device = "cpu", precision = "float32", threads = cores(), wasmPaths, notice = warnOnce } = options;
  if (precision === "float64" && device !== "cpu") {
    throw new InputError(
      `precision: wanted float32 with --device ${device}, got float64 (only cpu has float64)`,
    );
  }
  const { ort, kind, standIn } = await loadOrt();
  ort.env.logLevel = "fatal";
  if (kind === "wasm") {
    // Threads of a page need one that is cross-origin isolated. The first session of a process settles their number.
    ort.env.wasm.numThreads = standIn !== undefined || globalThis.crossOriginIsolated ? threads : 1;
    if (wasmPaths !== undefined) ort.env.wasm.wasmPaths = wasmPaths;
  }
  if (standIn !== undefined) {
    if (device !== "cpu") throw missing(device, standIn);
    notice(standIn);
  }
  const Floats = precision === "float32" ? Float32Array : Float64Array;
  const sessions = new Set<OrtSession>();
  const release = async (session: OrtSession): Promise<void> => {
    if (sessions.delete(session)) await session.release();
  };
  return {
    device,
    precision,
    runtime: kind,
    lanes: 1,
    epsilon: precision === "float32" ? 2 ** -23 : 2 ** -52,
    floats: (length) => new Floats(length),
    tensor: (data, dims) =>
      new ort.Tensor(precision, data instanceof Floats ? data : Floats.from(data), dims),
    integers: (...values) => new ort.Tensor("int64", BigInt64Array.from(values, BigInt), [values.length]),
    async compile(graph) {
      try {
        const session = await ort.InferenceSession.create(
          graph.toModel(),
          sessionOptions(device, threads, kind),
        );
        sessions.add(session);
        return program(session, kind === "native" && device === "cpu", () => release(session));
      } catch (error) {
        throw device === "cpu"
          ? new InputError(`engine: ONNX Runtime refused the graph: ${String(error).split("\n")[0]}`)
          : missing(device, reason(error));
      }
    },
    async release() {
      for (const session of sessions) await release(session);
    },
  };
}

const missing = (device: Device, why: string): InputError =>
  new InputError(`device: wanted a working ${device} provider, got none on this machine (${why})`);

let warned = false;

/** What the console is told of a runtime that stands in for another. */
function warnOnce(line: string): void {
  if (!warned) console.warn(`natgrad: ${line}`);
  warned = true;
}

/** The first line of an error of ONNX Runtime without its place in the C++ code, short enough for one line. */
const reason = (error: unknown): string =>
  String(error instanceof Error ? error.message : error)
    .split("\n")[0]!
    .replace(/^.*was false\. /, "")
    .slice(0, 160);
