import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  given,
  InputError,
  NotFiniteError,
  printable,
  SingularGramError,
  UnsolvedError,
} from "../src/error.ts";

describe("an error raised on purpose", () => {
  it("is one printable line, whatever was typed", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (name) => {
        const { message } = new InputError(`path: wanted a file, got ${name}`);
        expect(message).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e]/u);
        expect(message).toMatch(/^path: wanted a file, got/);
      }),
    );
  });

  it("keeps what can be seen", () => {
    for (const text of ["größer 数 🙂", 'a "b" \\n', "  two  "]) expect(printable(text)).toBe(text);
    expect(printable("a\nb\tc\u0000")).toBe("a\\nb\\tc\\u0000");
  });

  it("is an InputError of its own name", () => {
    const singularity = { what: "K", size: 2, rank: 1, condition: Infinity };
    const errors = [
      new NotFiniteError("x: wanted finite numbers, got NaN"),
      new SingularGramError(singularity),
      new UnsolvedError("K", { relativeResidual: 0.5, iterations: 9 }),
    ];
    for (const error of errors) expect(error).toBeInstanceOf(InputError);
    expect(errors.map(({ name }) => name)).toEqual(["NotFiniteError", "SingularGramError", "UnsolvedError"]);
    expect(errors[2]).toMatchObject({ relativeResidual: 0.5, iterations: 9 });
    expect(errors[1]).toMatchObject(singularity);
    for (const { message } of errors) expect(message).toMatch(/^\w+: wanted .+, got .+$/);
  });
});

describe("the fields of an error", () => {
  it("are the parts of its sentence", () => {
    expect(new InputError("width: wanted 1 or 2, got 3")).toMatchObject({
      what: "width",
      wanted: "1 or 2",
      got: "3",
    });
    const fault = { what: "x", wanted: "a, got b", got: "c" };
    expect(new InputError(fault)).toMatchObject({ ...fault, message: "x: wanted a, got b, got c" });
    expect(new InputError("engine: it stopped").what).toBeUndefined();
  });
});

describe("what was given", () => {
  it.each([
    [null, "null"],
    [undefined, "undefined"],
    [Number.NaN, "NaN"],
    ["", '""'],
    [[1, 2], "an array"],
    [{ a: 1 }, "an object"],
    [new Float64Array(3), "3 numbers"],
    [() => 1, "a function"],
  ])("%o is %s", (value, text) => {
    expect(given(value)).toBe(text);
  });
});
