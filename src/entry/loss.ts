/**
 * @file `natgrad/loss`: losses, by name and as a list, and the types of your own.
 */
export type { CurvatureFactor } from "../loss/curvature.ts";
export * from "../loss/index.ts";
