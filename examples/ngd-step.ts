/**
 * @file One step of exact NGD on digits 0 and 1, and what the analytic kernel says it should do.
 *
 *     npx tsx examples/ngd-step.ts
 */
import {
  analyticKernel,
  createEngine,
  createLinearizer,
  createTrainer,
  createWeights,
  exact,
  initialise,
  mlp,
  mse,
  predictSteps,
  stackRows,
} from "natgrad";
import { mnist } from "natgrad/node";

const data = await mnist({ targetClasses: [0, 1], trainSize: 100, testSize: 50, loss: mse });
const engine = await createEngine();
const network = mlp(784, { width: 2048, depth: 3 });
const linearizer = await createLinearizer(engine, network);
const weights = createWeights(network, initialise(engine, network, 1));

// Training and test samples go through the network together; the first 100 are trained on.
const x = stackRows([data.xTrain, data.xTest], engine.floats);
const trainer = createTrainer(linearizer, weights, exact, mse, { x, y: data.yTrain });
const { before } = await trainer.step({ learningRate: 1 });
const after = await trainer.evaluate();

const kernels = {
  train: await analyticKernel(network, data.xTrain, data.xTrain, { engine }),
  test: await analyticKernel(network, data.xTest, data.xTrain, { engine }),
};
const predictor = await predictSteps(exact, mse, kernels, before, data.yTrain, { learningRate: 1, engine });
const predicted = await predictor.step();

console.log("test loss before     ", mse.value(before.test, data.yTest).toFixed(6));
console.log("test loss after      ", mse.value(after.test, data.yTest).toFixed(6));
console.log("predicted at infinity", mse.value(predicted.test, data.yTest).toFixed(6));
