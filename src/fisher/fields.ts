/**
 * @file The fields of a Fisher approximation, for checks of one that comes from outside.
 */
import { func, oneOf, optional, text, type Field } from "../fields.ts";
import type { KernelNeeds } from "../kernel/kernel.ts";
import type { Fisher } from "./fisher.ts";
import { SOLVERS } from "./solver.ts";

const NEEDS: Readonly<Record<KernelNeeds, true>> = {
  ntk: true,
  blocks: true,
  kronecker: true,
  positions: true,
  units: true,
};

/** Every field of {@link Fisher}. */
export const FISHER_FIELDS: Readonly<Record<keyof Fisher, Field>> = {
  name: text,
  title: text,
  needs: oneOf(Object.keys(NEEDS)),
  curvature: oneOf(["folded", "none", "newton"]),
  alpha: func,
  prepare: func,
  cost: func,
  solvers: optional({
    wanted: `a list of ${SOLVERS.join(", ")}`,
    ok: (value) => Array.isArray(value) && value.length > 0 && value.every(oneOf(SOLVERS).ok),
  }),
  continuous: optional(oneOf([true, false])),
};
