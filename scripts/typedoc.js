/**
 * @file The reference of the library by typedoc, of which no warning is let pass. It does not take TypeScript 7, so that both are
 * installed into a temporary folder, with a version that it takes.
 *
 *     node scripts/typedoc.js [folder to write into; default: none is kept]
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { install, whySkipped } from "./npm.js";

const folder = mkdtempSync(join(tmpdir(), "natgrad-typedoc-"));
const { exports } = JSON.parse(readFileSync("package.json", "utf8"));
const sources = Object.values(exports).map(({ types }) =>
  types.replace("./dist/", "src/").replace(".d.ts", ".ts"),
);
const options = {
  options: join(folder, "options.mjs"),
  tsconfig: "tsconfig.json",
  readme: "none",
  out: resolve(process.argv[2] ?? join(folder, "reference")),
};
const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
try {
  install(folder, "typedoc@0.28.20", "typescript@6.0");
  // Files of natgrad open with @file.
  writeFileSync(
    options.options,
    `import { OptionDefaults } from "typedoc";
export default {
  blockTags: [...OptionDefaults.blockTags, "@file"],
  // Lists and schemata that types are made of.
  intentionallyNotExported: ["configSchema", "schema", "KERNELS", "ROLES", "FORMS", "Parts"],
};`,
  );
  const typedoc = join(folder, "node_modules/typedoc/bin/typedoc");
  const args = [typedoc, ...flags, "--treatWarningsAsErrors", "--excludeExternals", ...sources];
  process.exitCode = spawnSync(process.execPath, args, { stdio: "inherit" }).status ?? 1;
} catch (error) {
  console.log(`skipped: ${whySkipped(error)}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
