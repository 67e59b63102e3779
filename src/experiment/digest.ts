/**
 * @file SHA-256 of arrays.
 */
import { createHash } from "node:crypto";

/** SHA-256 of arrays, one after the other, in hexadecimal digits. */
export function digest(parts: readonly ArrayBufferView[]): string {
  const hash = createHash("sha256");
  for (const { buffer, byteOffset, byteLength } of parts) {
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    // A hash takes less than 2 GiB at a time.
    for (let at = 0; at < byteLength; at += 2 ** 30) hash.update(bytes.subarray(at, at + 2 ** 30));
  }
  return hash.digest("hex");
}
