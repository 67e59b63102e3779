/**
 * @file What the command line says when something went wrong: one line, and an exit code. 2 is bad input or an output that cannot
 * be written, 1 a fault of natgrad; 130 and 143 are Ctrl-C and SIGTERM.
 */
import { CommanderError } from "commander";
import { inFlags } from "./advice.ts";
import { InputError, oneLine, printable } from "../error.ts";

/** How a command that failed ends. */
export type Complaint = { readonly exitCode: number; readonly line: string | undefined };

/** The line for an error, without the name of the program, and the exit code. */
export function complaint(error: unknown): Complaint {
  const { exitCode, line } = worded(error);
  // The message may contain whatever was typed, so it is escaped; the stack of a fault keeps its lines.
  return { exitCode, line: line?.split("\n").map(printable).join("\n") };
}

function worded(error: unknown): Complaint {
  // An interruption carries its exit code and nothing else.
  if (typeof error === "number") return { exitCode: error, line: error > 1 ? "interrupted" : undefined };
  if (error instanceof CommanderError) return usage(error);
  const debugs = process.env.NATGRAD_DEBUG !== undefined;
  if (error instanceof InputError) {
    // What is behind it, as an error of the user's own module.
    const stack = debugs && error.cause instanceof Error ? `\n${error.cause.stack}` : "";
    return { exitCode: 2, line: inFlags(error) + stack };
  }
  const message = error instanceof Error ? error.message : String(error);
  if (/allocation failed|invalid typed array length|bad_alloc|failed to allocate/i.test(message)) {
    return {
      exitCode: 2,
      line: `memory: wanted room for the arrays of this run, got "${oneLine(message)}"; try a smaller width or train_size`,
    };
  }
  const detail =
    debugs && error instanceof Error ? error.stack : `${oneLine(message)} (NATGRAD_DEBUG=1 shows where)`;
  return { exitCode: 1, line: `internal error: ${detail}` };
}

/** Errors of commander, worded as the other errors are. */
function usage({ code, message, exitCode }: CommanderError): Complaint {
  if (exitCode === 0) return { exitCode: 0, line: undefined };
  const subject = /'([^']*)'/.exec(message)?.[1] ?? "";
  const [flag = "", value = "a value"] = subject.split(" ");
  const guess = /Did you mean (?:one of )?([^?]*)\?/.exec(message)?.[1];
  const hint = guess === undefined ? "--help lists them" : `did you mean ${guess}?`;
  const [wanted, got] = message.match(/\d+/g) ?? [];
  const lines: Record<string, string> = {
    "commander.unknownOption": `${subject}: wanted a known option (${hint}), got an unknown one`,
    "commander.unknownCommand": `command: wanted a known one (${hint}), got ${subject || '""'}`,
    "commander.optionMissingArgument": `${flag.slice(2)}: wanted ${value}, got nothing`,
    "commander.missingArgument": `${subject}: wanted a value, got nothing`,
    "commander.excessArguments": `${subject}: wanted ${wanted} arguments, got ${got}`,
  };
  return { exitCode: 2, line: lines[code] ?? oneLine(message.replace(/^error: /, "")) };
}
