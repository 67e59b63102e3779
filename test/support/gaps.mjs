/**
 * @file Loaded before a program (`node --import`): the program writes to stderr when it begins to listen to Ctrl-C and, on its
 * way out, how long it left the event loop alone at the most, in milliseconds of work. A moment counts as the lesser of the time that passed and of what the process
 * computed in it, so that the figure does not depend on who else has the machine, or on how many cores it has.
 */
import { writeSync } from "node:fs";

let last = { time: performance.now(), cpu: process.cpuUsage() };
let longest = 0;
let listening = false;

function look() {
  const { user, system } = process.cpuUsage(last.cpu);
  const time = performance.now();
  longest = Math.max(longest, Math.min(time - last.time, (user + system) / 1000));
  last = { time, cpu: process.cpuUsage() };
  if (!listening && process.listenerCount("SIGINT") > 0) {
    listening = true;
    writeSync(2, "listening\n");
  }
}

setInterval(look, 5).unref();
process.on("exit", () => {
  look();
  writeSync(2, `longest gap: ${Math.round(longest)} ms\n`);
});
