#!/usr/bin/env node
/**
 * @file The process behind the command line: its arguments, streams, signals and exit code.
 */
import { main } from "./cli.ts";
import { interruption, listenForInterruption } from "./interrupt.ts";
import { wholeOutput } from "./output.ts";

listenForInterruption();
const terminal = { stdout: wholeOutput("stdout", process.stdout), stderr: process.stderr };
process.exitCode = await main(process.argv.slice(2), terminal);
// Work that was interrupted may have left things waiting that nobody wants now.
if (interruption.aborted) process.exit();
