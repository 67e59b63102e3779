/**
 * @file How fast this machine multiplies, for plans that estimate how long a run will take.
 */
import type { Engine } from "../engine/engine.ts";
import { createGrams } from "../kernel/gram.ts";
import { matrix } from "../linalg/matrix.ts";
import type { Plan } from "./plan.ts";

/** Operations below which a run is too short for an estimate of its time. */
const LONG = 1e12;
/** Rows and inner size of the product that is timed: some hundredths of a second. */
const [ROWS, INNER] = [512, 2048];
/** Solves run at about this share of the speed of the network's products: twice the bytes, and less regular. */
const SOLVE_SHARE = 0.3;

/** Seconds that a plan will take on this engine; undefined for short ones. Measures one product for it. */
export async function secondsOf({ operations }: Plan, engine: Engine): Promise<number | undefined> {
  const { network, solves } = operations;
  if (network + solves < LONG) return undefined;
  const grams = createGrams(engine);
  const factor = () => matrix(ROWS, INNER, engine.floats(ROWS * INNER).fill(0.5));
  const [a, b] = [factor(), factor()];
  let least = Infinity;
  for (let i = 0; i < 3; i++) {
    const start = performance.now();
    await grams.product(a, b, { tile: ROWS });
    least = Math.min(least, (performance.now() - start) / 1000);
  }
  const rate = (2 * ROWS * ROWS * INNER) / least;
  return network / rate + solves / (SOLVE_SHARE * rate);
}
