/**
 * @file Kinds of values that options take: a check of each, which also reads the text of a command line. A check words once what it
 * wants, and the error of a wrong value is `name: wanted that, got this`.
 */
import { z } from "zod";
import { classGroup, type ClassGroup } from "../../data/classes.ts";
import { parseBytes } from "../bytes.ts";

const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** The number of a decimal text; NaN for another. */
const decimal = (text: string): number => (DECIMAL.test(text) ? Number(text) : NaN);

/** Reads what may be text ({@link parseFlags}), before the check, of an option that a program gives as `Given`. */
export type Reader<Given> = (v: Given) => unknown;

const readNumber: Reader<number> = (v: unknown) => (typeof v === "string" && DECIMAL.test(v) ? Number(v) : v);

/** A number, or its decimal text as a command line gives it. */
export const number = (wanted: string, ok: (x: number) => boolean) =>
  z.preprocess(readNumber, z.number({ error: wanted }).refine(ok, { error: wanted }));

export const whole = (least: number, most = Infinity) =>
  number(
    most === Infinity ? `a whole number >= ${least}` : `a whole number from ${least} to ${most}`,
    (x) => Number.isInteger(x) && x >= least && x <= most,
  );

const SIZE = { error: "a whole number >= 1, or all" };

const readSize: Reader<number | "all"> = (v: unknown) =>
  v === "all" ? Infinity : typeof v === "string" && Number.isFinite(decimal(v)) ? decimal(v) : v;

/** A number of samples, or `all`: Infinity until the data is there. */
export const size = () =>
  z.preprocess(
    readSize,
    z.custom<number>((v) => v === Infinity || (Number.isInteger(v) && (v as number) >= 1), SIZE),
  );

/** Positive, and far from where float32 over- or underflows. */
export const positive = () => number("a number from 1e-30 to 1e30", (x) => x >= 1e-30 && x <= 1e30);

export const notNegative = () => number("a number from 0 to 1e30", (x) => x >= 0 && x <= 1e30);

export const choice = <const T extends string>(values: readonly T[]) =>
  z.enum(values as readonly [T, ...T[]], { error: `one of ${values.join(", ")}` });

/** A choice that may also be an object of the user's own (own.ts), or on the command line a module. */
export const choiceOrOwn = (values: readonly string[]) =>
  z.enum(values as [string, ...string[]], {
    error: `one of ${values.join(", ")}, or one of your own`,
  });

export const path = () => z.string({ error: "a path" }).min(1, { error: "a path" });

const readBytes: Reader<number | string> = (v) => (typeof v === "string" ? (parseBytes(v) ?? v) : v);

export const bytes = () =>
  z.preprocess(
    readBytes,
    z
      .number({ error: "a size as 6GB or 512MiB" })
      .refine((x) => x >= 1e6, { error: "a size as 6GB or 512MiB, at least 1MB" }),
  );

const FLAG: Readonly<Record<string, boolean>> = { true: true, false: false };

const readFlag: Reader<boolean> = (v: unknown) => (typeof v === "string" ? (FLAG[v.toLowerCase()] ?? v) : v);

export const flag = () => z.preprocess(readFlag, z.boolean({ error: "true or false" }));

const LIST = { error: "whole numbers, as 3,8 or 3 8, or groups of them, as 0+2,1+3" };

/** `3`, or `0+2` for a group; of anything else something that is refused. */
const readClass = (text: string): ClassGroup =>
  classGroup(text.split("+").map((k) => (/^\d+$/.test(k.trim()) ? Number(k) : NaN)));

const isClass = (v: unknown): boolean =>
  Array.isArray(v) ? v.length > 0 && v.every(isNumbered) : isNumbered(v);

const isNumbered = (v: unknown): boolean => Number.isSafeInteger(v) && (v as number) >= 0;

/** Classes, or groups of them: numbers and lists of numbers, or text. */
const readClasses: Reader<readonly ClassGroup[]> = (v: unknown) => {
  const items: readonly unknown[] | undefined = Array.isArray(v)
    ? v
    : typeof v === "string"
      ? [v]
      : undefined;
  return items?.flatMap((item): readonly unknown[] => {
    if (typeof item === "string") return item.split(",").map(readClass);
    return Array.isArray(item) && item.length === 1 ? item : [item];
  });
};

const AXES = { error: "whole numbers >= 1, as 32,32,3" };

const readAxes: Reader<readonly number[] | string> = (v) =>
  typeof v === "string" ? v.split(",").map((size) => decimal(size.trim())) : v;

/** The axes of a sample. */
export const axes = () =>
  z.preprocess(
    readAxes,
    z
      .array(
        z.number(AXES).refine((n) => Number.isInteger(n) && n >= 1, AXES),
        AXES,
      )
      .min(1, AXES)
      .readonly(),
  );

export const classes = () =>
  z.preprocess(readClasses, z.array(z.custom<ClassGroup>(isClass, LIST), LIST).min(1, LIST).readonly());
