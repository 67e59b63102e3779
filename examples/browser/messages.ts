/**
 * @file What the page and its worker say to each other.
 */

/** The names of the methods that the page offers. */
export type Method = "exact" | "block_diagonal" | "block_tri_diagonal" | "kfac";

/** A training as the page asks for it. */
export type Settings = {
  readonly method: Method;
  readonly width: number;
  /** Training samples; there are half as many test samples. */
  readonly samples: number;
  readonly steps: number;
  /** Learning rate over 1 / alpha. */
  readonly size: number;
};

/** What the worker is told. */
export type Request = { readonly kind: "start"; readonly settings: Settings } | { readonly kind: "cancel" };

/** The figures of one row. */
export type Figures = {
  readonly step: number;
  readonly trainLoss: number;
  readonly predictedLoss: number;
  readonly testAccuracy: number;
};

/** What the worker tells. */
export type Reply =
  | ({ readonly kind: "row" } & Figures)
  | { readonly kind: "end"; readonly how: "done" | "cancelled" | "diverged" }
  | { readonly kind: "error"; readonly message: string };
