/**
 * @file `natgrad train`: trains a network and prints beside every step what the kernel predicted.
 */
import { Command, Option } from "commander";
import { configSchema, OPTIONS, parseConfig } from "../experiment/config.ts";
import { run } from "../experiment/run.ts";
import { WRITERS } from "../report/writers.ts";
import { createProgress } from "./progress.ts";

const EXAMPLES = `
Examples:
  natgrad train --natural_gradient_type exact
      exact NGD on MNIST, digits 0 and 1: the training loss is gone after a step or two
  natgrad train --natural_gradient_type kfac --n_steps 5
      K-FAC; at the default learning rate 1/alpha it follows the same path in function space
  natgrad train --learning_rate 1 --n_steps 5
      gradient descent, beside its prediction in continuous time
  natgrad train --natural_gradient_type block_diagonal --damping 1e-3 --kernel empirical
      one Fisher block a layer, damped, predicted by the kernel of the network itself
  natgrad train --natural_gradient_type exact --n_classes 10 --width 1024 --format jsonl
      ten outputs; one JSON object a line

Each row is the network before the step; "predict" is the function-space recursion under the fixed kernel.
Flags may be written with dashes (--n-steps). Exit codes: 0 done, 2 bad input, 3 training diverged.`;

/** The command. */
export function trainCommand(): Command {
  const command = new Command("train")
    .description("Train a wide network and print what its kernel predicts, step by step.")
    .allowExcessArguments(false)
    .configureHelp({ sortOptions: false });
  for (const name of OPTIONS) command.addOption(optionOf(name));
  command
    .addOption(new Option("--format <how>", "table, jsonl or csv").choices(Object.keys(WRITERS)).default("table"))
    .addOption(new Option("--quiet", "no progress on stderr"))
    .addHelpText("after", EXAMPLES)
    .action(async ({ format, quiet, ...options }: Record<string, unknown>) => {
      const write = WRITERS[format as keyof typeof WRITERS];
      const progress = createProgress(process.stderr, { quiet: quiet === true });
      try {
        for await (const event of run(parseConfig(options), progress.show)) {
          progress.clear();
          process.stdout.write(write(event));
          if (event.event === "done" && event.diverged) {
            process.stderr.write(
              "natgrad: training diverged: the loss is not finite; try a smaller --lr_factor or more --damping\n",
            );
            process.exitCode = 3;
          }
        }
      } finally {
        progress.clear();
      }
    });
  return command;
}

/** The command-line option of a schema entry: its description, and its default where there is one. */
function optionOf(name: (typeof OPTIONS)[number]): Option {
  const schema = configSchema.shape[name];
  const { data: initial } = schema.safeParse(undefined);
  const isFlag = typeof initial === "boolean";
  const shown = initial === undefined || isFlag ? "" : ` (default: ${String(initial)})`;
  const list = enumValues(schema);
  const text = `${schema.description}${list ? `: ${list.join(", ")}` : ""}${shown}`;
  return new Option(isFlag ? `--${name} [true|false]` : `--${name} <${placeholder(initial)}>`, text);
}

const placeholder = (initial: unknown): string => (typeof initial === "number" ? "number" : "value");

/** The values of an enum, under its default or optional wrapper. */
function enumValues(schema: object): readonly string[] | undefined {
  if ("options" in schema && Array.isArray(schema.options) && typeof schema.options[0] === "string") {
    return schema.options as string[];
  }
  return "unwrap" in schema && typeof schema.unwrap === "function"
    ? enumValues((schema.unwrap as () => object).call(schema))
    : undefined;
}
