/**
 * @file JSON for files that are kept under version control: every entry of an outermost list or record has a line
 * of its own, so that one change is one changed line.
 */

/** `value` as JSON, its fields on lines, and the entries of those that are lists or records on lines as well. */
export function toLines(value: Readonly<Record<string, unknown>>): string {
  const fields = Object.entries(value).map(([name, field]) => `  ${JSON.stringify(name)}: ${entries(field)}`);
  return `{\n${fields.join(",\n")}\n}\n`;
}

function entries(field: unknown): string {
  if (Array.isArray(field) && field.some((entry) => typeof entry === "object")) {
    return `[\n${field.map((entry) => `    ${JSON.stringify(entry)}`).join(",\n")}\n  ]`;
  }
  if (typeof field !== "object" || field === null || Array.isArray(field)) return JSON.stringify(field);
  const lines = Object.entries(field).map(
    ([name, entry]) => `    ${JSON.stringify(name)}: ${JSON.stringify(entry)}`,
  );
  return `{\n${lines.join(",\n")}\n  }`;
}
