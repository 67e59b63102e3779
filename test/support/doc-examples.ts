/**
 * @file The examples in the doc comments of what the main entry exports.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ROOT } from "./checkout.ts";

/** Names and files of a clause `{ a, type B } from "./x.ts"`, values alone. */
const CLAUSE = /(?:export|import) \{([^}]*)\} from "(\.[^"]*)"/g;

/** The file that declares what `path` exports by a name. */
function declarationOf(path: string, name: string): string {
  const text = readFileSync(path, "utf8");
  if (new RegExp(`^export (async )?(function\\*?|const|class) ${name}\\b`, "m").test(text)) return path;
  for (const [, names, from] of text.matchAll(CLAUSE)) {
    const known = names!.split(",").map((each) => each.trim());
    if (known.includes(name)) return declarationOf(join(dirname(path), from!), name);
  }
  throw new RangeError(`${name}: wanted a declaration, got none in ${path}`);
}

/** The comment right before the first declaration of a name, without its stars. */
function commentOf(path: string, name: string): string {
  const text = readFileSync(path, "utf8");
  const at = text.search(new RegExp(`^export (async )?(function\\*?|const|class) ${name}\\b`, "m"));
  const before = text.slice(0, at).trimEnd();
  if (!before.endsWith("*/")) return "";
  return before
    .slice(before.lastIndexOf("/**"))
    .replace(/\s*\*\/$/, "")
    .replaceAll(/^ \* ?/gm, "");
}

/** The example of a name that an entry exports, the main one by default; undefined where it has none. */
export function exampleOf(name: string, entry = "src/index.ts"): string | undefined {
  const path = join(ROOT, entry);
  const comment = commentOf(declarationOf(path, name), name);
  return /@example\n([\s\S]*?)(?=\n@\w|$)/.exec(comment)?.[1];
}
