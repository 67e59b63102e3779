/**
 * @file Attention and a transformer block: values against plain loops, Jacobians against differences.
 */
import { describe, expect, it } from "vitest";
import { createLinearizer } from "../../src/jacobian/linearize.ts";
import { createWeights } from "../../src/jacobian/weights.ts";
import { matrix } from "../../src/linalg/matrix.ts";
import { attention, type AttentionOptions } from "../../src/network/attention.ts";
import { initialise } from "../../src/network/initialise.ts";
import { residual, sequence, serial, type Composite } from "../../src/network/layers.ts";
import { createBuilder, type Network } from "../../src/network/network.ts";
import { transformer } from "../../src/network/transformer.ts";
import { split } from "../../src/network/split.ts";
import { OPS } from "../../src/ops/index.ts";
import { checkJacobian } from "../support/differences.ts";
import { float64Engine, relativeError } from "../support/tiny.ts";
import { at, normals, tensor, type Tensor } from "../support/tensors.ts";
import { TOLERANCE } from "../support/tolerance.ts";

const { dense, embedding, flatten, head, layerNorm, mul, reduceMean, relu, shift } = OPS;

const [N, T, M] = [3, 3, 4];

/** u = sigma_w / sqrt(fanIn) h W^T + sigma_b b, on tokens. */
function denseTwin(h: Tensor, theta: Tensor, weight: number, bias: number): Tensor {
  const [n, t, fanIn] = h.shape as [number, number, number];
  return tensor([n, t, theta.shape[0]!], ([i, s, o]) => {
    let sum = bias * at(theta, [o!, fanIn]);
    for (let k = 0; k < fanIn; k++)
      sum += (weight / Math.sqrt(fanIn)) * at(h, [i!, s!, k]) * at(theta, [o!, k]);
    return sum;
  });
}

/** Attention in plain loops, of thetas [query, key, value, output]. */
function attentionTwin(
  x: Tensor,
  of: Tensor,
  thetas: readonly Tensor[],
  heads: number,
  causal: boolean,
): Tensor {
  const [w, b] = [Math.sqrt(2), Math.sqrt(0.3)];
  const [q, k, v] = [x, of, of].map((input, i) => denseTwin(input, thetas[i]!, w, b));
  const inner = q!.shape[2]!;
  const d = inner / heads;
  const tokens = of.shape[1]!;
  const mixed = tensor(q!.shape, ([n, t, o]) => {
    const first = Math.floor(o! / d) * d;
    const weights = Array.from({ length: tokens }, (_, s) => {
      if (causal && s > t!) return 0;
      let score = 0;
      for (let i = first; i < first + d; i++) score += at(q!, [n!, t!, i]) * at(k!, [n!, s, i]);
      return Math.exp(score / Math.sqrt(d));
    });
    const total = weights.reduce((a, c) => a + c);
    return weights.reduce((sum, weight, s) => sum + (weight / total) * at(v!, [n!, s, o!]), 0);
  });
  return denseTwin(mixed, thetas[3]!, w, b);
}

const draw = ({ blocks }: Network): Tensor[] =>
  blocks.map(({ fanOut, columns }, l) => normals(20 + l, [fanOut, columns]));

async function outputsOf(network: Network, thetas: readonly Tensor[], x: Tensor): Promise<Float64Array> {
  const linearizer = await createLinearizer(await float64Engine(), network);
  const weights = createWeights(
    network,
    thetas.map(({ data }) => data.slice()),
  );
  const rows = x.shape[0]!;
  return (await linearizer.forward(weights, matrix(rows, x.data.length / rows, x.data))).data;
}

describe.each<AttentionOptions>([
  {},
  { heads: 2 },
  { heads: 2, causal: true },
  { heads: 3, width: 6, outputs: 2 },
])("attention %j", (options) => {
  const layer = attention({ ...options, biasVariance: 0.3 });

  it("is what plain loops give", async () => {
    const x = normals(1, [N, T, M]);
    const network = serial([T, M], layer, flatten());
    const thetas = draw(network);
    const wanted = attentionTwin(x, x, thetas, options.heads ?? 1, options.causal ?? false);
    expect(network.outputs).toBe(T * (options.outputs ?? M));
    expect(relativeError(await outputsOf(network, thetas, x), wanted.data)).toBeLessThan(TOLERANCE.twin);
  });

  it.each([1, 3])("has the derivatives of its %i outputs", async (C) => {
    const network = serial([T, M], dense(M), layer, flatten(), dense(C));
    await checkJacobian(network, matrix(2, T * M, normals(1, [2, T, M]).data), 3);
  });
});

