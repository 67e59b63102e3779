/**
 * @file A layer of your own: the activation phi(u) = sqrt(2) sin(u), whose expectations under Gaussians have closed forms,
 * and a check of them by quadrature. Shows how the kernel of a network with it tends to the analytic one.
 *
 *     npx tsx examples/own-activation.ts
 */
import { createEngine, mlp, mse, ntk, type Activation } from "natgrad";
import { randomState, synthetic } from "natgrad/data";
import { dualsByQuadrature } from "natgrad/network";

const sine: Activation = {
  name: "sine",

  // On the graph, for the network: operators of ONNX.
  value: (g, u) => g.node("Mul", [g.node("Sin", [u]), g.constant([Math.SQRT2])]),
  derivative: (g, u) => g.node("Mul", [g.node("Cos", [u]), g.constant([Math.SQRT2])]),

  // On the host, for units drawn from the infinite network.
  slope: (u) => Math.SQRT2 * Math.cos(u),

  // For the infinite network: E[phi(u) phi(v)] and E[phi'(u) phi'(v)], where u and v are centred Gaussians with variances
  // p and q and covariance k.
  dual: (k, p, q) => 2 * Math.exp(-(p + q) / 2) * Math.sinh(k),
  dualDerivative: (k, p, q) => 2 * Math.exp(-(p + q) / 2) * Math.cosh(k),
};

// Without closed forms they come from quadrature, and `...dualsByQuadrature(phi, slope)` stands in their place.
const { dual, dualDerivative } = dualsByQuadrature((u) => Math.SQRT2 * Math.sin(u), sine.slope);
const errors = [
  dual(0.3, 1, 1.5) - sine.dual(0.3, 1, 1.5),
  dualDerivative(0.3, 1, 1.5) - sine.dualDerivative(0.3, 1, 1.5),
];
console.log(
  `closed forms and quadrature agree to 1e-12: ${errors.every((error) => Math.abs(error) < 1e-12)}`,
);

const { xTrain: x } = synthetic(randomState(2).normalsInto, {
  inputs: 8,
  trainSize: 40,
  testSize: 1,
  loss: mse,
});
const engine = await createEngine({ precision: "float64" });
for (const width of [128, 512, 2048]) {
  const network = mlp(8, { depth: 3, width, activation: sine });
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
