/**
 * @file The fields of a loss, for checks of one that comes from outside.
 */
import { func, optional, text, type Field } from "../fields.ts";
import type { Loss } from "./loss.ts";

/** Every field of {@link Loss}. */
export const LOSS_FIELDS: Readonly<Record<keyof Loss, Field>> = {
  name: text,
  title: text,
  outputs: func,
  encode: func,
  value: func,
  residual: func,
  checkLabels: optional(func),
  curvature: optional(func),
  curvatureColumns: optional(func),
  newton: optional(func),
};
