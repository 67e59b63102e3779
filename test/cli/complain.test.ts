import { afterEach, describe, expect, it, vi } from "vitest";
import { complaint } from "../../src/cli/complain.ts";
import { InputError } from "../../src/error.ts";

afterEach(() => vi.unstubAllEnvs());

describe("complaint", () => {
  it("is the message of bad input, on one line", () => {
    const error = new InputError("width: wanted\n  this, got that\n");
    expect(complaint(error)).toEqual({ exitCode: 2, line: "width: wanted this, got that" });
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
