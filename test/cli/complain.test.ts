import { afterEach, describe, expect, it, vi } from "vitest";
import { complaint } from "../../src/cli/complain.ts";
import { InputError, SingularGramError, UnsolvedError } from "../../src/error.ts";

afterEach(() => vi.unstubAllEnvs());

describe("complaint", () => {
  it("is the message of bad input, on one line", () => {
    const error = new InputError("width: wanted\n  this, got that\n");
    expect(complaint(error)).toEqual({ exitCode: 2, line: "width: wanted this, got that" });
  });

  it("adds what to try, in flags, to what the library says", () => {
    const singular = new SingularGramError({
      what: "K",
      size: 4,
      rank: 3,
      condition: 1e17,
      hasLeastNorm: true,
    });
    const tried =
      "try --damping, --singular least_norm, --precision float64, a greater width or fewer samples";
    expect(complaint(singular).line).toBe(
      `K: wanted an invertible Gram, got 4 x 4 of rank 3 and condition 1.0e+17; ${tried}`,
    );
    const wrapped = new InputError(`step 2: ${singular.message}`, { cause: singular });
    expect(complaint(wrapped).line).toBe(`step 2: ${singular.message}; ${tried}`);
    const unsolved = new UnsolvedError("K", { relativeResidual: 0.5, iterations: 9 });
    expect(complaint(unsolved).line).toMatch(/; try --damping, .* or --solver gram$/);
  });

  it.each(["Array buffer allocation failed", "Invalid typed array length: 9", "std::bad_alloc"])(
    "of %s is that memory ran out",
    (message) => {
      const { exitCode, line } = complaint(new RangeError(message));
      expect(exitCode).toBe(2);
      expect(line).toMatch(/^memory: wanted .*, got ".*"; try a smaller width or train_size$/);
    },
  );

  it("of anything else is a fault of natgrad, with its stack when that is asked for", () => {
    expect(complaint(new TypeError("x is\nnot y"))).toEqual({
      exitCode: 1,
      line: "internal error: x is not y (NATGRAD_DEBUG=1 shows where)",
    });
    vi.stubEnv("NATGRAD_DEBUG", "1");
    expect(complaint(new TypeError("x")).line).toMatch(/^internal error: TypeError: x\n {4}at /);
  });

  it("of an interruption is short, and silent when a reader went away", () => {
    expect(complaint(130)).toEqual({ exitCode: 130, line: "interrupted" });
    expect(complaint(143)).toEqual({ exitCode: 143, line: "interrupted" });
    expect(complaint(0)).toEqual({ exitCode: 0, line: undefined });
  });
});
