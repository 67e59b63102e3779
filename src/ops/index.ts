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
import { concatenate } from "./concatenate.ts";
import { conv } from "./conv.ts";
import { embedding, head } from "./embedding.ts";
import { expand, squeeze, unsqueeze } from "./expand.ts";
import { flatten } from "./flatten.ts";
import { globalAveragePool, globalMaxPool, globalSumPool } from "./global-pool.ts";
import { matmul } from "./matmul.ts";
import { pad } from "./pad.ts";
import { gain, shift } from "./parameter.ts";
import { gather, slice } from "./pick.ts";
import { averagePool, maxPool, sumPool } from "./pool.ts";
import { reduceMax, reduceMean, reduceSum } from "./reduce.ts";
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
  averagePool,
  batchNorm,
  clip,
  concatenate,
  conv,
  dense,
  div,
  embedding,
  exp,
  expand,
  flatten,
  gain,
  gather,
  globalAveragePool,
  globalMaxPool,
  globalSumPool,
  groupNorm,
  head,
  instanceNorm,
  layerNorm,
  log,
  logSoftmax,
  matmul,
  maxPool,
  mul,
  neg,
  pad,
  pow,
  reciprocal,
  reduceMax,
  reduceMean,
  reduceSum,
  relu,
  reshape,
  rmsNorm,
  shift,
  slice,
  softmax,
  sqrt,
  squeeze,
  sub,
  sum,
  sumPool,
  transpose,
  unsqueeze,
  where,
} as const;
