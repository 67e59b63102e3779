/**
 * @file How much may be read into memory where no limit is given.
 */

/** Share of the free memory that is taken by default. */
const FREE_SHARE = 0.9;

/** Bytes that this process may take in all by default: 90 % of the free memory, and the memory that it already has. */
export const defaultMemoryLimit = (): number =>
  FREE_SHARE * (process.availableMemory() + process.memoryUsage.rss());
