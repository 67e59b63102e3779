/**
 * @file `natgrad train`: trains a network and prints beside every step what the kernel predicted.
 */
import { Command, Option } from "commander";
import { InputError, printable } from "../error.ts";
import { aboutOption, configSchema, defaultOf, OPTIONS, parseFlags, shown } from "../experiment/config.ts";
import { run } from "../experiment/run.ts";
import { WRITERS } from "../report/writers.ts";
import { checkPlaces } from "./preflight.ts";
import { interruption } from "./interrupt.ts";
import { createProgress } from "./progress.ts";
import type { Terminal } from "./terminal.ts";

const DESCRIPTION = `Train a wide network by gradient descent or by a natural gradient, and print what its kernel predicts.`;

const HELP = `
Row t is the network after t steps, row 0 the initial one. Beside each number,
"predict" is what the kernel predicted for it: training in function space, from
the same initial outputs. With --kernel both there are two predictions, with
--kernel none there is no prediction and no isotropy.

Examples:
  natgrad train --natural_gradient_type exact
      exact NGD on MNIST, digits 0 and 1: the training loss is gone in a step or two
  natgrad train --natural_gradient_type kfac --n_steps 5
      K-FAC, at its own default learning rate 1/alpha
  natgrad train --learning_rate 1 --n_steps 5
      gradient descent, beside its prediction in continuous time
  natgrad train --natural_gradient_type block_diagonal --damping 1e-3 --kernel empirical
      one Fisher block per layer, damped, predicted by the network's own kernel
  natgrad train --natural_gradient_type unit_wise --damping 1e-8 --kernel both --width 1024
      one Fisher block per unit, beside two predictions
  natgrad train --natural_gradient_type exact --loss_type cross_entropy --damping 1e-6
      cross-entropy; its curvature is taken anew at every step
  natgrad train --natural_gradient_type exact --n_classes 10 --width 1024 --format jsonl
      ten outputs; one JSON object per line
  natgrad train --natural_gradient_type exact --dataset cifar10 --target_classes 3,5
      cats and dogs, fetched the first time
  natgrad train --natural_gradient_type exact --target_classes 0+2+4+6+8,1+3+5+7+9 --train_size 500
      even against odd digits
  natgrad train --learning_rate 100 --train_size all --test_size all --width 512 --kernel none
      all of digits 0 and 1, without a prediction
  natgrad train --natural_gradient_type exact --train_size all --damping 1e-6 --kernel none --memory_limit 3GB
      exact NGD on all of them; what does not fit as a Gram goes by conjugate gradients
  natgrad train --natural_gradient_type kfac --damping 1e-6 --train_size 1000 --batch_size 200 --n_steps 10
      mini-batches, each step predicted

Options may be written with dashes (--n-steps 5) and with = (--n_steps=5).
[bool] is true or false; left out it is true.
Exit codes: 0 done, 1 a fault of natgrad, 2 bad input or an output that cannot
be written, 3 training diverged (something is no finite number any more, or the
training loss ended above ten times the larger of its start and that of zero
outputs), 130 interrupted.`;

/** The command. Its action calls `finish` when the exit code is not 0 though nothing was thrown. */
export function trainCommand(terminal: Terminal, finish: (exitCode: number) => void): Command {
  const command = new Command("train").description(DESCRIPTION).usage("[options]").allowExcessArguments();
  for (const name of OPTIONS) command.addOption(optionOf(name));
  return command
    .addOption(
      new Option("--format <name>", `how to print (${Object.keys(WRITERS).join(" | ")}; default table)`)
        .argParser(valueOf("format"))
        .helpGroup("Output:"),
    )
    .addOption(new Option("--quiet", "no progress on stderr").helpGroup("Output:"))
    .addHelpOption(new Option("-h, --help", "print this").helpGroup("Output:"))
    .addHelpText("after", HELP)
    .action(async ({ format = "table", quiet, ...options }: Record<string, unknown>, { args }: Command) => {
      if (args.length > 0) throw new InputError(`train: wanted options alone, got ${shown(args.join(" "))}`);
      finish(await train(terminal, String(format), quiet === true, options));
    });
}

/** Trains and prints; the exit code. */
async function train(
  { stdout, stderr }: Terminal,
  format: string,
  quiet: boolean,
  options: Record<string, unknown>,
): Promise<number> {
  if (!Object.hasOwn(WRITERS, format)) {
    throw new InputError(`format: wanted one of ${Object.keys(WRITERS).join(", ")}, got ${shown(format)}`);
  }
  const write = WRITERS[format as keyof typeof WRITERS];
  const config = parseFlags(options);
  await checkPlaces(config);

  const progress = createProgress(stderr, { quiet });
  let reason: string | undefined;
  try {
    const notice = (line: string) => progress.print(stderr, `natgrad: ${printable(line)}\n`);
    for await (const event of run(config, { progress: progress.show, signal: interruption })) {
      progress.print(stdout, write(event));
      if (event.event === "notice") notice(event.message);
      if (event.event === "done" && event.diverged) reason = event.reason;
    }
  } finally {
    progress.clear();
  }
  if (reason === undefined) return 0;
  stderr.write(`natgrad: ${printable(reason)}\n`);
  return DIVERGED;
}

/** The exit code of training that diverged. */
const DIVERGED = 3;

/** The command-line option of a schema entry: its description, its values and its default. */
function optionOf(name: (typeof OPTIONS)[number]): Option {
  const { group, placeholder, description } = aboutOption(name);
  const initial = defaultOf(name);
  const values = valuesOf(configSchema.shape[name]);
  const facts = [
    ...(values ? [values.join(" | ")] : []),
    ...(initial === undefined || initial === false ? [] : [`default ${String(initial)}`]),
  ];
  const text = facts.length > 0 ? `${description} (${facts.join("; ")})` : description;
  return new Option(`--${name} ${placeholder}`, text).argParser(valueOf(name)).helpGroup(`${group}:`);
}

/** A reader of values that does not take the next flag for one; several values become a list. */
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
