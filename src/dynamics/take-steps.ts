/**
 * @file The steps of a run on its network, each with the damping that its schedule chose and the samples of its mini-batch.
 */
import { SingularGramError, UnsolvedError } from "../error.ts";
import type { Loss } from "../loss/loss.ts";
import type { Matrix } from "../linalg/matrix.ts";
import { dampingController, type DampingSchedule } from "./damping.ts";
import type { Outputs } from "./function-space.ts";
import type { NextStep } from "./step-report.ts";
import type { Stopwatch } from "./stopwatch.ts";
import type { StepOptions, Trainer } from "./trainer.ts";

/** A step that was taken, or tried. */
export type Taken = {
  /** Outputs before it; undefined where they were not asked for. */
  readonly before: Outputs | undefined;
  /** Their training loss, where the schedule looked at it. */
  readonly trainLoss?: number;
  /** The mini-batch that it was taken on. */
  readonly samples: ArrayLike<number> | undefined;
  readonly next: NextStep;
};

/** Takes the steps of a run. */
export type StepTaker = {
  /** Takes one. @param evaluate whether outputs before it are wanted; where it cannot be taken they are there anyway. */
  take(evaluate: boolean): Promise<Taken>;
  /** Outputs after the last. */
  end(): Promise<Taken>;
};

/** How a run steps. */
export type TakerOptions = Omit<StepOptions, "damping" | "model" | "samples" | "evaluate"> & {
  readonly damping: number;
  readonly dampingSchedule: DampingSchedule;
  /** Draws the next mini-batch; undefined where steps are on all samples. */
  readonly nextBatch: (() => ArrayLike<number>) | undefined;
};

/** Steps of `trainer` towards the labels y. */
export function createStepTaker(
  trainer: Trainer,
  loss: Loss,
  y: Matrix,
  clock: Stopwatch,
  { dampingSchedule, nextBatch, ...options }: TakerOptions,
): StepTaker {
  const adaptive = dampingSchedule !== "constant";
  const controller = dampingController(dampingSchedule, options.damping);
  let trainLoss: number | undefined;
  let chosen: Pick<NextStep, "damping" | "reductionRatio"> = { damping: options.damping };
  const choose = (f: Outputs): number => {
    trainLoss = loss.value(f.train, y);
    const { damping, ratio } = controller.next(trainLoss);
    chosen = { damping, ...(ratio === undefined ? {} : { reductionRatio: ratio }) };
    return damping;
  };
  const evaluate = (): Promise<Outputs> => trainer.evaluate({ signal: options.signal });
  const taken = (
    before: Outputs | undefined,
    next: Omit<NextStep, "damping">,
    samples?: ArrayLike<number>,
  ): Taken => ({
    before,
    ...(trainLoss === undefined ? {} : { trainLoss }),
    samples,
    next: { ...chosen, ...next },
  });

  return {
    async take(shown) {
      trainLoss = undefined;
      const samples = nextBatch?.();
      const settings: StepOptions = {
        ...options,
        damping: adaptive ? choose : options.damping,
        model: adaptive,
        evaluate: shown,
        ...(samples ? { samples } : {}),
      };
      const result = await clock.time("loop", () => attempt(() => trainer.step(settings)));
      if (result instanceof Error) {
        return taken(await evaluate(), { inversions: [], failure: result }, samples);
      }
      const { before, seconds, inversions, solve, stopped, modelChange } = result;
      for (const [part, value] of Object.entries(seconds)) clock.add(part, value);
      if (modelChange !== undefined) controller.expect(modelChange);
      const outputs = shown ? before : stopped ? await clock.time("loop", evaluate) : undefined;
      return taken(
        outputs,
        { inversions, ...(solve ? { solve } : {}), ...(stopped ? { stopped } : {}) },
        samples,
      );
    },

    async end() {
      trainLoss = undefined;
      const f = await clock.time("loop", evaluate);
      if (adaptive) choose(f);
      return taken(f, { inversions: [] });
    },
  };
}

/** What the work gives, or the error of a system that could not be solved. */
async function attempt<T>(work: () => Promise<T>): Promise<T | SingularGramError | UnsolvedError> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SingularGramError || error instanceof UnsolvedError) return error;
    throw error;
  }
}
