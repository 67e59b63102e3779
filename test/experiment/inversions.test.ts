/**
 * @file What a run says of what it inverted: least-norm steps, and steps that rounding may reach.
 */
import { describe, expect, it } from "vitest";
import { complaint } from "../../src/cli/complain.ts";
import { InputError } from "../../src/error.ts";
import { parseConfig, parseFlags } from "../../src/experiment/parse-config.ts";
import { createInversionNotices, DOUBTFUL } from "../../src/experiment/inversions.ts";
import type { NoticeEvent, RunEvent, StepEvent } from "../../src/experiment/events.ts";
import { run } from "../../src/experiment/run.ts";
import type { Inversion } from "../../src/fisher/index.ts";

async function eventsOf(options: Record<string, unknown>): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const event of run(parseConfig({ test_size: 5, kernel: "none", threads: 1, ...options }))) {
    events.push(event);
  }
  return events;
}

const notices = (events: readonly RunEvent[], kind: NoticeEvent["kind"]): NoticeEvent[] =>
  events.filter((event): event is NoticeEvent => event.event === "notice" && event.kind === kind);

const rows = (events: readonly RunEvent[]): StepEvent[] =>
  events.filter((event): event is StepEvent => event.event === "step");

/** Ten classes, whose saturated outputs leave a singular Gram at the second step. */
const tenClasses = { loss_type: "cross_entropy", n_classes: 10, train_size: 20, width: 64, n_steps: 3 };

/** A last layer of fewer parameters than outputs to fit, and layers of fewer units than samples. */
const narrow = { train_size: 40, width: 16, n_steps: 2 };

describe("a run whose Gram becomes singular", () => {
  it.each(["exact", "block_diagonal"])("of %s ends with what to try", async (method) => {
    // Of a narrower network the loss is far above the start by then, which is divergence.
    const options = { ...tenClasses, width: 1024, natural_gradient_type: method };
    const error: unknown = await eventsOf(options).catch((reason: unknown) => reason);
    expect((error as Error).message).toMatch(
      /^step 2: .* wanted an invertible Gram, got .* and condition \S+$/,
    );
    expect((error as Error).cause).toMatchObject({ name: "SingularGramError", hasLeastNorm: true });
    expect(complaint(error).line).toMatch(/; try --damping, --singular least_norm, --precision float64/);
  });

  it.each(["exact", "block_diagonal"])(
    "of %s goes on with the least-norm step when asked to",
    async (method) => {
      const options = { ...tenClasses, n_steps: 2, natural_gradient_type: method, singular: "least_norm" };
      const events = await eventsOf(options);
      const [said] = notices(events, "singular");
      expect(said!.step).toBe(2);
      expect(said!.message).toMatch(/^step 2: least-norm, as .*NTK.* has rank \d+ of 180/);
      expect(rows(events).map(({ least_norm }) => least_norm!.length > 0)).toEqual([false, true, false]);
    },
  );

  // Fewer units than samples leave exact NGD and the factors of K-FAC, on their primal side, an inverse.
  it.each([
    ["exact", false],
    ["block_diagonal", true],
    ["block_tri_diagonal", true],
    ["kfac", false],
    ["kfac_expand", false],
    ["kfac_tikhonov", false],
    ["unit_wise", true],
  ])("of a narrow network tells the ranks of %s once, and in every row", async (method, singular) => {
    const options = { ...narrow, natural_gradient_type: method, lr_factor: 0.1, singular: "least_norm" };
    const events = await eventsOf(options);
    const steps = rows(events);
    expect(steps).toHaveLength(narrow.n_steps + 1);
    for (const { train_loss } of steps) expect(Number.isFinite(train_loss)).toBe(true);
    const ranks = steps.flatMap(({ least_norm = [] }) => least_norm);
    for (const { rank, size } of ranks) expect(rank).toBeLessThan(size);
    const said = notices(events, "singular").map(({ message }) => message);
    const names = [...new Set(ranks.map(({ what }) => what))];
    for (const name of names) {
      expect(said.filter((message) => message.includes(`${name} has rank`))).toHaveLength(1);
    }
    expect(said.length > 0).toBe(names.length > 0);
    expect(names.length > 0).toBe(singular);
  });

  it("predicts with the least-norm step too", async () => {
    const options = { ...narrow, natural_gradient_type: "block_diagonal", kernel: "empirical" };
    await expect(eventsOf(options)).rejects.toThrow(InputError);
    const events = await eventsOf({ ...options, singular: "least_norm" });
    expect(notices(events, "singular").map(({ step, message }) => [step, message])).toEqual([
      [1, expect.stringMatching(/^step 1: least-norm, as block_diagonal: NTK of layer 3 has rank 16 of 40/)],
      [1, expect.stringMatching(/^step 1 of the prediction: least-norm, as .* has rank 16 of 40/)],
    ]);
    const [, first] = rows(events);
    expect(first!.predict!.train_loss).toBeGreaterThan(0);
    expect(Number.isFinite(first!.predict!.train_loss)).toBe(true);
  });

  it("exists for two layers with block_tri_diagonal, whose step is that of exact NGD there", async () => {
    const options = { n_layers: 2, train_size: 20, width: 64, n_steps: 2, precision: "float64" };
    await expect(eventsOf({ ...options, natural_gradient_type: "block_tri_diagonal" })).rejects.toThrow(
      /wanted a depth other than/,
    );
    const tri = await eventsOf({
      ...options,
      natural_gradient_type: "block_tri_diagonal",
      singular: "least_norm",
    });
    const whole = await eventsOf({ ...options, natural_gradient_type: "exact" });
    for (const [i, row] of rows(tri).entries()) {
      expect(row.train_loss / rows(whole)[i]!.train_loss).toBeCloseTo(1, 6);
    }
  });
});

