/**
 * @file What a run says of divergence: of its training, which ends it, and of a prediction, which is only told.
 */
import type { DivergenceWatch } from "../dynamics/divergence.ts";
import type { Outputs, Predictor } from "../dynamics/function-space.ts";
import { stoppedText, type Stopped } from "../dynamics/step-solve.ts";
import { SingularGramError, UnsolvedError } from "../error.ts";
import type { Loss } from "../loss/loss.ts";
import type { Matrix } from "../matrix/matrix.ts";
import type { Metrics, NoticeEvent } from "./run.ts";

/** How a run diverged. */
export type Divergence = {
  /** The first step from which it had. */
  readonly at: number;
  /** One line. */
  readonly reason: string;
};

/** What was found when training ended early, or far above where it began. */
export type Found = {
  /** Steps that were taken. */
  readonly step: number;
  readonly metrics: Metrics;
  readonly stopped: Stopped | undefined;
  /** The error of a step that could not be taken. */
  readonly failure: Error | undefined;
};

const digits = (x: number): string =>
  x >= 1e-4 && x < 1e6 ? String(Number(x.toPrecision(4))) : x.toExponential(2);

/** Words a divergence. */
export function divergenceOf(watch: DivergenceWatch, { step, metrics, stopped, failure }: Found): Divergence {
  const at = watch.since() ?? step + 1;
  const since = `diverged from step ${at} on`;
  const advice = "try a smaller --learning_rate or --lr_factor, or more --damping";
  const figure = Object.entries(metrics).find(([, value]) => !Number.isFinite(value));
  const loss = `wanted a train_loss of at most ${digits(watch.limit())}, got ${digits(metrics.train_loss)}`;
  if (figure) {
    const [name, value] = figure;
    return {
      at,
      reason: `training: wanted a finite ${name}, got ${value} after step ${step}, ${since}; ${advice}`,
    };
  }
  if (failure) return { at, reason: `training: ${loss}, ${since}; ${failure.message}` };
  if (stopped) {
    const what = `finite numbers in the ${stoppedText(stopped)}`;
    return { at, reason: `training: wanted ${what}, got others in step ${step + 1}, ${since}; ${advice}` };
  }
  return { at, reason: `training: ${loss} after step ${step}, ${since}; ${advice}` };
}

/** A predictor that goes on, with figures that are no numbers, when what it predicts has diverged. */
export type Prediction = {
  step(damping?: number, samples?: ArrayLike<number>): Promise<Outputs>;
  /** Whether there is something to tell at the row of a step, the last of them or not; each thing once. */
  judge(step: number, figures: Metrics, last: boolean): NoticeEvent | undefined;
};

/**
 * Watches a prediction.
 * @param what how it is called
 * @throws SingularGramError, from `step`, when a Gram has no inverse though nothing has diverged.
 */
export function watchPrediction(
  what: string,
  predictor: Predictor,
  start: Outputs,
  { loss, y, watch }: { loss: Loss; y: Matrix; watch: DivergenceWatch },
): Prediction {
  let now = start;
  let steps = 0;
  let failure: Error | undefined;
  let told = false;
  watch.note(0, loss.value(start.train, y));
  return {
    async step(damping, samples) {
      steps++;
      if (failure) return now;
      try {
        now = await predictor.step(damping, samples);
      } catch (error) {
        const unsolved = error instanceof SingularGramError || error instanceof UnsolvedError;
        if (!unsolved || watch.since() === undefined) throw error;
        failure = error;
        now = { train: withoutNumbers(now.train), test: withoutNumbers(now.test) };
      }
      watch.note(steps, loss.value(now.train, y));
      return now;
    },
    judge(step, figures, last) {
      const finite = Object.values(figures).every(Number.isFinite);
      const since = watch.since();
      if (told || (finite && !(last && since !== undefined))) return undefined;
      told = true;
      const message = failure
        ? `${what} diverged from step ${since} on; ${failure.message}`
        : finite
          ? `${what} diverged: wanted a train_loss of at most ${digits(watch.limit())}, got ${digits(figures.train_loss)}, from step ${since} on`
          : `${what} is not finite from step ${step} on`;
      return { event: "notice", kind: "prediction", step, message };
    },
  };
}

const withoutNumbers = (a: Matrix): Matrix => ({ ...a, data: a.data.map(() => Number.NaN) });
