/**
 * @file Modules of the user's own: an option whose value is a path names a file that exports a method (`fisher`), a loss (`loss`) or an
 * activation (`activation`).
 */
import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { errorCode, openPlain } from "../data/node/files.ts";
import { InputError, oneLine } from "../error.ts";
import { exportedFrom, type Exported, KINDS, OWN_OPTIONS } from "./own.ts";

/** Whether the value of an option names a module rather than something of natgrad's. */
const isModule = (value: unknown): value is string =>
  typeof value === "string" && (/\.[cm]?[jt]s$/i.test(value) || /[/\\]/.test(value));

/**
 * Options with what their modules export in place of their paths. A method is exported as `fisher`, a loss as `loss`, an activation as
 * `activation`.
 * @throws InputError for a file that cannot be read or imported, or has no such export.
 * @example
 * import { parseFlags, withModules } from "natgrad/node";
 *
 * // "./swish.mjs" in place of "silu" would name a file with `export const activation = ...`.
 * const options = { activation: "silu", learning_rate: 1 };
 * const config = parseFlags(await withModules(options));
 * console.log(config.activation); // silu
 */
export async function withModules(
  options: Readonly<Record<string, unknown>>,
): Promise<Record<string, unknown>> {
  const made: Record<string, unknown> = { ...options };
  for (const option of OWN_OPTIONS) {
    const file = options[option];
    if (isModule(file)) made[option] = await load(option, KINDS[option].exported, file);
  }
  return made;
}

async function load(option: string, exported: string, file: string): Promise<Exported> {
  const path = resolve(file);
  const content = await contentOf(path).catch((error: unknown) => {
    throw new InputError({
      what: option,
      wanted: "a module that can be read",
      got: `${JSON.stringify(file)} (${errorCode(error)})`,
    });
  });
  const sha256 = createHash("sha256").update(content).digest("hex");
  const module = await imported(path, sha256).catch((error: unknown) => {
    const said = oneLine(error instanceof Error ? error.message : String(error)).slice(0, 300);
    throw new InputError(
      {
        what: option,
        wanted: "a module that can be imported",
        got: `${JSON.stringify(file)} (${said})`,
      },
      { cause: error },
    );
  });
  const value = module[exported] ?? (module.default as Record<string, unknown> | undefined)?.[exported];
  if (value === undefined || value === null) {
    const names = Object.keys(module).join(", ") || "nothing";
    throw new InputError({
      what: option,
      wanted: `a module that exports ${exported}`,
      got: `one that exports ${names} (${file})`,
    });
  }
  return exportedFrom(value, file, sha256);
}

async function contentOf(path: string): Promise<Uint8Array> {
  const file = await openPlain(path);
  try {
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/** Imports a file anew where its content is new. TypeScript is read by Node itself, or by tsx where that is installed. */
async function imported(path: string, sha256: string): Promise<Record<string, unknown>> {
  const { href } = pathToFileURL(path);
  const url = `${href}?sha256=${sha256}`;
  try {
    return (await import(url)) as Record<string, unknown>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException | null)?.code !== "ERR_UNKNOWN_FILE_EXTENSION") throw error;
    const tsx = await loader();
    return tsx.tsImport(href, import.meta.url);
  }
}

type TypeScriptLoader = { tsImport(url: string, parent: string): Promise<Record<string, unknown>> };

/** What reads TypeScript where Node does not. */
async function loader(): Promise<TypeScriptLoader> {
  try {
    // By a variable: a bundler of the library is not to look for a package that need not be there.
    const name = "tsx/esm/api";
    return (await import(name)) as TypeScriptLoader;
  } catch (cause) {
    throw new Error("this Node reads no TypeScript; install tsx, or compile it to .js", { cause });
  }
}
