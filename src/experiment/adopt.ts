/**
 * @file A method, loss or activation of the user's own as an experiment uses it: what its functions throw becomes one line that names it. Errors
 * of natgrad stay what they are, those of a second copy of natgrad that its module imports included.
 */
import { InputError, oneLine, SingularGramError, UnsolvedError } from "../error.ts";

/** An error of a function of the user's own, in one line. */
function adoptedError(label: string, error: unknown): unknown {
  if (error instanceof InputError || !(error instanceof Error)) return error;
  const { name, message } = error;
  // An instance of another copy's class is none of this one's, but says what it is.
  if (name === "SingularGramError") return new SingularGramError(error as SingularGramError);
  if (name === "UnsolvedError") {
    const other = error as UnsolvedError;
    return new UnsolvedError(other.what ?? label, other);
  }
  if (["InputError", "NotFiniteError"].includes(name)) return new InputError(message, { cause: error });
  if (name === "AbortError") return error;
  return new InputError(`${label}: wanted a result, got the error "${oneLine(message)}"`, { cause: error });
}

type Func = (...args: readonly unknown[]) => unknown;

const isFunc = (value: unknown): value is Func => typeof value === "function";

/** A function whose errors are worded, and those of the functions that it returns. */
function adoptedFunction(label: string, f: Func, self: unknown): Func {
  return (...args) => {
    try {
      const result = Reflect.apply(f, self, args) as unknown;
      if (!(result instanceof Promise)) return adoptedResult(label, result);
      return result.then(
        (value) => adoptedResult(label, value),
        (error: unknown) => {
          throw adoptedError(label, error);
        },
      );
    } catch (error) {
      throw adoptedError(label, error);
    }
  };
}

/** Functions that a function returned, alone or as fields; anything else as it is. */
function adoptedResult(label: string, result: unknown): unknown {
  if (isFunc(result)) return adoptedFunction(label, result, undefined);
  if (typeof result !== "object" || result === null || ArrayBuffer.isView(result)) return result;
  const entries = Object.entries(result);
  if (!entries.some(([, value]) => isFunc(value))) return result;
  return {
    ...result,
    ...Object.fromEntries(
      entries.flatMap(([name, value]) =>
        isFunc(value) ? [[name, adoptedFunction(`${label}, ${name}`, value, result)]] : [],
      ),
    ),
  };
}

/** The fields of a value by name, with its functions' errors worded; `what` is the option that it was given to. */
export function adopted<T extends object>(what: string, value: T, fields: readonly (keyof T & string)[]): T {
  const made: Partial<T> = {};
  for (const name of fields) {
    const field = value[name];
    if (field === undefined) continue;
    made[name] = isFunc(field)
      ? (adoptedFunction(`${what}, ${name}`, field as Func, value) as T[typeof name])
      : field;
  }
  return made as T;
}
