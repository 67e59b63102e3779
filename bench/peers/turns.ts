/**
 * @file Programs in turns: natgrad and one peer side by side in processes of their own, a repetition of the one and then of the other, so
 * that both see the same machine and the ratio of a round means something where the load changes from minute to minute.
 */
import type { Case, Peer, Way } from "./cases.ts";
import { start, type Answer, type Launcher, type Limits, type Request, type Worker } from "./measure.ts";
import type { Result } from "./result.ts";

/** What a case is measured with. */
export type Turns = {
  readonly request: Omit<Request, "variant">;
  readonly rounds: number;
  launcher(peer: Peer): Launcher;
  limits(): Limits;
  /** Why a way is not begun. */
  excuse(way: Way): string | undefined;
  done(result: Result): void;
};

/** Measures natgrad in turns with each of the other ways; natgrad's own result is of all rounds. */
export async function measureInTurns(one: Case, ways: readonly Way[], turns: Turns): Promise<Result[]> {
  const [own, ...others] = ways;
  const begin = (way: Way): Worker => {
    const { seconds, bytes } = turns.limits();
    // natgrad starts first and waits while the other compiles: it must not end before it.
    const limits = { seconds: way === own ? 2 * seconds : seconds, bytes };
    return start(turns.launcher(way.peer), { ...turns.request, variant: way.variant, turns: true }, limits);
  };
  const natgrad: Answer[] = [];
  const results: Result[] = [];
  const finish = (result: Result): void => {
    turns.done(result);
    results.push(result);
  };
  for (const way of others.length === 0 ? [undefined] : others) {
    const excuse = way && turns.excuse(way);
    if (way && excuse !== undefined) {
      finish({ case: one, way, seconds: [], note: excuse });
      continue;
    }
    const workers = way ? [begin(own!), begin(way)] : [begin(own!)];
    const ratios = await playRounds(workers, turns.rounds);
    // natgrad's result has to be there before another compares its own with it.
    const answers: Answer[] = [];
    for (const worker of workers) {
      worker.end();
      answers.push(await worker.answer);
    }
    natgrad.push(answers[0]!);
    if (way) finish({ ...resultOf(one, way, answers[1]!), ratios });
  }
  const whole = natgrad.flatMap(({ samples }) => samples);
  const last = natgrad.at(-1) ?? { wall: 0, samples: [] };
  const peak = Math.max(...natgrad.map(({ peak = 0 }) => peak));
  const result = { ...resultOf(one, own!, last), seconds: whole, ...(peak > 0 ? { peak } : {}) };
  finish(result);
  return [result, ...results.filter((each) => each !== result)];
}

/** Seconds of the last worker by those of the first in every round that both went through. */
async function playRounds(workers: readonly Worker[], rounds: number): Promise<number[]> {
  for (const worker of workers) await worker.next();
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const took = new Map<Worker, number>();
    for (const worker of round % 2 === 0 ? workers : workers.toReversed()) {
      worker.go();
      const seconds = await worker.next();
      if (typeof seconds === "number") took.set(worker, seconds);
    }
    if (took.size < workers.length) break;
    if (workers.length > 1) ratios.push(took.get(workers[1]!)! / took.get(workers[0]!)!);
  }
  return ratios;
}

/** An answer as a result. */
export function resultOf(one: Case, way: Way, answer: Answer): Result {
  const { samples, compile, peak, difference, failure } = answer;
  return {
    case: one,
    way,
    seconds: samples,
    ...(compile === undefined ? {} : { compile }),
    ...(peak === undefined ? {} : { peak }),
    ...(difference === undefined ? {} : { difference }),
    ...(failure === undefined ? {} : { note: failure }),
  };
}
