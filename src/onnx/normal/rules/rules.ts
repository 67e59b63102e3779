/**
 * @file The table of ONNX ops that have a normal form.
 */
import { folds } from "../fold/fold.ts";
import { ELEMENTWISE } from "./elementwise.ts";
import { LINEAR } from "./linear.ts";
import { NORMS } from "./norm.ts";
import { POOLS } from "./pool.ts";
import type { Rule } from "./rule.ts";
import { SHAPE } from "./shape.ts";

/** Rules by ONNX's names. */
export const RULES: Readonly<Record<string, Rule>> = {
  ...ELEMENTWISE,
  ...LINEAR,
  ...NORMS,
  ...POOLS,
  ...SHAPE,
};

/** Whether an op has a normal form, or is folded where its inputs are known. */
export const isKnownOp = (op: string): boolean => Object.hasOwn(RULES, op) || folds(op);
