/**
 * @file An activation of one's own: tanh, as nodes of a graph for the network, and as functions of numbers for the infinitely wide one,
 * whose expectations are taken by quadrature. The NTK of wider and wider networks tends to the analytic one, and a step of exact
 * natural gradient descent at learning rate 1 comes nearer and nearer to the labels.
 *
 *     npx tsx examples/custom-activation.ts
 */
import {
  analyticKernel,
  createEngine,
  createLinearizer,
  createTrainer,
  createWeights,
  empiricalKernel,
  exact,
  initialise,
  mlp,
  mse,
  type Activation,
} from "natgrad";
import { kernelMatrix } from "natgrad/kernel";
import { randomState, synthetic } from "natgrad/data";
import { dualsByQuadrature } from "natgrad/network";

const slope = (u: number): number => 1 - Math.tanh(u) ** 2;

const tanh: Activation = {
  name: "tanh",
  // ONNX operators, on all samples at once.
  value: (g, u) => g.node("Tanh", [u]),
  derivative(g, u) {
    const t = g.node("Tanh", [u]);
    return g.node("Sub", [g.constant([1]), g.node("Mul", [t, t])]);
  },
  // E[phi phi'] and E[phi-dot phi-dot'] of a pair of Gaussians; formulas of your own go here where there are any.
  ...dualsByQuadrature(Math.tanh, slope),
};

const data = synthetic(randomState(1).normalsInto, { trainSize: 20, testSize: 5, loss: mse });
const engine = await createEngine({ precision: "float64" });

const norm = (x: Float64Array): number => Math.sqrt(x.reduce((sum, value) => sum + value * value, 0));

for (const width of [64, 256, 1024]) {
  const network = mlp(data.xTrain.cols, { depth: 3, width, activation: tanh });
  const linearizer = await createLinearizer(engine, network);
  const weights = createWeights(network, initialise(engine, network, 1));
  const { train } = await empiricalKernel(linearizer, weights, data.xTrain);
  const wanted = kernelMatrix(await analyticKernel(network, data.xTrain)).data;
  const distance = norm(kernelMatrix(train).data.map((x, i) => x - wanted[i]!)) / norm(wanted);

  const trainer = createTrainer(linearizer, weights, exact, mse, { x: data.xTrain, y: data.yTrain });
  const { before } = await trainer.step({ learningRate: 1 });
  const after = await trainer.evaluate();
  const losses = [before, after].map(({ train: f }) => mse.value(f, data.yTrain).toExponential(1));
  console.log(`width ${width}: ${distance.toFixed(3)} from the analytic NTK, loss ${losses.join(" -> ")}`);
}
