/**
 * @file What may help where an experiment refuses or reports something, as data: options, and what to do with them. The command
 * line words it in flags (cli/advice.ts).
 */
import { InputError } from "../error.ts";
import type { OptionName } from "./config.ts";

/** An option to set, to this value or in this direction; or words, where the help is not one option. */
export type Remedy =
  | {
      readonly option: OptionName;
      readonly value?: string | boolean;
      readonly change?: "smaller" | "greater";
    }
  | string;

/** An error of an experiment, with what may help. */
export class OptionError extends InputError {
  override readonly name = "OptionError";
  readonly remedies: readonly Remedy[];

  constructor(message: string, remedies: readonly Remedy[]) {
    super(message);
    this.remedies = remedies;
  }
}
