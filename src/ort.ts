/**
 * @file The only module that imports ONNX Runtime, by package imports (see package.json):
 *
 *               in Node                            elsewhere
 *     #ort      onnxruntime-node, native           onnxruntime-web/webgpu, for devices other than the CPU
 *     #ort-wasm dist/ort/, WebAssembly             onnxruntime-web/wasm, for the CPU
 *     #ort-web  onnxruntime-web                    the same
 *
 * Where the native one is not installed or cannot be loaded, Node takes `#ort-wasm`, three files of onnxruntime-web that the
 * build puts into dist/ort/, or in a checkout that was never built `#ort-web`, that package itself. The WebGPU build of the
 * web is no good for the CPU: it has no float64 products there, and is several times slower. Any of them is loaded on first
 * use and never statically, because a static import of the threaded web build hangs bundles for production.
 *
 * Native ONNX Runtime reports its use to its maker unless ORT_DISABLE_TELEMETRY is set before it loads; natgrad always sets
 * it.
 */
import { InputError } from "./error.ts";

// The part of its interface that is used here, so that natgrad's types need neither package.

export type OrtTensor = {
  readonly type: "float32" | "float64" | "int64";
  readonly dims: readonly number[];
  readonly data: Float32Array | Float64Array | BigInt64Array;
  dispose(): void;
};

export type OrtSession = {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** `fetches` are places for the outputs (null: a new one), or their names alone. */
  run(
    feeds: Readonly<Record<string, OrtTensor>>,
    fetches: Readonly<Record<string, OrtTensor | null>> | readonly string[],
  ): Promise<Record<string, OrtTensor>>;
  release(): Promise<void>;
};

export type OrtSessionOptions = {
  executionProviders: readonly string[];
  intraOpNumThreads: number;
  graphOptimizationLevel: "all";
  logSeverityLevel: 0 | 1 | 2 | 3 | 4;
  extra: Readonly<Record<string, unknown>>;
};

export type OrtModule = {
  readonly InferenceSession: {
    create(model: Uint8Array, options: OrtSessionOptions): Promise<OrtSession>;
  };
  readonly Tensor: new (
    type: OrtTensor["type"],
    data: OrtTensor["data"],
    dims: readonly number[],
  ) => OrtTensor;
  readonly env: {
    logLevel?: "verbose" | "info" | "warning" | "error" | "fatal";
    readonly wasm: { numThreads?: number; wasmPaths?: string };
  };
};

/** ONNX Runtime as it was found. */
export type Runtime = {
  readonly ort: OrtModule;
  /** Native code, which writes into the outputs that it is given, or WebAssembly, which has memory of its own. */
  readonly kind: "native" | "wasm";
  /** Only of WebAssembly in Node: on one line, why it stands in for native code, and what to do about it. */
  readonly standIn?: string;
};

/** The command that installs the native build; without its script, which downloads CUDA on Linux. */
export const INSTALL_NATIVE = "npm install --ignore-scripts onnxruntime-node@1.30.0";

const SLOWER = "networks run on WebAssembly, several times slower";

const VARIABLE = "ORT_DISABLE_TELEMETRY";

/** The process in Node, undefined in a browser. */
const node = globalThis.process?.versions?.node === undefined ? undefined : globalThis.process;

/** Its value when the process started, or the thread. */
const inherited = node?.env[VARIABLE];

// On import, so that it holds for worker threads that start afterwards.
if (node) node.env[VARIABLE] = "1";

const loading = new Map<boolean, Promise<Runtime>>();

/**
 * ONNX Runtime for this platform.
 * @param cpu whether networks will run on the CPU; the web has another build for other devices
 * @throws InputError when none is installed.
 */
export function loadOrt(cpu = true): Promise<Runtime> {
  const key = cpu || node !== undefined;
  const known = loading.get(key) ?? load(key);
  loading.set(key, known);
  return known;
}

async function load(cpu: boolean): Promise<Runtime> {
  if (!node) return { ort: await (cpu ? ofPackage() : ofPlatform()), kind: "wasm" };
  if (!reportsAreOff(node)) {
    return web(
      `ONNX Runtime's reports to its maker cannot be turned off from here, so that ${SLOWER}; start the process with ${VARIABLE}=1, or import natgrad in the main thread of Node before`,
    );
  }
  try {
    return { ort: await ofPlatform(), kind: "native" };
  } catch (error) {
    return web(insteadOfNative(error));
  }
}

// The types of the packages are wider.
const ofPlatform = async (): Promise<OrtModule> => (await import("#ort")) as unknown as OrtModule;
const ofPackage = async (): Promise<OrtModule> => (await import("#ort-wasm")) as unknown as OrtModule;
const ofCheckout = async (): Promise<OrtModule> => (await import("#ort-web")) as unknown as OrtModule;

/** WebAssembly in Node, and the line that says why it is that. */
async function web(standIn: string): Promise<Runtime> {
  try {
    // A checkout that was never built has no dist/.
    return { ort: await ofPackage().catch(ofCheckout), kind: "wasm", standIn };
  } catch {
    throw new InputError(
      `engine: wanted onnxruntime-node, got neither that nor WebAssembly (${INSTALL_NATIVE})`,
    );
  }
}

/** The line for a native build that did not load. */
function insteadOfNative(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === "ERR_MODULE_NOT_FOUND" && message.includes("onnxruntime-node")
    ? `onnxruntime-node is not installed, so that ${SLOWER}; ${INSTALL_NATIVE} gets it`
    : `onnxruntime-node cannot be loaded here, so that ${SLOWER} (${message.split("\n")[0]})`;
}

/** A report of Node, with the switches that Node 20 does not have yet. */
type Report = NodeJS.ProcessReport & { excludeEnv?: boolean; excludeNetwork?: boolean };

/**
 * Whether the variable stands in the environment of the process, where native code looks. `process.env` is that in the main
 * thread of Node, and a copy of it in others, where only a report of Node tells. In Bun it is a copy always.
 */
function reportsAreOff({ getBuiltinModule, report, versions }: NodeJS.Process): boolean {
  const { isMainThread } = getBuiltinModule("node:worker_threads");
  if (versions["bun"] !== undefined) return isMainThread && inherited === "1";
  if (isMainThread) return true;
  const { excludeEnv, excludeNetwork } = report as Report;
  try {
    Object.assign(report, { excludeEnv: false, excludeNetwork: true });
    const { environmentVariables } = report.getReport() as {
      environmentVariables?: Readonly<Record<string, string>>;
    };
    return environmentVariables?.[VARIABLE] === "1";
  } finally {
    Object.assign(report, { excludeEnv: excludeEnv ?? false, excludeNetwork: excludeNetwork ?? false });
  }
}
