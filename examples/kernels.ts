/**
 * @file The neural tangent kernel of a network at its initial weights beside that of the infinitely wide one: how near
 * they are, layer by layer, and what the spectrum says of gradient descent.
 *
 *     npx tsx examples/kernels.ts
 */
import {
  analyticKernel,
  createEngine,
  createLinearizer,
  createWeights,
  empiricalKernel,
  initialise,
  mlp,
  mse,
  type Matrix,
} from "natgrad";
import { kernelSpectrum } from "natgrad/dynamics";
import { mnist } from "natgrad/node";

const { xTrain } = await mnist({ targetClasses: [0, 1], trainSize: 100, testSize: 1, loss: mse });
const engine = await createEngine();

const norm = (data: Float64Array): number => Math.sqrt(data.reduce((sum, x) => sum + x * x, 0));

/** |a - b| / |b| in Frobenius norm. */
const distance = (a: Matrix, b: Matrix): string =>
  (norm(a.data.map((x, i) => x - b.data[i]!)) / norm(b.data)).toFixed(4);

for (const width of [256, 1024, 4096]) {
  const network = mlp(784, { depth: 3, width });
  const weights = createWeights(network, initialise(engine, network, 1));
  const { train: empirical } = await empiricalKernel(
    await createLinearizer(engine, network),
    weights,
    xTrain,
  );
  const analytic = await analyticKernel(network, xTrain, xTrain, { engine });

  const layers: string[] = [];
  for (const [l, block] of analytic.blocks!.entries()) {
    layers.push(distance(await empirical.blocks![l]!.ntk(), await block.ntk()));
  }
  const { condition, maxLearningRate } = await kernelSpectrum(empirical, { engine });
  console.log(
    `width ${width}: distance ${distance(await empirical.matrix(), await analytic.matrix())} (layers ${layers.join(", ")}),`,
    `condition ${condition.toFixed(0)}, gradient descent is stable below ${maxLearningRate.toFixed(2)}`,
  );
}
