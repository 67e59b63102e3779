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
// Interrupted work may have left timers or threads that would keep the process alive.
if (interruption.aborted) process.exit();
