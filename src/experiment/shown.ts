/**
 * @file Values as errors print them.
 */

/** A value in an error: text in quotes, on one line, not too long. */
export function shown(value: unknown): string {
  const text = typeof value === "string" ? JSON.stringify(value) : listed(value) || "nothing";
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** A list with commas, lists in it with plus signs. */
const listed = (value: unknown): string =>
  Array.isArray(value)
    ? value.map((item: unknown) => (Array.isArray(item) ? item.join("+") || "[]" : String(item))).join()
    : String(value);
