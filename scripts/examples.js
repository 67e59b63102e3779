/**
 * @file Runs every example, one after the other, and stops at the first that fails.
 */
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";

for (const name of readdirSync("examples").filter((file) => file.endsWith(".ts"))) {
  console.log(`examples/${name}`);
  const { status } = spawnSync(process.execPath, ["--import", "tsx", `examples/${name}`], {
    stdio: "inherit",
  });
  if (status !== 0) {
    process.exitCode = 1;
    break;
  }
}
