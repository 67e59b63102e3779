/**
 * @file What a run says of its method before the first step: alpha, isotropy and the learning rate that follows, for every
 * method on every loss.
 */
import { describe, expect, it } from "vitest";
import { parseFlags } from "../../src/experiment/parse-config.ts";
import type { ConfigEvent } from "../../src/experiment/events.ts";
import { run } from "../../src/experiment/run.ts";
import { FISHERS } from "../../src/fisher/index.ts";
import { LOSSES } from "../../src/loss/index.ts";

const N = 20;
const WIDTH = 512;

/** What a run decided and measured before its first step. */
async function start(options: Record<string, unknown>): Promise<ConfigEvent> {
  const small = { dataset: "synthetic", train_size: N, test_size: 5, width: WIDTH, threads: 1, n_steps: 0 };
  for await (const event of run(parseFlags({ ...small, ...options }))) {
    if (event.event === "config") return event;
  }
  throw new Error("a run without a configuration");
}

/** (gamma (L - 1) M + C) / K for unit-wise methods; the others do not depend on outputs. */
const ALPHA: Readonly<Record<string, (C: number, K: number) => number>> = {
  exact: () => 1,
  block_diagonal: () => 3,
  block_tri_diagonal: () => 1,
  kfac: () => 2 * N + 1,
  kfac_expand: () => 2 * N + 1,
  kfac_tikhonov: () => 2 * N + 1,
  unit_wise: (C, K) => (WIDTH + C) / K,
  exact_plus_mse: () => 1,
};

const cells = FISHERS.flatMap((fisher) =>
  LOSSES.filter((loss) => ALPHA[fisher.name] && (fisher.curvature !== "newton" || loss.newton)).flatMap(
    (loss) =>
      (["analytic", "empirical"] as const).flatMap((kernel) =>
        [2, 3].map((n_classes) => [fisher.name, loss.name, kernel, n_classes] as const),
      ),
  ),
);

describe("alpha before the first step, measured and of the theory", () => {
  it.each(cells)("%s with %s on the %s kernel, %i classes", async (method, loss_type, kernel, n_classes) => {
    const { isotropy, learning_rate } = await start({
      natural_gradient_type: method,
      loss_type,
      kernel,
      n_classes,
    });
    // Two classes share an output of a squared error; cross-entropy does not see a common shift.
    const C = loss_type === "mse" && n_classes === 2 ? 1 : n_classes;
    const K = loss_type === "mse" ? C : C - 1;
    const theory = ALPHA[method]!(C, K);
    expect(isotropy!.alpha_theory).toBe(theory);
    expect(learning_rate).toBe(1 / theory);
    // Of units the share that is active is only about a half.
    const away = method === "unit_wise" ? 0.1 : 1e-3;
    expect(Math.abs(isotropy!.alpha / theory - 1)).toBeLessThan(away);
    expect(isotropy!.deviation).toBeLessThan(method === "unit_wise" ? 0.3 : 1e-2);
  });

  it("of cross-entropy is 1, 3 and 41 for exact, block-diagonal and K-FAC of 20 samples and three layers", async () => {
    const alphas: number[] = [];
    for (const natural_gradient_type of ["exact", "block_diagonal", "kfac"]) {
      const { isotropy } = await start({ natural_gradient_type, loss_type: "cross_entropy" });
      alphas.push(Number(isotropy!.alpha.toPrecision(6)));
    }
    expect(alphas).toEqual([1, 3, 41]);
  });
});
