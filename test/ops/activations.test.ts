/**
 * @file Every activation of the table: values and derivatives against numbers of 40 digits, derivatives against differences, duals against
 * a fine rule in two dimensions and against Neural Tangents, and wide networks against their analytic kernels.
 */
import { afterAll, describe, expect, it } from "vitest";
import { createEngine, type Engine } from "../../src/engine/engine.ts";
import { createGraph } from "../../src/engine/graph.ts";
import { mul } from "../../src/engine/ops.ts";
import { analyticKernel, analyticNngp, analyticNtk } from "../../src/kernel/analytic.ts";
import { ntk as ntkOf } from "../../src/kernel/ntk.ts";
import { mlp } from "../../src/network/mlp.ts";
import { dualMaps, type Activation } from "../../src/ops/activation.ts";
import {
  ACTIVATION_NAMES,
  ACTIVATIONS,
  activationNamed,
  hermite,
  leakyRelu,
  polynomial,
  rbf,
} from "../../src/ops/activations/index.ts";
import { dualsByQuadrature } from "../../src/ops/quadrature.ts";
import { createWorkspace, type Tile } from "../../src/ops/tile.ts";
import { peerFixture, variances } from "../support/fixtures.ts";
import { ntk, partsOf } from "../support/kernels.ts";
import { random } from "../support/matrices.ts";
import { float64Engine, relativeError } from "../support/tiny.ts";
import { TOLERANCE } from "../support/tolerance.ts";

const peers = await peerFixture("activations");
const deep = await peerFixture("analytic");
const narrow = await createEngine({ threads: 1 });
afterAll(() => narrow.release());

/** More than the table has. */
const OTHERS: readonly Activation[] = [
  leakyRelu(0.2),
  leakyRelu(-0.7),
  rbf(0.3),
  hermite(1),
  hermite(4),
  hermite(7),
  polynomial([0.3, -1, 0.5, 0.2]),
];
const ALL = [...ACTIVATIONS, ...OTHERS].map((phi, i) => [`${phi.name} (${i})`, phi] as const);

/** Value and derivative of an activation on a graph. */
async function evaluate(engine: Engine, phi: Activation, points: ArrayLike<number>) {
  const g = createGraph(engine.precision);
  const u = g.input("u", ["N"]);
  const ones = g.input("ones", ["N"]);
  g.output("value", phi.value(g, u), ["N"]);
  // A derivative may be one number, for what it multiplies.
  g.output("derivative", mul(g, ones, phi.derivative(g, u)), ["N"]);
  const program = await engine.compile(g);
  const tensor = (from: ArrayLike<number>) => {
    const data = engine.floats(from.length);
    data.set(from);
    return engine.tensor(data, [from.length]);
  };
  const feeds = { u: tensor(points), ones: tensor(Array.from(points, () => 1)) };
  const { value, derivative } = await program.run(feeds, { value: null, derivative: null });
  await program.release();
  return { value: [...(value!.data as Float64Array)], derivative: [...(derivative!.data as Float64Array)] };
}

/** The largest error relative to each number, or to `floor` where that is more. */
const worst = (got: readonly number[], wanted: ArrayLike<number>, floor: number): number =>
  got.reduce(
    (most, x, i) => Math.max(most, Math.abs(x - wanted[i]!) / Math.max(floor, Math.abs(wanted[i]!))),
    0,
  );

