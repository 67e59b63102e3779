/** @file Methods by name, as the documents call them. */
import { InputError } from "../../src/error.ts";
import { FISHERS, type Fisher } from "../../src/fisher/index.ts";

/** @throws InputError when there is none of this name. */
export function methodNamed(name: string): Fisher {
  const fisher = FISHERS.find((one) => one.name === name);
  if (fisher) return fisher;
  throw new InputError(`method: wanted one of ${FISHERS.map((one) => one.name).join(", ")}, got ${name}`);
}
