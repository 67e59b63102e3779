/**
 * @file The table of ops. A new one is a file beside this and a line here.
 */
import { activation } from "./activation.ts";
import { conv } from "./conv.ts";
import { dense } from "./dense.ts";
import { flatten } from "./flatten.ts";
import { globalAveragePool, globalMaxPool, globalSumPool } from "./global-pool.ts";
import { averagePool, maxPool, sumPool } from "./pool.ts";
import { relu } from "./relu.ts";
import { reshape } from "./reshape.ts";
import { sum } from "./sum.ts";
import { transpose } from "./transpose.ts";

/** Every op by name, as a function of its attributes. */
export const OPS = {
  activation,
  averagePool,
  conv,
  dense,
  flatten,
  globalAveragePool,
  globalMaxPool,
  globalSumPool,
  maxPool,
  relu,
  reshape,
  sum,
  sumPool,
  transpose,
} as const;
