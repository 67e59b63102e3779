/**
 * @file Compiles natgrad where that was never done: a fresh checkout has no dist/, and the command line starts faster from
 * there than from the sources. Later changes of the sources count without it (bin/natgrad.js).
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

if (!existsSync(new URL("../dist/bundle/main.js", import.meta.url))) {
  const { status } = spawnSync("npm", ["run", "-s", "build"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  process.exitCode = status ?? 1;
}
