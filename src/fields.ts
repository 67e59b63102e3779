/**
 * @file Checks that an object has the fields of a type, for what is handed over from outside: each missing or wrong field is one line.
 */
import { given, InputError } from "./error.ts";

/** What a field is: in words, and as a check. */
export type Field = { readonly wanted: string; ok(value: unknown): boolean };

export const text: Field = {
  wanted: "text",
  ok: (value) => typeof value === "string" && value.trim() !== "",
};
export const func: Field = { wanted: "a function", ok: (value) => typeof value === "function" };

/** One of these values. */
export const oneOf = (values: readonly unknown[]): Field => ({
  wanted: `one of ${values.join(", ")}`,
  ok: (value) => values.includes(value),
});

/** A field that may be left out. */
export const optional = ({ wanted, ok }: Field): Field => ({
  wanted: `${wanted} or nothing`,
  ok: (value) => value === undefined || ok(value),
});

/**
 * Checks every field of a value.
 * @param what what an error calls it
 * @param place words after the name of a field, as " of fisher in ./own.mjs"
 * @throws InputError for the first field that is missing or of another type.
 */
export function demandFields(
  what: string,
  value: unknown,
  fields: Readonly<Record<string, Field>>,
  place = "",
): void {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const names = Object.keys(fields).join(", ");
    throw new InputError({ what, wanted: `an object with ${names}${place}`, got: given(value) });
  }
  for (const [name, { wanted, ok }] of Object.entries(fields)) {
    const got = (value as Record<string, unknown>)[name];
    if (ok(got)) continue;
    throw new InputError({
      what,
      wanted: `${wanted} as ${name}${place}`,
      got: got === undefined ? "nothing" : given(got),
    });
  }
}
