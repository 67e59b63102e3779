/**
 * @file Figures as Markdown.
 */

/** A Markdown table, padded so that it reads in a terminal too; all columns but the first are right-aligned. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((name, i) => Math.max(3, name.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((w, i) => (i === 0 ? (cells[i] ?? "").padEnd(w) : (cells[i] ?? "").padStart(w))).join(" | ")} |`;
  const rule = widths.map((w, i) => (i === 0 ? "-".repeat(w) : `${"-".repeat(w - 1)}:`));
  return [line(header), line(rule), ...rows.map(line)].join("\n");
}

/** Seconds as milliseconds. */
export const ms = (seconds: number): string => (seconds * 1000).toFixed(1);

/** Seconds. */
export const s = (seconds: number): string => seconds.toFixed(2);

/** Bytes as megabytes of 10^6. */
export const mb = (bytes: number): string => (bytes / 1e6).toFixed(0);

/** A ratio. */
export const times = (ratio: number): string => `${ratio.toFixed(2)}x`;

/** Whether a figure is within its target. */
export const verdict = (value: number, target: number): string => (value <= target ? "met" : "missed");
