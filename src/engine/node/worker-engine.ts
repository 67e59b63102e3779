/**
 * @file An engine made of workers, each with sessions and threads of its own: `compile` compiles in every one, a run goes to
 * whichever is idle, and as many runs go on at a time as there are workers (`lanes`).
 *
 * Arrays of `floats` lie in shared memory. Workers read and write them in place, or by way of a private copy on versions
 * of Node where ONNX Runtime does not take shared memory (20). Arrays from elsewhere are copied for every run.
 *
 * What a run gives does not depend on the number of workers. It may depend on `threads`, with this engine as with any
 * other: ONNX Runtime cuts the columns of a product among threads, and sums narrow pieces in longer runs.
 */
import type { TransferListItem } from "node:worker_threads";
import { InputError } from "../../error.ts";
import { loadOrt } from "../../ort.ts";
import {
  cores,
  createEngine,
  type Engine,
  type EngineOptions,
  type FloatArray,
  type Tensors,
} from "../engine.ts";
import type { Data, Parcel } from "./worker.ts";
import { startWorkers } from "./workers.ts";

/** Settings of {@link createWorkerEngine}. */
export type WorkerEngineOptions = Pick<EngineOptions, "precision" | "notice"> & {
  /** Default: 2. */
  workers?: number;
  /** Threads of one operation in each worker, and of this thread's products. Default: the workers share the cores; products get all. */
  threads?: number;
  /** The program of a worker; only tests have another. */
  entry?: URL;
};

const isShared = ({ buffer }: Data): boolean => buffer instanceof SharedArrayBuffer;

/**
 * Opens an engine of worker threads on the CPU, in Node. Its `release` ends them; a process that forgets it ends as well.
 * @throws InputError when a worker cannot start and, from whatever is run afterwards, when one has ended.
 */
export async function createWorkerEngine(options: WorkerEngineOptions = {}): Promise<Engine> {
  const { workers: lanes = 2, threads, precision = "float32", entry, ...listeners } = options;
  if (!Number.isInteger(lanes) || lanes < 1) {
    throw new InputError(`workers: wanted a whole number >= 1, got ${lanes}`);
  }
  // Makes tensors, and has the products of this thread.
  const host = await createEngine({ precision, ...(threads === undefined ? {} : { threads }), ...listeners });
  const { Tensor } = (await loadOrt()).ort;
  const share = Math.max(1, Math.floor(cores() / lanes));
  const workers = await startWorkers(lanes, { precision, threads: threads ?? share }, entry);
  let programs = 0;
  return {
    ...host,
    lanes,
    floats(length) {
      const floats = host.floats(0);
      const Floats = floats.constructor as Float32ArrayConstructor;
      return new Floats(new SharedArrayBuffer(length * floats.BYTES_PER_ELEMENT));
    },
    async compile(graph) {
      const program = programs++;
      await workers.askAll({ kind: "compile", program, model: graph.toModel() });
      return {
        async run(feeds, outputs) {
          const transfer: TransferListItem[] = [];
          const sent: Record<string, Parcel> = {};
          const places: Record<string, Parcel | null> = {};
          for (const [name, tensor] of Object.entries(feeds)) {
            const { type, dims } = tensor;
            let data = tensor.data as Data;
            if (!isShared(data)) transfer.push((data = data.slice()).buffer as ArrayBuffer);
            sent[name] = { type, dims, data };
          }
          for (const [name, tensor] of Object.entries(outputs)) {
            if (tensor && tensor.type !== precision) {
              throw new InputError(`outputs: wanted ${name} of ${precision}, got ${tensor.type}`);
            }
            const data = tensor?.data as Data | undefined;
            places[name] =
              tensor && data && isShared(data) ? { type: tensor.type, dims: tensor.dims, data } : null;
          }
          const results = await workers.ask({ kind: "run", program, feeds: sent, outputs: places }, transfer);
          const tensors: Tensors = {};
          for (const [name, given] of Object.entries(outputs)) {
            const result = results[name];
            if (given && result) (given.data as FloatArray).set(result.data as FloatArray);
            tensors[name] =
              given ?? new Tensor(result!.type as "float32", result!.data as never, result!.dims);
          }
          return tensors;
        },
        release: () => workers.askAll({ kind: "release", program }),
      };
    },
    async release() {
      await workers.close();
      await host.release();
    },
  };
}
