/**
 * @file The table of ops. A new one is a file beside this and a line here.
 */
import { activation } from "./activation.ts";
import { add, div, mul, sub } from "./arithmetic.ts";
import { dense } from "./dense.ts";
import { abs, clip, exp, log, neg, pow, reciprocal, sqrt } from "./elementwise.ts";
import { matmul } from "./matmul.ts";
import { relu } from "./relu.ts";
import { reshape } from "./reshape.ts";
import { logSoftmax, softmax } from "./softmax.ts";
import { sum } from "./sum.ts";
import { where } from "./where.ts";

/** Every op by name, as a function of its attributes. */
export const OPS = {
  abs,
  activation,
  add,
  clip,
  dense,
  div,
  exp,
  log,
  logSoftmax,
  matmul,
  mul,
  neg,
  pow,
  reciprocal,
  relu,
  reshape,
  softmax,
  sqrt,
  sub,
  sum,
  where,
} as const;
