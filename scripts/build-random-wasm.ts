/**
 * @file Compiles `src/random/assembly/normals.ts` to the base64 module `src/random/normals.wasm.ts`.
 * `npx tsx scripts/build-random-wasm.ts` writes it; with `--check` it exits 1 where the committed file is stale.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const SOURCE = "src/random/assembly/normals.ts";
const FLAGS = ["--enable", "simd", "-O3", "--runtime", "stub", "--noAssert"];
const ROOT = fileURLToPath(new URL("..", import.meta.url));

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

/** The generated file, from the repository's root. */
export const TARGET = "src/random/normals.wasm.ts";

/**
 * The text that {@link TARGET} should hold.
 * @throws Error with the compiler's messages where the source does not compile.
 */
export async function buildRandomWasm(): Promise<string> {
  let binary: Uint8Array | undefined;
  const messages: string[] = [];
  const asc = await loadCompiler();
  const { error } = await asc.main([SOURCE, "--baseDir", ROOT, ...FLAGS, "--outFile", "normals.wasm"], {
    stderr: { write: (text: string | Uint8Array) => messages.push(String(text)) },
    writeFile: (_name, contents) => {
      if (contents instanceof Uint8Array) binary = contents;
    },
  });
  if (error || !binary) throw new Error(`build-random-wasm: ${messages.join("")}`, { cause: error });
  const base64 = Buffer.from(binary).toString("base64");
  const lines = base64.match(/.{1,108}/g)?.map((line) => `${line}\n`) ?? [];
  return [
    "/** @file Generated from assembly/normals.ts by scripts/build-random-wasm.ts. Do not edit. */\n",
    `/** ${binary.length} bytes of WebAssembly (SIMD128), base64 with line breaks. */\n`,
    `export const normalsWasm = \`\n${lines.join("")}\`;\n`,
  ].join("");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const fresh = await buildRandomWasm();
  const path = `${ROOT}${TARGET}`;
  if (!process.argv.includes("--check")) writeFileSync(path, fresh);
  else if (readFileSync(path, "utf8") !== fresh) {
    console.error(
      `build-random-wasm: wanted ${TARGET} to be a fresh build, got another; run without --check.`,
    );
    process.exitCode = 1;
  }
}
