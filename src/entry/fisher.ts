/**
 * @file `natgrad/fisher`: Fisher approximations, as a list too, and the types of your own.
 */
export type {
  CgBreakdown,
  CgIteration,
  CgOptions,
  CgResult,
  CgState,
} from "../matrix/conjugate-gradients.ts";
export * from "../fisher/index.ts";
