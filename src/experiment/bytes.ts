/**
 * @file Numbers of bytes as people write and read them.
 */

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/** Bytes of a text as 6GB, 512 MiB or 1e9; undefined where it is none. */
export function parseBytes(text: string): number | undefined {
  const [, digits, unit = ""] = /^\s*(\d+\.?\d*(?:e\d+)?|\.\d+)\s*([a-z]*)\s*$/i.exec(text) ?? [];
  const factor = UNITS[unit.toLowerCase()];
  return digits === undefined || factor === undefined ? undefined : Number(digits) * factor;
}

/** Bytes for people. */
export const sizeText = (bytes: number): string =>
  bytes >= 1e9 ? `${digits(bytes / 1e9)} GB` : `${digits(bytes / 1e6)} MB`;

const digits = (x: number): number => Number(x.toPrecision(3));
