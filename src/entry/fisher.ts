/**
 * @file `natgrad/fisher`: Fisher approximations, as a list too, and what one of one's own has.
 */
export type {
  CgBreakdown,
  CgIteration,
  CgOptions,
  CgResult,
  CgState,
} from "../matrix/conjugate-gradients.ts";
export * from "../fisher/index.ts";