describe("a run whose Gram is ill-conditioned for its precision", () => {
  // The last layer's Gram has as many rows as the layer has units, nearly.
  const options = {
    natural_gradient_type: "block_diagonal",
    train_size: 20,
    width: 22,
    lr_factor: 0.3,
    n_steps: 2,
  };

  it("says so once, with what to try", async () => {
    const said = notices(await eventsOf(options), "accuracy");
    expect(said).toHaveLength(1);
    expect(said[0]!.message).toMatch(
      /^step \d: block_diagonal: NTK of layer 3 has condition \d\.\de\+\d, so that float32 rounding may change up to \d+ % of the step$/,
    );
    expect(said[0]!.remedies).toEqual([
      { option: "damping" },
      { option: "precision", value: "float64" },
      "a greater width",
      "fewer samples",
    ]);
  });

  it("says nothing in float64, of a wide network, or damped", async () => {
    for (const more of [{ precision: "float64" }, { width: 256 }, { damping: 1e-3 }]) {
      expect(notices(await eventsOf({ ...options, ...more }), "accuracy")).toEqual([]);
    }
  });
});

describe("createInversionNotices", () => {
  const regular: Inversion = { what: "a", size: 9, rank: 9, condition: 10, epsilon: 2 ** -23 };

  it("tells each matrix once, for steps and for predictions, and doubts once", () => {
    const about = createInversionNotices();
    expect(about([regular], 1)).toEqual([]);
    const lacking = { ...regular, rank: 7 };
    expect(about([lacking, regular], 2)).toEqual([
      { event: "notice", kind: "singular", step: 2, message: "step 2: least-norm, as a has rank 7 of 9" },
    ]);
    expect(about([lacking], 3)).toEqual([]);
    expect(about([lacking], 3, " of the prediction")).toHaveLength(1);
    const doubtful = { ...regular, condition: 2 * DOUBTFUL * 2 ** 23 };
    expect(about([regular, doubtful], 4).map(({ kind, step }) => [kind, step])).toEqual([["accuracy", 4]]);
    expect(about([doubtful], 5)).toEqual([]);
  });

  it("does not promise float64 to who has it", () => {
    const [notice] = createInversionNotices()([{ ...regular, epsilon: 2 ** -52, condition: 1e15 }], 1);
    expect(notice!.message).toMatch(/float64 rounding may change up to 20 % of the step$/);
    expect(notice!.remedies).toEqual([{ option: "damping" }, "a greater width", "fewer samples"]);
  });
});

describe("singular", () => {
  it("is refused where nothing is inverted, and for values that it does not have", () => {
    expect(() => parseConfig({ learning_rate: 1, singular: "least_norm" })).toThrow(
      /^singular: wanted a natural_gradient_type/,
    );
    expect(() => parseFlags({ natural_gradient_type: "exact", singular: "least" })).toThrow(
      /^singular: wanted one of refuse, least_norm, got "least"$/,
    );
    expect(parseConfig({ natural_gradient_type: "exact" }).singular).toBe("refuse");
  });
});
