/**
 * @file Known vulnerabilities of what natgrad brings along; fails where there are any. Registries without that service are
 * passed over with a line.
 */
import { spawnSync } from "node:child_process";
import { unanswered } from "./registry.js";

const { status, stdout, stderr } = spawnSync("npm", ["audit", "--omit=dev", "--loglevel=warn"], {
  encoding: "utf8",
  shell: process.platform === "win32",
});
const why = status === 0 ? undefined : unanswered(`${stdout}\n${stderr}`);
if (why !== undefined) console.log(`skipped: the registry answers no audit (${why.trim()})`);
else {
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  process.exitCode = status ?? 1;
}
