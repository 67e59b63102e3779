/**
 * @file Where commands print: the streams of the process, or stand-ins for them.
 */

/** A stream of text; a terminal has a width. */
export type Output = {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
};

/** Results go to stdout; progress and errors to stderr. */
export type Terminal = { readonly stdout: Output; readonly stderr: Output };
