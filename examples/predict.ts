/**
 * @file Training without a network: what infinitely wide ReLU networks of four layers do on synthetic data, step by step
 * under several Fisher matrices, and what all of their random initialisations together would say in the end.
 *
 *     npx tsx examples/predict.ts
 */
import {
  accuracy,
  analyticKernel,
  blockDiagonal,
  blockTriDiagonal,
  exact,
  kfac,
  matrix,
  mlp,
  mse,
  predictSteps,
  type Outputs,
} from "natgrad";
import { randomState, synthetic } from "natgrad/data";
import { createPosterior, deviations, isotropy } from "natgrad/dynamics";

const [N, depth] = [60, 4];
const { normalsInto } = randomState(3);
const { xTrain, yTrain, xTest, yTest } = synthetic(normalsInto, {
  kind: "parity",
  inputs: 8,
  trainSize: N,
  testSize: 200,
  loss: mse,
});
// Only the layers count, and the fan-ins; nothing of this width is ever built.
const network = mlp(8, { depth, width: 1e6, biasVariance: 0.1 });
const train = await analyticKernel(network, xTrain);
const test = await analyticKernel(network, xTest, xTrain);

// Outputs are zero on average over initialisations.
const start = { train: matrix(N, 1, new Float64Array(N)), test: matrix(200, 1, new Float64Array(200)) };
const damping = 1e-4;
for (const fisher of [exact, blockDiagonal, blockTriDiagonal, kfac]) {
  const learningRate = 1 / fisher.alpha({ samples: N, layers: depth, width: 1e6, outputs: 1 })!;
  const predictor = await predictSteps(fisher, mse, { train, test }, start, yTrain, {
    learningRate,
    damping,
  });
  const losses: string[] = [];
  let f: Outputs = start;
  for (let step = 1; step <= 3; step++) {
    f = await predictor.step();
    losses.push(mse.value(f.train, yTrain).toPrecision(3));
  }
  const { deviation } = await isotropy(fisher, train, { damping });
  console.log(
    `${fisher.name.padEnd(19)}training loss ${losses.join(" -> ")}, test accuracy ${accuracy(f.test, yTest)},`,
    `off isotropy by ${deviation.toPrecision(2)}`,
  );
}

const testTest = await analyticKernel(network, xTest);
const law = await (
  await createPosterior({ train, test, testTest }, yTrain, { regularisation: 1e-3 })
).at(Infinity);
const spread = deviations(law);
console.log(
  `posterior          test accuracy ${accuracy(law.mean, yTest)}, an output is known to`,
  `${Math.min(...spread).toPrecision(2)} at best and ${Math.max(...spread).toPrecision(2)} at worst`,
);
