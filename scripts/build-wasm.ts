/**
 * @file Compiles the AssemblyScript of `src/` to modules that hold it as base64: `src/random/assembly/normals.ts` to
 * `src/random/normals.wasm.ts`, and so on. `npx tsx scripts/build-wasm.ts` writes them; with `--check` it exits 1 where a
 * committed file is stale.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const FLAGS = ["--enable", "simd", "-O3", "--runtime", "stub", "--noAssert"];
const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** A module: FOLDER/assembly/NAME.ts makes FOLDER/NAME.wasm.ts. */
export type WasmModule = { readonly folder: string; readonly name: string };

/** All of them. */
export const WASM_MODULES: readonly WasmModule[] = [
  { folder: "src/random", name: "normals" },
  { folder: "src/ops", name: "duals" },
  { folder: "src/linalg", name: "reflections" },
];

/** What is used of `assemblyscript/asc`. */
type Compiler = {
  main(
    args: readonly string[],
    options: {
      stderr: { write(text: string | Uint8Array): void };
      writeFile(name: string, contents: string | Uint8Array): void;
    },
  ): Promise<{ error: Error | null }>;
};

/** Loaded by a name that the type check does not follow: the package declares globals, `Array.at` among them, otherwise. */
const loadCompiler = (name = "assemblyscript/asc"): Promise<Compiler> => import(name);

/** The generated file of a module, from the repository's root. */
export const targetOf = ({ folder, name }: WasmModule): string => `${folder}/${name}.wasm.ts`;

/**
 * The text that the generated file of a module should hold.
 * @throws Error with the compiler's messages where the source does not compile.
 */
export async function buildWasm({ folder, name }: WasmModule): Promise<string> {
  let binary: Uint8Array | undefined;
  const messages: string[] = [];
  const asc = await loadCompiler();
  const source = `${folder}/assembly/${name}.ts`;
  const { error } = await asc.main([source, "--baseDir", ROOT, ...FLAGS, "--outFile", `${name}.wasm`], {
    stderr: { write: (text: string | Uint8Array) => messages.push(String(text)) },
    writeFile: (_name, contents) => {
      if (contents instanceof Uint8Array) binary = contents;
    },
  });
  if (error || !binary) throw new Error(`build-wasm: ${messages.join("")}`, { cause: error });
  const base64 = Buffer.from(binary).toString("base64");
  const lines = base64.match(/.{1,108}/g)?.map((line) => `${line}\n`) ?? [];
  return [
    `/** @file Generated from assembly/${name}.ts by scripts/build-wasm.ts. Do not edit. */\n`,
    `/** ${binary.length} bytes of WebAssembly (SIMD128), base64 with line breaks. */\n`,
    `export const ${name}Wasm = \`\n${lines.join("")}\`;\n`,
  ].join("");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const module of WASM_MODULES) {
    const fresh = await buildWasm(module);
    const target = targetOf(module);
    if (!process.argv.includes("--check")) writeFileSync(`${ROOT}${target}`, fresh);
    else if (readFileSync(`${ROOT}${target}`, "utf8") !== fresh) {
      console.error(`build-wasm: wanted ${target} to be a fresh build, got another; run without --check.`);
      process.exitCode = 1;
    }
  }
}
