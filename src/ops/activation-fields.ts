/**
 * @file The fields of an activation, for checks of one that comes from outside.
 */
import { func, optional, text, type Field } from "../fields.ts";
import type { Activation } from "./activation.ts";

/** Every field of {@link Activation}. */
export const ACTIVATION_FIELDS: Readonly<Record<keyof Activation, Field>> = {
  name: text,
  value: func,
  derivative: func,
  slope: func,
  dual: func,
  dualDerivative: func,
  maps: optional(func),
  activeShare: optional({
    wanted: "a number above 0 and at most 1",
    ok: (value) => typeof value === "number" && value > 0 && value <= 1,
  }),
};
