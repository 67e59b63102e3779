/**
 * @file `natgrad/loss`: losses, by name and as a list, and what one of one's own has.
 */
export type { CurvatureFactor } from "../loss/curvature.ts";
export * from "../loss/index.ts";
