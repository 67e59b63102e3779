/**
 * @file A convolutional network on CIFAR-10 beside its own prediction: how each method is run, and what is kept of a run (cnn-run.ts
 * runs it). The prediction is that of the network's empirical kernel at the start, with which every step is known before the first;
 * the network leaves it as its kernel moves, less so the wider it is. The gap is the root mean square over all outputs, training and test, of
 * f_t - f^_t, over that of the labels.
 */
import type { Fisher } from "../../src/index.ts";
import { methodNamed } from "./methods.ts";

/** What all runs share. Rows that were measured with another setting are measured again. */
export const SETTING = {
  steps: 5,
  /** Of the convolutions, 3 x 3: the first four, or all of them. The dense layer sees the 4 x 4 pixels that are left. */
  strides: [1, 2, 2, 2, 1],
  /** With it the outputs on images of norm 1 begin at about the size of the labels. */
  weightVariance: 6,
  /** Training and test samples by number of classes: fewer of ten, each of which has ten rows of the Jacobian. */
  samples: { 2: [64, 50], 10: [20, 20] },
} as const;

/** Numbers of classes. */
export const CLASSES = [2, 10] as const;
export type Classes = (typeof CLASSES)[number];

/** The width at which learning rates are found, and for which dampings are given. */
export const REFERENCE = 32;

/** A method and how it is run. */
export type CnnMethod = {
  /** As the flags have it. */
  readonly title: string;
  readonly fisher: Fisher;
  /** Weight layers, L: one less are convolutions. */
  readonly depth: number;
  readonly singular?: "least_norm";
  /** rho at {@link REFERENCE}. */
  readonly damping: number;
};

const LAYERS = 5;

/** Undamped where the theory has an alpha of the method on such a network. */
export const CNN_METHODS: readonly CnnMethod[] = [
  { title: "gradient descent", fisher: methodNamed("gradient"), depth: LAYERS, damping: 0 },
  { title: "exact", fisher: methodNamed("exact"), depth: LAYERS, damping: 0 },
  { title: "block_diagonal", fisher: methodNamed("block_diagonal"), depth: LAYERS, damping: 0 },
  {
    title: "block_tri_diagonal, --singular least_norm",
    fisher: methodNamed("block_tri_diagonal"),
    depth: LAYERS,
    singular: "least_norm",
    damping: 0,
  },
  {
    title: "block_tri_diagonal, five convolutions",
    fisher: methodNamed("block_tri_diagonal"),
    depth: LAYERS + 1,
    damping: 0,
  },
  { title: "kfac, damping 1e-2", fisher: methodNamed("kfac"), depth: LAYERS, damping: 1e-2 },
  { title: "kfac_expand, damping 1e-2", fisher: methodNamed("kfac_expand"), depth: LAYERS, damping: 1e-2 },
  // The block of a unit is of order 1 / M.
  {
    title: "unit_wise, damping 0.032 / M",
    fisher: methodNamed("unit_wise"),
    depth: LAYERS,
    damping: 1e-3,
  },
];

/** Which run. */
export type CnnKey = {
  readonly n_classes: Classes;
  readonly method: string;
  readonly width: number;
  readonly seed: number;
};

/** A loss of the network, and what was predicted for it. */
export type LossPair = readonly [network: number, predicted: number];

/** What is kept of a run: of each of its steps. */
export type CnnRow = CnnKey & {
  /** eta. */
  readonly rate: number;
  readonly gap: readonly number[];
  /** Training and test loss. */
  readonly train: readonly LossPair[];
  readonly test: readonly LossPair[];
};

/** Losses below this are rounding of float32, and differ from one machine to the next. */
export const LOSS_FLOOR = 1e-6;
