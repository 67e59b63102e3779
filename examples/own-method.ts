/**
 * @file A Fisher approximation of your own, from nothing: each layer's block of the Fisher matrix is taken for a multiple of
 * the identity, its trace tr(Theta_l) / N. That is gradient descent with a learning rate per layer.
 *
 *     npx tsx examples/own-method.ts
 */
import { createEngine, mlp, mse, train, type Fisher } from "natgrad";
import { randomState, synthetic } from "natgrad/data";
import type { Kernel } from "natgrad/kernel";

/** Theta_l of every layer. */
const layersOf = (kernel: Kernel) => Promise.all(kernel.blocks!.map((block) => block.ntk()));

const traceScaled: Fisher = {
  name: "trace_scaled",
  title: "gradient descent with a learning rate per layer",
  needs: "blocks", // a kernel layer by layer
  curvature: "folded", // that of the loss is in the kernel and in the residual already
  alpha: () => undefined, // G tends to no multiple of the identity, so a run must give a learning rate

  async prepare(kernel, damping) {
    const N = kernel.cols;
    const rates = (await layersOf(kernel)).map(({ rows, data }) => {
      let trace = 0;
      for (let i = 0; i < rows; i++) trace += data[i * rows + i]!;
      return 1 / (trace / N + damping);
    });
    return {
      // The update in the weights: one number per sample and output, for every layer.
      solve: async (r) => rates.map((rate) => ({ kind: "per-sample", values: r.map((x) => (rate * x) / N) })),

      // The same update in function space, on the rows of another kernel: sum over l of rate_l Theta'_l r / N.
      async onto(cross) {
        const thetas = await layersOf(cross);
        return (r) => {
          const out = new Float64Array(thetas[0]!.rows);
          for (const [l, { cols, data }] of thetas.entries()) {
            for (let i = 0; i < out.length; i++) {
              for (let j = 0; j < cols; j++) out[i]! += (rates[l]! * data[i * cols + j]! * r[j]!) / N;
            }
          }
          return out;
        };
      },
    };
  },

  // Bytes that stay and bytes at the most, and operations, from sizes alone: what a plan of memory asks for.
  cost({ samples, outputs, layers: { length: L } }) {
    const vector = 8 * samples * outputs;
    return {
      prepare: { kept: 8 * L, peak: L * samples * outputs * vector },
      solve: { kept: L * vector, peak: L * vector },
      onto(rows) {
        const thetas = L * rows.samples * rows.outputs * vector;
        return { kept: thetas, peak: thetas };
      },
      operations: L * samples * outputs,
    };
  },
};

const data = synthetic(randomState(2).normalsInto, {
  kind: "blobs",
  inputs: 16,
  trainSize: 60,
  testSize: 200,
  spread: 2,
  loss: mse,
});
const engine = await createEngine({ precision: "float64" });
const network = mlp(16, { depth: 3, width: 2048 });
const problem = { network, data, loss: mse, method: traceScaled };
for await (const { step, network: now, predicted } of train(problem, {
  engine,
  learningRate: 1,
  steps: 40,
  every: 10,
})) {
  const foreseen = predicted[0]!;
  console.log(
    `step ${step}: training loss ${now.trainLoss.toFixed(4)} (predicted ${foreseen.trainLoss.toFixed(4)}),`,
    `test loss ${now.testLoss.toFixed(4)} (predicted ${foreseen.testLoss.toFixed(4)})`,
  );
}
