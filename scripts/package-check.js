/**
 * @file What publint and "are the types wrong" say of the package: nothing.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { pack } from "./npm.js";

const folder = mkdtempSync(join(tmpdir(), "natgrad-package-"));
try {
  const tarball = pack(folder);
  const { messages, pkg } = await publint({
    strict: true,
    pack: { tarball: new Uint8Array(readFileSync(tarball)).buffer },
  });
  for (const message of messages) console.error(`publint: ${formatMessage(message, pkg)}`);
  // The package has ES modules alone, which Node 20.19 and newer can require, and no file for resolution as before `exports`.
  const attw = ["node_modules/@arethetypeswrong/cli/dist/index.js", tarball, "--profile", "esm-only"];
  const types = spawnSync(process.execPath, [...attw, "--format", "ascii"], { encoding: "utf8" });
  if (types.status !== 0) console.error(types.stdout + types.stderr);
  if (messages.length > 0 || types.status !== 0) process.exitCode = 1;
  else console.log("publint and are-the-types-wrong: nothing to say");
} finally {
  rmSync(folder, { recursive: true, force: true });
}
