/**
 * @file A Fisher approximation made from another: K-FAC whose layers are multiplied by factors. With the factors that the
 * paper's NumPy program has in its K-FAC by mistake, and its learning rate 1/(N L), the losses are those that it prints
 * (docs/references.md); with factor N for the last layer alone that learning rate is the right one.
 *
 *     npx tsx examples/custom-fisher.ts
 */
import {
  createEngine,
  createLinearizer,
  createTrainer,
  createWeights,
  initialise,
  kfac,
  mlp,
  mse,
  stackRows,
  type Fisher,
} from "natgrad";
import type { Coefficients } from "natgrad/fisher";
import { mnist } from "natgrad/node";

/** `fisher` with the update of layer l multiplied by factors[l]. */
const scaledLayers = (fisher: Fisher, factors: readonly number[]): Fisher => ({
  ...fisher,
  async prepare(kernel, damping, options) {
    const prepared = await fisher.prepare(kernel, damping, options);
    return {
      ...prepared,
      async solve(residual) {
        const plain = await prepared.solve(residual);
        if ("kind" in plain) throw new RangeError(`scaledLayers: wanted a list, got ${plain.kind} for all`);
        return plain.map((how, l): Coefficients => {
          if (how.kind !== "mixing") throw new RangeError(`scaledLayers: wanted mixing, got ${how.kind}`);
          const data = how.matrix.data.map((x) => factors[l]! * x);
          return { ...how, matrix: { ...how.matrix, data } };
        });
      },
    };
  },
});

const data = await mnist({ targetClasses: [0, 1], trainSize: 100, testSize: 50, loss: mse });
const [N, L, M0, M, variance] = [100, 3, 784, 1024, 2];
const x = stackRows([data.xTrain, data.xTest]);

async function losses(fisher: Fisher, learningRate: number): Promise<string> {
  const engine = await createEngine({ precision: "float64" });
  const network = mlp(M0, { depth: L, width: M, weightVariance: variance });
  const weights = createWeights(network, initialise(engine, network, 1));
  const linearizer = await createLinearizer(engine, network);
  const trainer = createTrainer(linearizer, weights, fisher, mse, { x, y: data.yTrain });
  const shown: string[] = [];
  for (let step = 0; step < 5; step++) {
    const { before } = await trainer.step({ learningRate });
    shown.push(mse.value(before.train, data.yTrain).toPrecision(3));
  }
  return shown.join(" -> ");
}

const mistake = [M0, M].map((fanIn) => (variance * N) / Math.sqrt(fanIn));
console.log(
  "K-FAC                 ",
  await losses(kfac, 1 / kfac.alpha({ samples: N, layers: L, width: M, outputs: 1 })!),
);
console.log(
  "as the NumPy program  ",
  await losses(scaledLayers(kfac, [...mistake, variance / Math.sqrt(M)]), 1 / (N * L)),
);
console.log("last layer times N    ", await losses(scaledLayers(kfac, [1, 1, N]), 1 / (N * L)));