describe.each(ACTIVATION_NAMES)("%s", (name) => {
  const phi = activationNamed(name);
  const points = peers.get("points").data;
  const wanted = (of: "value" | "derivative") => peers.get(`${name}_${of}`).data;
  // Values that sin and cos have next to their zeros know their argument to one rounding.
  const waves = ["sin", "cos", "rbf"].includes(name);
  // GELU's left tail: the square in its exponential is rounded, and its rational approximation is at its end.
  const floor = waves ? 1 : name === "gelu" ? 1e-4 : 1e-300;

  it("has its value and derivative to 1e-14 in float64", async () => {
    const { value, derivative } = await evaluate(await float64Engine(), phi, points);
    expect(worst(value, wanted("value"), floor)).toBeLessThan(1e-14);
    // A derivative of gelu, gelu_tanh and silu is a difference of numbers next to its zero.
    expect(
      worst(derivative, wanted("derivative"), Math.max(floor, name.endsWith("lu") ? 1e-2 : 0)),
    ).toBeLessThan(1e-14);
  });

  it("has them in float32, and its slope on the host", async () => {
    const near = [...points].map(Math.fround);
    const { value, derivative } = await evaluate(narrow, phi, near);
    expect(worst(value, wanted("value"), 1)).toBeLessThan(2e-6);
    expect(worst(derivative, wanted("derivative"), 1)).toBeLessThan(2e-6);
    expect(worst([...points].map(phi.slope), wanted("derivative"), 1)).toBeLessThan(1e-14);
  });

  it("keeps a NaN", async () => {
    for (const engine of [narrow, await float64Engine()]) {
      const { value } = await evaluate(engine, phi, [Number.NaN, 1]);
      expect(Number.isNaN(value[0]), engine.precision).toBe(true);
    }
  });
});

describe("a derivative", () => {
  it.each(ALL)("is what differences of the value give: %s", async (_, phi) => {
    const points = Array.from({ length: 41 }, (__, i) => (i - 20) / 6 + 0.017);
    const h = 1e-5;
    const engine = await float64Engine();
    const { derivative } = await evaluate(engine, phi, points);
    const up = await evaluate(
      engine,
      phi,
      points.map((u) => u + h),
    );
    const down = await evaluate(
      engine,
      phi,
      points.map((u) => u - h),
    );
    const slopes = up.value.map((v, i) => (v - down.value[i]!) / (2 * h));
    expect(worst(derivative, slopes, 1)).toBeLessThan(1e-7);
    expect(worst(points.map(phi.slope), derivative, 1)).toBeLessThan(1e-13);
  });

  it("of ReLU and its kin is 0 at 0", async () => {
    for (const name of ["relu", "leaky_relu", "abs"]) {
      const { derivative } = await evaluate(await float64Engine(), activationNamed(name), [0]);
      expect([derivative[0], activationNamed(name).slope(0)]).toEqual([0, 0]);
    }
  });
});

/** E[f(u) f(v)] by the trapezoidal rule in both directions; a kink at 0 lies on no node. */
function expectation(f: (u: number) => number, k: number, p: number, q: number): number {
  const c = Math.max(-1, Math.min(1, k / Math.sqrt(p * q)));
  const rest = Math.sqrt((1 - c) * (1 + c));
  const h = 1 / 16;
  const nodes = Array.from({ length: 417 }, (_, i) => h * (i - 208) + h / 3);
  const weights = nodes.map((z) => (h * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI));
  let sum = 0;
  for (const [i, z] of nodes.entries()) {
    const at = Math.sqrt(p) * z;
    let inner = 0;
    for (const [j, other] of nodes.entries()) inner += weights[j]! * f(Math.sqrt(q) * (c * z + rest * other));
    sum += weights[i]! * f(at) * inner;
  }
  return sum;
}

/** k, p and q. */
const PAIRS = [
  [0.3, 1, 1.5],
  [-0.5, 0.4, 2],
  [0, 1.3, 0.7],
  [0.99 * Math.sqrt(1.2 * 0.8), 1.2, 0.8],
  [-0.97, 1, 1],
  [1.4, 1.4, 1.4],
  [0.05, 0.01, 0.3],
] as const;

/** Activations as functions of a number. */
const HOST: Readonly<Record<string, (u: number) => number>> = {
  relu: (u) => Math.max(u, 0),
  leaky_relu: (u) => (u > 0 ? u : 0.01 * u),
  abs: Math.abs,
  erf: (u) => erfOf(u),
  gelu: (u) => 0.5 * u * (1 + erfOf(u * Math.SQRT1_2)),
  gelu_tanh: (u) => 0.5 * u * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (u + 0.044715 * u ** 3))),
  silu: (u) => u / (1 + Math.exp(-u)),
  tanh: Math.tanh,
  sigmoid: (u) => 1 / (1 + Math.exp(-u)),
  softplus: (u) => Math.log1p(Math.exp(u)),
  sin: Math.sin,
  cos: Math.cos,
  exp: Math.exp,
  rbf: (u) => Math.SQRT2 * Math.sin(Math.SQRT2 * u + Math.PI / 4),
  identity: (u) => u,
  square: (u) => u * u,
  "hermite(4)": (u) => (u ** 4 - 6 * u ** 2 + 3) / Math.sqrt(24),
  "polynomial(0.3,-1,0.5,0.2)": (u) => 0.3 - u + 0.5 * u ** 2 + 0.2 * u ** 3,
};

