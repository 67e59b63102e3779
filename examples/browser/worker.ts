/**
 * @file The worker of the page: trains when it is asked to, tells every row, and stops when that is not wanted any more.
 */
import {
  blockDiagonal,
  blockTriDiagonal,
  createEngine,
  exact,
  kfac,
  mlp,
  mse,
  train,
  type Engine,
} from "natgrad";
import { randomState, synthetic } from "natgrad/data";
import type { Method, Reply, Request, Settings } from "./messages.ts";

const METHODS = {
  exact,
  block_diagonal: blockDiagonal,
  block_tri_diagonal: blockTriDiagonal,
  kfac,
} as const satisfies Record<Method, unknown>;
const LAYERS = 3;

const tell = (reply: Reply): void => self.postMessage(reply, {});

/** One engine serves all trainings. The server has ONNX Runtime's WebAssembly under ort/. */
let engine: Promise<Engine> | undefined;
const openEngine = (): Promise<Engine> =>
  (engine ??= createEngine({ threads: 1, wasmPaths: new URL("ort/", self.location.href).href }));

async function start(
  { method: name, width, samples, steps, size }: Settings,
  signal: AbortSignal,
): Promise<void> {
  const method = METHODS[name];
  const data = synthetic(randomState(1).normalsInto, {
    trainSize: samples,
    testSize: Math.ceil(samples / 2),
    loss: mse,
    spread: 1,
  });
  const network = mlp(data.xTrain.cols, { depth: LAYERS, width });
  const alpha = method.alpha({ samples, layers: LAYERS, width, outputs: 1 })!;
  const problem = { network, data, loss: mse, method };
  const options = { steps, learningRate: size / alpha, damping: 1e-6, signal };
  for await (const row of train(problem, { engine: await openEngine(), ...options })) {
    const { step, network, predicted, diverged } = row;
    const { trainLoss, testAccuracy } = network;
    tell({ kind: "row", step, trainLoss, testAccuracy, predictedLoss: predicted[0]!.trainLoss });
    if (diverged) return tell({ kind: "end", how: "diverged" });
  }
  tell({ kind: "end", how: "done" });
}

let controller = new AbortController();
/** Settled when no training goes on. */
let training: Promise<void> = Promise.resolve();

self.addEventListener("message", ({ data: request }: MessageEvent<Request>) => {
  controller.abort();
  if (request.kind === "cancel") return;
  controller = new AbortController();
  const { signal } = controller;
  training = training
    .then(() => start(request.settings, signal))
    .catch((error: unknown) =>
      tell(signal.aborted ? { kind: "end", how: "cancelled" } : { kind: "error", message: String(error) }),
    );
});
