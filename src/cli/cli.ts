/**
 * @file The command line as a function: arguments in, text out, an exit code returned. Exit codes: 0 done, 1 a fault
 * of natgrad, 2 bad input or an output that cannot be written, 3 training diverged, 130 and 143 interrupted.
 */
import { Command } from "commander";
import { InputError } from "../error.ts";
import { complaint } from "./complain.ts";
import { dataCommand } from "./data.ts";
import { interruption } from "./interrupt.ts";
import { kernelCommand } from "./kernel.ts";
import { modelCommand } from "./model.ts";
import type { Output, Terminal } from "./terminal.ts";
import { trainCommand } from "./train.ts";

const HELP = `
Start with:
  natgrad train --natural_gradient_type exact
  natgrad kernel
  natgrad train --help`;

/** Runs `natgrad ...args`. */
export async function main(args: readonly string[], terminal: Terminal): Promise<number> {
  let exitCode = 0;
  const program = new Command("natgrad")
    .description("Natural gradient descent and neural tangent kernels for wide neural networks.")
    .version("0.1.0", "-V, --version", "print the version")
    .helpOption("-h, --help", "print this")
    .addHelpText("after", HELP)
    .addCommand(trainCommand(terminal, (code) => (exitCode = code)))
    .addCommand(kernelCommand(terminal))
    .addCommand(dataCommand(terminal))
    .addCommand(modelCommand(terminal));
  for (const command of withSubcommands(program)) bind(command, terminal);

  try {
    if (args.length === 0) {
      terminal.stderr.write(`${program.helpInformation({ error: true })}${HELP}\n`);
      return 2;
    }
    const [first = ""] = args;
    if (first.startsWith("--") && !["--help", "--version"].includes(first)) {
      throw new InputError(`command: wanted train, kernel, data or model before any option, got ${first}`);
    }
    refuseUnknownHelp(program, args);
    await program.parseAsync(args.map(snakeCase), { from: "user" });
    return exitCode;
  } catch (error) {
    // Errors that an interruption causes on the way out do not count: the interruption ended the command.
    const { exitCode, line } = complaint(interruption.aborted ? interruption.reason : error);
    if (line !== undefined) terminal.stderr.write(`natgrad: ${line}\n`);
    return exitCode;
  }
}

/** Without this, `help foo` would print nothing and give no error. */
function refuseUnknownHelp(program: Command, args: readonly string[]): void {
  let at: Command | undefined = program;
  for (const [i, word] of args.entries()) {
    const names = at.commands.map((command) => command.name());
    const topic = args[i + 1] ?? "--help";
    if (word === "help" && names.length > 0 && !topic.startsWith("-") && !names.includes(topic)) {
      throw new InputError(`help: wanted one of ${names.join(", ")}, got ${topic || '""'}`);
    }
    at = at.commands.find((command) => command.name() === word);
    if (!at) return;
  }
}

const withSubcommands = (command: Command): Command[] => [
  command,
  ...command.commands.flatMap(withSubcommands),
];

/** Lets a command print to `terminal` and throw where it would exit; errors are worded by the caller. */
function bind(command: Command, { stdout, stderr }: Terminal): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => stdout.write(text),
    getOutHelpWidth: () => helpWidth(stdout),
    getErrHelpWidth: () => helpWidth(stderr),
    writeErr: () => {},
    outputError: () => {},
  });
}

/** Lines longer than this are hard to read, however wide the terminal. */
const helpWidth = ({ columns }: Output): number => Math.min(columns || 80, 120);

/** `--kebab-case` flags are the snake_case ones. */
const snakeCase = (argument: string): string =>
  argument.replace(/^--[a-z][a-z_-]*/, (name) => `--${name.slice(2).replaceAll("-", "_")}`);