/** erf by its Maclaurin series times exp(-u^2). */
function erfOf(u: number): number {
  if (Math.abs(u) > 6) return Math.sign(u);
  let [term, sum] = [u, u];
  for (let k = 1; k < 200; k++) {
    term *= (2 * u * u) / (2 * k + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-u * u) * sum;
}

/** Where a rule with equal steps sees a kink or a jump, it is as near as its steps. */
const KINKED = ["relu", "leaky_relu", "abs"];

describe("a dual", () => {
  it.each(ALL.filter(([, { name }]) => name in HOST && !name.includes("(0.2)")))(
    "is the expectation that a fine rule gives: %s",
    (_, phi) => {
      // Of the leaky ReLUs only the first has its formula on the host.
      if (phi.name === "leaky_relu" && phi !== activationNamed("leaky_relu")) return;
      const f = phi.name === "rbf" && phi !== activationNamed("rbf") ? otherRbf : HOST[phi.name]!;
      const kinked = KINKED.includes(phi.name);
      const errorOf = (got: number, wanted: number): number =>
        Math.abs(got - wanted) / (kinked ? 1 : Math.max(0.01, Math.abs(wanted)));
      for (const [k, p, q] of PAIRS) {
        const value = errorOf(phi.dual(k, p, q), expectation(f, k, p, q));
        expect(value).toBeLessThan(kinked ? 1e-3 : 1e-12);
        const slope = errorOf(phi.dualDerivative(k, p, q), expectation(phi.slope, k, p, q));
        expect(slope).toBeLessThan(kinked ? 2e-2 : 1e-12);
      }
    },
  );

  const otherRbf = (u: number): number => Math.SQRT2 * Math.sin(Math.sqrt(0.6) * u + Math.PI / 4);

  it("over a tile is that of its pairs, zero variances among them", () => {
    for (const [name, phi] of ALL) {
      if (!phi.maps) continue;
      const [fast, plain] = [tile(), tile()];
      phi.maps(fast);
      dualMaps(phi, plain);
      expect(relativeError(fast.cov, plain.cov), name).toBeLessThan(1e-13);
      expect(relativeError(fast.tangent!, plain.tangent!), name).toBeLessThan(1e-13);
      const alone = { ...tile(), tangent: undefined };
      phi.maps(alone);
      expect(alone.cov, name).toEqual(fast.cov);
    }
  });

  it("of ReLU's kin is that of ReLU where it is ReLU, and of the identity where it is that", () => {
    const [relu, identity] = [leakyRelu(0), leakyRelu(1)];
    for (const [k, p, q] of PAIRS) {
      expect(relu.dual(k, p, q)).toBe(activationNamed("relu").dual(k, p, q));
      expect(identity.dual(k, p, q)).toBe(k);
      expect(identity.dualDerivative(k, p, q)).toBe(1);
    }
  });

  it("by expansion is that by quadrature, and holds where that fails", () => {
    const tanh = activationNamed("tanh");
    const quadrature = dualsByQuadrature(Math.tanh, (u) => 1 - Math.tanh(u) ** 2, { points: 64 });
    expect(tanh.dual(0.1, 0.3, 0.2)).toBeCloseTo(quadrature.dual(0.1, 0.3, 0.2), 13);
    expect(tanh.dualDerivative(0.1, 0.3, 0.2)).toBeCloseTo(quadrature.dualDerivative(0.1, 0.3, 0.2), 13);
    // Steep: tanh(3 z).
    const fine = Array.from({ length: 40_001 }, (_, i) => (i - 20_000) / 2000);
    const mean = fine.reduce(
      (sum, z) => sum + (Math.tanh(3 * z) ** 2 * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI) / 2000,
      0,
    );
    expect(tanh.dual(9, 9, 9)).toBeCloseTo(mean, 13);
    expect(tanh.dual(9 - 1e-13, 9, 9)).toBeCloseTo(mean, 10);
  });
});

/** Two samples, of which one is zero, beside three. */
function tile(): Tile {
  const [var1, var2] = [
    [1.3, 0],
    [0.5, 1.3, 0],
  ];
  const cov = var1.flatMap((p) => var2.map((q, j) => (j === 1 ? 1 : -0.6) * Math.sqrt(p * q)));
  const workspace = createWorkspace([6, 6, 2, 3]);
  const given = (numbers: readonly number[]): Float64Array => {
    const array = workspace.floats(numbers.length);
    array.set(numbers);
    return array;
  };
  return {
    workspace,
    rows: 2,
    cols: 3,
    cov: given(cov),
    tangent: given([1, 2, 3, 4, 5, 6]),
    var1: given(var1),
    var2: given(var2),
  };
}

/** Cases of the fixtures of Neural Tangents: file, name there, depth and activation. */
const CASES = [
  ...(["erf", "gelu"] as const).flatMap((name) =>
    [2, 3, 4, 5].map((depth) => [deep, name, depth, activationNamed(name)] as const),
  ),
  ...[2, 3, 4, 5].map((depth) => [deep, "leaky_relu", depth, leakyRelu(0.2)] as const),
  ...(["abs", "sin", "cos", "rbf"] as const).map((name) => [peers, name, 3, activationNamed(name)] as const),
  [peers, "exp", 2, activationNamed("exp")] as const,
];

describe("the analytic kernel", () => {
  it.each(CASES.map(([file, name, depth, phi]) => ({ file, name, depth, phi })))(
    "of $name at depth $depth is that of Neural Tangents, NNGP and NTK",
    async ({ file, name, depth, phi }) => {
      const network = mlp(5, { depth, width: 8, activation: phi, ...variances("bias") });
      const [train, test] = [file.get("x_train"), file.get("x_test")];
      for (const [side, x1, x2] of [
        ["train", train, train],
        ["test", test, train],
      ] as const) {
        const wanted = (kind: string) => file.get(`${name}_depth${depth}_bias_${kind}_${side}`).data;
        const kernel = await analyticKernel(network, x1, x2, { tile: 3 });
        const { A: nngp } = (await partsOf(kernel)).at(-1)!;
        expect(relativeError(nngp.data, wanted("nngp"))).toBeLessThan(TOLERANCE.peer);
        expect(relativeError((await ntk(kernel)).data, wanted("ntk"))).toBeLessThan(TOLERANCE.peer);
        expect(relativeError((await analyticNngp(network, x1, x2)).data, wanted("nngp"))).toBeLessThan(
          TOLERANCE.peer,
        );
        expect(relativeError((await analyticNtk(network, x1, x2)).data, wanted("ntk"))).toBeLessThan(
          TOLERANCE.peer,
        );
      }
    },
  );

  it.each(["abs", "gelu", "tanh", "softplus"])("of %s is approached by wide networks", async (name) => {
    const x = random(6, 4);
    const engine = await float64Engine();
    const gapOf = async (width: number): Promise<number> => {
      const network = mlp(4, { depth: 3, width, activation: activationNamed(name), biasVariance: 0.1 });
      const infinite = await ntkOf(network, x);
      const finite = await ntkOf(network, x, x, { kind: "empirical", engine });
      return relativeError(finite.data, infinite.data);
    };
    const wide = await gapOf(2048);
    expect(wide).toBeLessThan(0.15);
    expect(wide).toBeLessThan(await gapOf(32));
  });
});

describe("activations with a parameter", () => {
  it("refuse what is none", () => {
    expect(() => activationNamed("reul")).toThrow(
      /^activation: wanted one of relu, leaky_relu, .*, got "reul"$/,
    );
    expect(() => leakyRelu(Number.NaN)).toThrow(/^slope: wanted a finite number, got NaN$/);
    expect(() => rbf(0)).toThrow(/^gamma: wanted a finite number > 0, got 0$/);
    expect(() => hermite(0)).toThrow(/^degree: wanted a whole number >= 1, got 0$/);
    expect(() => hermite(40)).toThrow(/^degree: wanted a whole number from 1 to 32, got 40$/);
    expect(() => polynomial([1, 0])).toThrow(
      /^coefficients: wanted 2 to 64 finite numbers, the last of them not 0/,
    );
  });
});
