/**
 * @file Marsaglia's 32-bit xorshift (Journal of Statistical Software 8, 2003, triple 13, 17, 5): the same numbers in every run, for
 * choices on which no result depends.
 */

/** Signed 32-bit integers, never zero. */
export function xorshift(): () => number {
  let state = 0x9e3779b9;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state;
  };
}
