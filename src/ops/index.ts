/**
 * @file The table of ops. A new one is a file beside this and a line here.
 */
import { activation } from "./activation.ts";
import { add, div, mul, sub } from "./arithmetic.ts";
import { batchNorm } from "./batch-norm.ts";
import { dense } from "./dense.ts";
import { abs, clip, exp, log, neg, pow, reciprocal, sqrt } from "./elementwise.ts";
import { groupNorm, instanceNorm } from "./group-norm.ts";
import { layerNorm, rmsNorm } from "./layer-norm.ts";
import { conv } from "./conv.ts";
import { flatten } from "./flatten.ts";
import { globalAveragePool, globalMaxPool, globalSumPool } from "./global-pool.ts";
import { matmul } from "./matmul.ts";
import { averagePool, maxPool, sumPool } from "./pool.ts";
import { relu } from "./relu.ts";
import { reshape } from "./reshape.ts";
import { logSoftmax, softmax } from "./softmax.ts";
import { sum } from "./sum.ts";
import { transpose } from "./transpose.ts";
import { where } from "./where.ts";

/** Every op by name, as a function of its attributes. */
export const OPS = {
  abs,
  activation,
  add,
  batchNorm,
  averagePool,
  clip,
  conv,
  dense,
  div,
  exp,
  groupNorm,
  instanceNorm,
  layerNorm,
  flatten,
  globalAveragePool,
  globalMaxPool,
  globalSumPool,
  log,
  logSoftmax,
  matmul,
  maxPool,
  mul,
  neg,
  pow,
  reciprocal,
  relu,
  reshape,
  rmsNorm,
  softmax,
  sqrt,
  sub,
  sum,
  sumPool,
  transpose,
  where,
} as const;
