/**
 * @file A loss of your own: the logistic loss of two classes, (1/N) sum log(1 + exp(-y f)) with labels y = 1 and -1 and one
 * output f. Trains a network on it by two methods, beside what the analytic kernel predicts.
 *
 *     npx tsx examples/own-loss.ts
 */
import { blockDiagonal, createEngine, exact, matrix, mlp, train, type Loss } from "natgrad";
import { randomState, synthetic } from "natgrad/data";

const sigmoid = (u: number): number => 1 / (1 + Math.exp(-u));

const logistic: Loss = {
  name: "logistic",
  title: "logistic loss",
  outputs: () => 1,
  encode: (labels) =>
    matrix(
      labels.length,
      1,
      Float64Array.from(labels, (c) => (c === 0 ? 1 : -1)),
    ),

  // The mean over samples. log1p keeps its digits where the loss is small.
  value: (f, y) => f.data.reduce((sum, u, n) => sum + Math.log1p(Math.exp(-u * y.data[n]!)), 0) / f.rows,

  // The derivative of a sample's loss by its output, without the 1/N.
  residual: (f, y) => ({ ...f, data: f.data.map((u, n) => -y.data[n]! * sigmoid(-u * y.data[n]!)) }),

  // The second derivative is Lambda = sigmoid(f) sigmoid(-f): with S its root, S S^T = Lambda and S r~ = r.
  curvature(f, y) {
    const values = f.data.map((u) => Math.sqrt(sigmoid(u) * sigmoid(-u)));
    const residual = logistic.residual(f, y).data.map((r, n) => r / values[n]!);
    return { factor: { samples: f.rows, outputs: 1, columns: 1, values, rank: 1 }, residual };
  },
};

const { normalsInto } = randomState(2);
const data = synthetic(normalsInto, {
  kind: "blobs",
  inputs: 16,
  trainSize: 60,
  testSize: 200,
  spread: 2,
  loss: logistic,
});
const engine = await createEngine({ precision: "float64" });
const network = mlp(16, { depth: 3, width: 2048 });
for (const method of [exact, blockDiagonal]) {
  const problem = { network, data, loss: logistic, method };
  for await (const { step, network: now, predicted } of train(problem, { engine, damping: 1e-4, steps: 3 })) {
    console.log(
      `${method.name}, step ${step}: training loss ${now.trainLoss.toFixed(4)}`,
      `(predicted ${predicted[0]!.trainLoss.toFixed(4)}), test accuracy ${now.testAccuracy}`,
    );
  }
}
