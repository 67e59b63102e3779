#!/usr/bin/env node
/**
 * @file The command line. Exit codes: 0 done, 1 a fault of natgrad, 2 bad input, 3 training diverged.
 */
import { Command, CommanderError } from "commander";
import { InputError } from "../error.ts";
import { trainCommand } from "./train.ts";

const program = new Command("natgrad")
  .description("Natural gradient descent and neural tangent kernels for wide neural networks.")
  .version("0.1.0")
  .addHelpText("after", "\nStart with: natgrad train --natural_gradient_type exact")
  .addCommand(trainCommand());

// A reader that goes away (`| head`) is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));

/** `--kebab-case` flags are the snake_case ones. */
const snakeCase = (argument: string): string =>
  argument.replace(/^--[a-z][a-z_-]*/, (name) => `--${name.slice(2).replaceAll("-", "_")}`);

try {
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({ writeErr: () => {}, outputError: () => {} });
  }
  await program.parseAsync(process.argv.map((argument, i) => (i < 2 ? argument : snakeCase(argument))));
} catch (error) {
  process.exitCode = report(error);
}

/** Prints what went wrong on one line and returns the exit code. */
function report(error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0;
    if (error.code === "commander.help") {
      process.stderr.write(program.helpInformation());
      return 2;
    }
    process.stderr.write(`natgrad: ${error.message.replace(/^error: /, "").replaceAll("\n", " ")}\n`);
    return 2;
  }
  if (error instanceof InputError) {
    process.stderr.write(`natgrad: ${error.message}\n`);
    return 2;
  }
  const text = error instanceof Error ? (process.env.NATGRAD_DEBUG ? error.stack : error.message) : String(error);
  process.stderr.write(`natgrad: internal error: ${text} (NATGRAD_DEBUG=1 shows where)\n`);
  return 1;
}
