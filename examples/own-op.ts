/**
 * @file An op of your own: every value multiplied by a constant, in all that natgrad asks of an op. Shows how the kernel of a
 * network with it tends to the analytic one.
 *
 *     npx tsx examples/own-op.ts
 */
import { createEngine, dense, mse, ntk, relu, serial, type Op } from "natgrad";
import { randomState, synthetic } from "natgrad/data";

const times = (factor: number): Op => ({
  name: `times(${factor})`,
  shape: ([input]) => input!,

  // On the graph, for the network: the value, and the cotangent of its input from that of the value. Other ops take what
  // they need of the forward pass from `at`.
  forward: (g, { inputs }) => ({ output: g.node("Mul", [inputs[0]!, g.constant([factor])]) }),
  backward: (g, _at, ct) => [g.node("Mul", [ct, g.constant([factor])])],

  // For the infinite network, in place: a variance, all covariances of a tile, and what signals are multiplied by on their
  // way back.
  infinite: () => ({
    kind: "elementwise",
    variance: (p) => factor ** 2 * p,
    maps({ cov, tangent }) {
      for (let i = 0; i < cov.length; i++) {
        cov[i]! *= factor ** 2;
        if (tangent) tangent[i]! *= factor ** 2;
      }
    },
  }),

  // On the host, for units drawn from the infinite network.
  slope: () => factor,
});

const { xTrain: x } = synthetic(randomState(2).normalsInto, {
  inputs: 8,
  trainSize: 40,
  testSize: 1,
  loss: mse,
});
const engine = await createEngine({ precision: "float64" });
for (const width of [128, 512, 2048]) {
  const network = serial(8, dense(width), times(1.5), relu(), dense(width), relu(), times(0.5), dense(1));
  const infinite = await ntk(network, x);
  const finite = await ntk(network, x, x, { kind: "empirical", engine });
  let [gap, size] = [0, 0];
  for (const [i, theta] of infinite.data.entries()) {
    gap += (finite.data[i]! - theta) ** 2;
    size += theta ** 2;
  }
  console.log(
    `width ${width}: distance of the NTK from the analytic one ${Math.sqrt(gap / size).toFixed(3)}`,
  );
}
