/**
 * @file A program that uses the package as it is installed: both NTKs of a network, a step of exact NGD, and its prediction. Prints
 * a line of numbers, the same on every platform to rounding (scripts/runtimes.js, scripts/install-check.js).
 */
import { analyticKernel, createEngine, exact, matrix, mlp, mse, ntk, train } from "natgrad";
import { isotropy } from "natgrad/dynamics";

const engine = await createEngine({ threads: 1, notice: () => {} });
const network = mlp(4, { depth: 3, width: 64 });
const x = matrix(
  6,
  4,
  Float32Array.from({ length: 24 }, (_, i) => Math.sin(1 + i * i)),
);
const y = matrix(
  6,
  1,
  Float64Array.from({ length: 6 }, (_, n) => (n % 2 ? 0.5 : -0.5)),
);
const mean = ({ data }) => data.reduce((sum, value) => sum + value, 0) / data.length;
const numbers = [mean(await ntk(network, x)), mean(await ntk(network, x, x, { kind: "empirical", engine }))];
const data = { xTrain: x, yTrain: y, xTest: x, yTest: y };
const problem = { network, data, loss: mse, method: exact };
for await (const row of train(problem, { engine, steps: 1, learningRate: 0.5 })) {
  numbers.push(row.network.trainLoss, row.predicted[0].trainLoss);
}
const { deviation } = await isotropy(exact, await analyticKernel(network, x));
if (!(deviation < 1e-8)) throw new Error(`isotropy: wanted a deviation below 1e-8, got ${deviation}`);
console.log(numbers.map((value) => value.toPrecision(4)).join(" "));
await engine.release();
