/**
 * @file The options of commands that run an experiment: those of the schema (experiment/config.ts), and those about the output.
 */
import { Command, Option } from "commander";
import { InputError, printable } from "../error.ts";
import { aboutOption, configSchema, defaultOf, OPTIONS } from "../experiment/config.ts";
import { shown } from "../experiment/shown.ts";
import { createProgress, type ProgressLine } from "./progress.ts";
import type { Terminal } from "./terminal.ts";

type Name = (typeof OPTIONS)[number];

/** A command that runs an experiment. */
export type ExperimentCommand<Format extends string> = {
  readonly name: string;
  readonly description: string;
  /** What stands below the options in `--help`. */
  readonly help: string;
  /** The options that it takes. */
  readonly options: readonly Name[];
  /** Descriptions that differ from those of the schema. */
  readonly descriptions?: Readonly<Partial<Record<Name, string>>>;
  /** Values of `--format`; the default is table. */
  readonly formats: readonly Format[];
  /** Flags of the command's own, about what it prints, and what they do. */
  readonly flags?: Readonly<Record<string, string>>;
};

/** How a command is to print. */
export type Printing<Format extends string> = {
  readonly format: Format;
  readonly quiet: boolean;
  /** Names of the command's own flags that were given. */
  readonly flags: readonly string[];
};

/** The command. Its options go to `action` as they were typed. */
export function experimentCommand<Format extends string>(
  { name, description, help, options, descriptions = {}, formats, flags = {} }: ExperimentCommand<Format>,
  action: (options: Record<string, unknown>, printing: Printing<Format>) => Promise<void>,
): Command {
  const command = new Command(name).description(description).usage("[options]").allowExcessArguments();
  for (const option of OPTIONS) {
    if (options.includes(option)) command.addOption(optionOf(option, descriptions[option]));
  }
  for (const [flag, text] of Object.entries(flags)) {
    command.addOption(new Option(`--${flag}`, text).helpGroup("Output:"));
  }
  return command
    .addOption(
      new Option("--format <name>", `how to print (${formats.join(" | ")}; default table)`)
        .argParser(valueOf("format"))
        .helpGroup("Output:"),
    )
    .addOption(new Option("--quiet", "no progress on stderr").helpGroup("Output:"))
    .addHelpOption(new Option("-h, --help", "print this").helpGroup("Output:"))
    .addHelpText("after", help)
    .action(async ({ format = "table", quiet, ...given }: Record<string, unknown>, { args }: Command) => {
      if (args.length > 0) {
        throw new InputError(`${name}: wanted options alone, got ${shown(args.join(" "))}`);
      }
      const known = formats.find((each) => each === format);
      if (known === undefined) {
        throw new InputError(`format: wanted one of ${formats.join(", ")}, got ${shown(format)}`);
      }
      const own = Object.keys(flags).filter((flag) => given[flag] === true);
      const asked = Object.fromEntries(Object.entries(given).filter(([option]) => !(option in flags)));
      await action(asked, { format: known, quiet: quiet === true, flags: own });
    });
}

/** Does work that shows its progress, and clears that when the work ends or fails; notices are lines on stderr. */
export async function withProgress(
  { stderr }: Terminal,
  quiet: boolean,
  work: (progress: ProgressLine, notice: (line: string) => void) => Promise<void>,
): Promise<void> {
  const progress = createProgress(stderr, { quiet });
  try {
    await work(progress, (line) => progress.print(stderr, `natgrad: ${printable(line)}\n`));
  } finally {
    progress.clear();
  }
}

/** The command-line option of a schema entry: its description, its values and its default. */
function optionOf(name: Name, own?: string): Option {
  const { group, placeholder, description } = aboutOption(name);
  const initial = defaultOf(name);
  const values = valuesOf(configSchema.shape[name]);
  const facts = [
    ...(values ? [values.join(" | ")] : []),
    ...(initial === undefined || initial === false || typeof initial === "object"
      ? []
      : [`default ${String(initial)}`]),
  ];
  const text = own ?? (facts.length > 0 ? `${description} (${facts.join("; ")})` : description);
  return new Option(`--${name} ${placeholder}`, text).argParser(valueOf(name)).helpGroup(`${group}:`);
}

/** Reads the value of an option, and refuses the next flag in its place; several values become a list. */
const valueOf =
  (name: string) =>
  (value: string, previous: unknown): unknown => {
    if (value.startsWith("--")) throw new InputError(`${name}: wanted a value, got the next option ${value}`);
    return name === "target_classes"
      ? [...(Array.isArray(previous) ? (previous as unknown[]) : []), value]
      : value;
  };

/** The values of an enum, under its default, optional or preprocessing wrapper. */
function valuesOf(schema: object): readonly string[] | undefined {
  if ("options" in schema && Array.isArray(schema.options) && typeof schema.options[0] === "string") {
    return schema.options as string[];
  }
  if ("out" in schema && typeof schema.out === "object") return valuesOf(schema.out as object);
  return "unwrap" in schema && typeof schema.unwrap === "function"
    ? valuesOf((schema.unwrap as () => object).call(schema))
    : undefined;
}