describe("attention", () => {
  it("takes keys and values of another value", async () => {
    const b = createBuilder([5, M]);
    const [x, of] = split({ axis: 0, sizes: [2, 3] }).append(b, [0]) as [number, number];
    const made = attention({ heads: 2, biasVariance: 0.3 }).append(b, [x, of]);
    const network = b.finish(b.apply(flatten(), made));
    const given = normals(1, [N, 5, M]);
    const part = (from: number, size: number): Tensor =>
      tensor([N, size, M], ([n, t, i]) => at(given, [n!, t! + from, i!]));
    const thetas = draw(network);
    const wanted = attentionTwin(part(0, 2), part(2, 3), thetas, 2, false);
    expect(relativeError(await outputsOf(network, thetas, given), wanted.data)).toBeLessThan(TOLERANCE.twin);
  });

  it("does not see later tokens where it is causal", async () => {
    const network = serial([T, M], attention({ heads: 2, causal: true }), flatten());
    const thetas = draw(network);
    const x = normals(1, [1, T, M]);
    const later = { ...x, data: x.data.map((value, i) => (i < 2 * M ? value : -value)) };
    const [a, b] = [await outputsOf(network, thetas, x), await outputsOf(network, thetas, later)];
    expect(a.slice(0, 2 * M)).toEqual(b.slice(0, 2 * M));
    expect(relativeError(b, a)).toBeGreaterThan(0.01);
  });
});

const biases = { biasVariance: 0.3 };

/** Attention and a token-wise network with one hidden layer, both behind a normalisation and beside an identity. */
const block = (options: AttentionOptions): Composite =>
  sequence(
    residual(layerNorm(), attention({ ...biases, ...options })),
    residual(layerNorm(), dense(6, biases), relu(), dense(M, biases)),
  );

describe("a transformer", () => {
  it.each([1, 3])("has the derivatives of its %i outputs", async (C) => {
    const network = serial(
      [T, M],
      dense(M),
      block({ heads: 2 }),
      layerNorm(),
      reduceMean({ axes: [0] }),
      dense(C, biases),
    );
    expect(network.blocks).toHaveLength(11);
    await checkJacobian(network, matrix(2, T * M, normals(1, [2, T, M]).data), 3);
  });

  it("of tokens, with learned positions and a tied head", async () => {
    const V = 3;
    const b = createBuilder(T);
    const embedded = b.apply(shift([T, M]), [b.apply(embedding(V, M), [0])]);
    const [hidden] = block({ heads: 2, causal: true }).append(b, [embedded]);
    const pooled = b.apply(reduceMean({ axes: [0] }), [b.apply(layerNorm(), [hidden!])]);
    const network = b.finish(b.apply(head(V), [pooled], { shares: 0 }));
    expect(network.outputs).toBe(V);
    await checkJacobian(network, matrix(2, T, Float64Array.of(0, 2, 1, 1, 1, 0)), 3);
  });
});

describe("the named transformer", () => {
  const options = { depth: 1, width: 4, heads: 2, inner: 3, biasVariance: 0.3 };

  it.each([1, 3])("of features has the derivatives of its %i outputs", async (outputs) => {
    const network = transformer([T, 2], { ...options, outputs });
    await checkJacobian(network, matrix(2, 2 * T, normals(1, [2, T, 2]).data), 3);
  });

  it("of tokens, causal, reads the last one out", async () => {
    const network = transformer(T, { ...options, vocabulary: 5, causal: true, outputs: 2 });
    expect(network.blocks).toHaveLength(12);
    await checkJacobian(network, matrix(2, T, Float64Array.of(0, 4, 1, 3, 3, 2)), 3);
  });

  it("starts with gains of 1, and shifts and positions of 0", async () => {
    const network = transformer([T, 2], options);
    const thetas = initialise(await float64Engine(), network, 1);
    for (const [l, { form, start }] of network.blocks.entries()) {
      expect(form === "rows").toBe(start !== undefined);
      if (start) expect(Array.from(thetas[l]!.subarray(0, start.length))).toEqual(start);
    }
  });
});

describe("split", () => {
  it("makes a gated unit", async () => {
    const network = serial(3, dense(4), split({ sizes: [2, 2] }), mul(), dense(2));
    await checkJacobian(network, matrix(2, 3, normals(1, [2, 3]).data), 3);
  });
});
