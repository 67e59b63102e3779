/**
 * @file Steps of the methods on the networks of PyTorch (test/fixtures/peers, torch.npz) in float64, where they are solves with explicit
 * matrices: gradient, exact and block-diagonal in both spaces; K-FAC's factors A and B in both forms, and its steps. Under K-FAC natgrad
 * inverts blocks without factors by themselves (gains and shifts, positions, the grouped convolution): their steps are the block-diagonal
 * ones. The pair of factors that each group of that convolution has there is compared where the groups are layers of their own.
 */
import { describe, expect, it } from "vitest";
import {
  blockDiagonal,
  exact,
  gradient,
  kfac,
  kfacExpand,
  kfacTikhonov,
  type Fisher,
} from "../../src/fisher/index.ts";
import { createLinearizer, type LayerLinearization } from "../../src/jacobian/linearize.ts";
import { createWeights } from "../../src/jacobian/weights.ts";
import { mse } from "../../src/loss/index.ts";
import { scale, type Floats, type Matrix } from "../../src/linalg/matrix.ts";
import { product } from "../../src/linalg/product.ts";
import { functionStep, parameterStep, type StepProblem } from "../support/steps.ts";
import { float64Engine, relativeError } from "../support/tiny.ts";
import { TOLERANCE } from "../support/tolerance.ts";
import type { Module, TorchNetwork } from "../support/torch-modules.ts";
import { CNN_BY_GROUPS, TORCH_NETWORKS } from "../support/torch-networks.ts";

const RHO = 1e-3;

async function problemOf({ network, thetas, of }: TorchNetwork): Promise<StepProblem> {
  return {
    linearizer: await createLinearizer(await float64Engine(), network),
    weights: createWeights(network, thetas()),
    loss: mse,
    train: of("x_train"),
    test: of("x_test"),
    y: of("y"),
  };
}

const plainMethods: readonly Fisher[] = [gradient, exact, blockDiagonal];

describe.each(Object.entries(TORCH_NETWORKS))("the %s of PyTorch", (_, torch) => {
  const { modules, of } = torch;

  it.each(plainMethods.map((fisher) => [fisher.name, fisher] as const))(
    "takes its %s step",
    async (method, fisher) => {
      const problem = await problemOf(torch);
      const damping = fisher === gradient ? 0 : RHO;
      const df = await functionStep(problem, fisher, damping);
      for (const side of ["train", "test"] as const) {
        expect(relativeError(df[side].data, of(`${method}_df_${side}`).data), side).toBeLessThan(
          TOLERANCE.peer,
        );
      }
      const steps = await parameterStep(problem, fisher, damping);
      for (const [l, module] of modules.entries()) {
        const wanted = module.theta(of(`${method}_${module.name}`).data);
        expect(relativeError(steps[l]!, wanted), module.name).toBeLessThan(TOLERANCE.peer);
      }
    },
  );
});

describe.each(Object.entries({ ...TORCH_NETWORKS, "cnn by groups": CNN_BY_GROUPS }))(
  "K-FAC on the %s of PyTorch",
  (_, torch) => {
    const { modules, of, hasFactors } = torch;

    it.each(["reduce", "expand"] as const)("has its factors in the form %s", async (form) => {
      const { linearizer, weights, train } = await problemOf(torch);
      const { layers } = await linearizer.linearize(weights, train, train.rows, {
        positions: form === "expand",
      });
      expect(modules.filter(hasFactors).length).toBeGreaterThan(2);
      for (const [l, module] of modules.entries()) {
        if (!hasFactors(module)) continue;
        const { A, B } = await factorsOf(layers[l]!, form, train.rows);
        const inputs = module.amongInputs(module.part(of(`${module.name}_A_${form}`)));
        const signals = module.part(of(`${module.name}_B_${form}`));
        expect(relativeError(A.data, inputs), `A of ${module.name}`).toBeLessThan(TOLERANCE.peer);
        expect(relativeError(B.data, signals), `B of ${module.name}`).toBeLessThan(TOLERANCE.peer);
      }
    });

    it.each([
      ["reduce_split", kfac],
      ["expand_split", kfacExpand],
      ["reduce_tikhonov", kfacTikhonov],
    ] as const)("takes its step, %s", async (form, fisher) => {
      const steps = await parameterStep(await problemOf(torch), fisher, RHO);
      for (const [l, module] of modules.entries()) {
        // PyTorch's K-FAC is of dense layers and convolutions: the embedding, which has factors here, is not among them.
        if (module.name === "embedding") continue;
        const wanted = hasFactors(module)
          ? module.theta(weightsFirst(module, module.part(of(`kfac_${form}_${module.name}`))))
          : module.theta(of(`block_diagonal_${module.name}`).data);
        expect(relativeError(steps[l]!, wanted), module.name).toBeLessThan(TOLERANCE.peer);
      }
    });
  },
);

/** A and B of a layer, from the H and D that it keeps. */
async function factorsOf(
  { inputs, signals, reduced, expanded, columns, fanOut }: LayerLinearization,
  form: "reduce" | "expand",
  samples: number,
): Promise<{ A: Matrix; B: Matrix }> {
  // A layer with one position has neither.
  const { inputs: H, signals: D } = (form === "reduce" ? reduced : expanded) ?? { inputs, signals };
  const gram = async (m: Matrix<Floats>, cols: number, count: number): Promise<Matrix> => {
    const rows = { rows: m.data.length / cols, cols, data: Float64Array.from(m.data) };
    return scale(await product(rows, rows, { transA: true }), 1 / count);
  };
  return { A: await gram(H, columns, H.data.length / columns), B: await gram(D, fanOut, samples) };
}

/** Rows [O, I], the bias last, as the numbers of a module: all weights first. */
function weightsFirst({ block: { fanIn, fanOut, columns } }: Module, rows: ArrayLike<number>): Float64Array {
  return Float64Array.from({ length: fanOut * columns }, (_, at) => {
    const weights = fanOut * fanIn;
    return at < weights
      ? rows[Math.floor(at / fanIn) * columns + (at % fanIn)]!
      : rows[(at - weights) * columns + fanIn]!;
  });
}
