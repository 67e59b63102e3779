/**
 * @file What is measured: the jobs, their sizes, who does each of them how, and what theory says of its cost. Shapes: N
 * training samples, N' more, C outputs, L layers of M units, P weights.
 */
import {
  blockDiagonal,
  blockTriDiagonal,
  exact,
  gradient,
  kfac,
  unitWise,
  type Fisher,
} from "../../src/index.ts";
import {
  DEPTHS,
  imageNetwork,
  imageOperations,
  imageParameters,
  NETWORKS,
  type NetworkName,
} from "./images.ts";

/** Who is measured. */
export const PEERS = ["natgrad", "jax", "torch", "numpy"] as const;
export type Peer = (typeof PEERS)[number];

/** What peers are called in tables. */
export const PEER_TITLES: Readonly<Record<Peer, string>> = {
  natgrad: "natgrad",
  jax: "JAX, Neural Tangents",
  torch: "PyTorch",
  numpy: "NumPy, Jacobians",
};

/** What is measured. */
export const JOBS = [
  "default-run",
  "linearize",
  "empirical",
  "analytic",
  "step",
  "images",
  "images-step",
] as const;
export type Job = (typeof JOBS)[number];

/** Sizes that an axis of a grid runs through. */
export const AXES = ["N", "C", "width", "depth"] as const;
export type Axis = (typeof AXES)[number];

/** One size of one job. */
export type Case = {
  readonly job: Job;
  readonly N: number;
  /** N', samples that are evaluated but not trained on. */
  readonly tests: number;
  readonly C: number;
  /** Units of a layer; channels of a network on images. */
  readonly width: number;
  readonly depth: number;
  /** Jobs on images: the network. */
  readonly network?: NetworkName;
  /** Job `step`: the Fisher approximation. */
  readonly method?: string;
};

/** A way to do a job. */
export type Way = { readonly peer: Peer; readonly variant: string };

/** M_0, pixels of a digit. */
const INPUTS = 784;

/** The Fisher approximations and a damping at which float32 solves agree. */
export const STEPS: readonly { readonly fisher: Fisher; readonly damping: number }[] = [
  { fisher: gradient, damping: 0 },
  { fisher: exact, damping: 1e-4 },
  { fisher: blockDiagonal, damping: 1e-4 },
  { fisher: blockTriDiagonal, damping: 1e-4 },
  { fisher: kfac, damping: 1e-4 },
  { fisher: unitWise, damping: 1e-6 },
];

const FULL = { N: 100, tests: 50, C: 1, width: 4096, depth: 3 };
/** The point at which the axes of the grid cross: small enough for Jacobians at its ends. */
const CENTRE = { N: 100, tests: 0, C: 1, width: 1024, depth: 3 };
const GRID: Readonly<Record<Axis, readonly number[]>> = {
  N: [50, 100, 200, 400, 800],
  C: [1, 3, 5, 10],
  width: [512, 1024, 2048, 4096],
  depth: [2, 3, 4, 6, 8],
};
const ANALYTIC = [500, 1000, 2000, 5000];

/** The same for networks on images. */
const IMAGES = { N: 64, tests: 0, C: 1, width: 64 };
const IMAGE_GRID: Partial<typeof GRID> = { N: [16, 64, 256], C: [1, 4, 10], width: [32, 64, 128] };
const QUICK_IMAGES = { N: 4, tests: 0, C: 1, width: 4 };
const QUICK_IMAGE_GRID: typeof IMAGE_GRID = { N: [4, 8], C: [1, 2], width: [4, 8] };

const QUICK = { N: 20, tests: 10, C: 1, width: 64, depth: 3 };
const QUICK_GRID: typeof GRID = { N: [10, 20], C: [1, 3], width: [64, 128], depth: [2, 3] };
const QUICK_ANALYTIC = [50, 100];

/** Every case of the jobs named, each once; `quick` is for trying the command out. */
export function casesOf(jobs: readonly Job[], { quick = false } = {}): Case[] {
  const full = quick ? QUICK : FULL;
  const centre = quick ? { ...QUICK, tests: 0 } : CENTRE;
  const images = (job: Job): Case[] =>
    NETWORKS.flatMap((network) =>
      Object.entries(quick ? QUICK_IMAGE_GRID : IMAGE_GRID).flatMap(([axis, values]) =>
        values.map((value): Case => ({
          job,
          ...(quick ? QUICK_IMAGES : IMAGES),
          depth: DEPTHS[network],
          network,
          [axis]: value,
        })),
      ),
    );
  const all: Record<Job, Case[]> = {
    "default-run": [{ job: "default-run", ...full }],
    linearize: [{ job: "linearize", ...full }],
    empirical: AXES.flatMap((axis) =>
      (quick ? QUICK_GRID : GRID)[axis].map((value): Case => ({
        job: "empirical",
        ...centre,
        [axis]: value,
      })),
    ),
    analytic: (quick ? QUICK_ANALYTIC : ANALYTIC).map((N) => ({ job: "analytic", ...centre, N })),
    step: STEPS.map(({ fisher }) => ({ job: "step", ...full, method: fisher.name })),
    images: images("images"),
    "images-step": images("images-step"),
  };
  const seen = new Set<string>();
  return jobs
    .flatMap((job) => all[job])
    .filter((one) => !seen.has(keyOf(one)) && Boolean(seen.add(keyOf(one))));
}

/** A case in a word, for files and look-up. */
export const keyOf = ({ job, N, tests, C, width, depth, method, network }: Case): string =>
  [job, `N${N}+${tests}`, `C${C}`, `M${width}`, `L${depth}`, method, network]
    .filter((part) => part !== undefined)
    .join("-");

/** Jobs whose programs are measured in turns, one repetition each. */
export const inTurns = (job: Job): boolean => job === "images" || job === "images-step";

/** Whether `one` lies on an axis of its job's grid: all its other sizes are those of the centre. */
export const onAxis = (one: Case, axis: Axis, centre: Case): boolean =>
  AXES.every((other) => other === axis || one[other] === centre[other]);

const EMPIRICAL: readonly Way[] = [
  { peer: "natgrad", variant: "grams" },
  { peer: "jax", variant: "jacobian_contraction" },
  { peer: "jax", variant: "ntk_vector_products" },
  { peer: "jax", variant: "structured_derivatives" },
  { peer: "torch", variant: "jacobian_contraction" },
  { peer: "torch", variant: "ntk_vector_products" },
  { peer: "numpy", variant: "jacobian_contraction" },
];

/** Who does a case, and how; natgrad first. The NumPy program has no unit-wise step, PyTorch no analytic kernel. */
export function waysOf({ job, method }: Case): readonly Way[] {
  switch (job) {
    case "empirical":
      return EMPIRICAL;
    case "images":
    case "images-step":
      return EMPIRICAL.filter(({ peer }) => peer !== "numpy");
    case "linearize":
      return [
        ...EMPIRICAL.filter(({ variant }) => variant !== "ntk_vector_products"),
        { peer: "jax", variant: "factors" },
        { peer: "torch", variant: "factors" },
      ];
    case "analytic":
      return [
        { peer: "natgrad", variant: "closed form" },
        { peer: "jax", variant: "stax" },
        { peer: "numpy", variant: "closed form" },
      ];
    case "default-run":
    case "step":
      return [
        { peer: "natgrad", variant: "grams" },
        { peer: "jax", variant: jaxStep(method ?? "exact") },
        { peer: "torch", variant: torchStep(method ?? "exact") },
        ...(method === "unit_wise" ? [] : [{ peer: "numpy", variant: numpyStep(method) } as const]),
      ];
  }
}

const jaxStep = (method: string): string =>
  ({ gradient: "grad", exact: "structured_derivatives" })[method] ?? "factors";
const torchStep = (method: string): string =>
  ({ gradient: "autograd", exact: "jacobian_contraction" })[method] ?? "factors";
const numpyStep = (method = "exact"): string =>
  method === "gradient" || method === "kfac" ? "factors" : "jacobian_contraction";

/** Inputs and outputs of every weight layer. */
const layersOf = ({ width, depth, C }: Case): readonly (readonly [fanIn: number, fanOut: number])[] =>
  Array.from({ length: depth }, (_, l) => [l === 0 ? INPUTS : width, l === depth - 1 ? C : width] as const);

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** P. */
export const parametersOf = (one: Case): number =>
  one.network === undefined
    ? sum(layersOf(one).map(([fanIn, fanOut]) => fanIn * fanOut))
    : imageParameters(imageNetwork(one.network, one.width, one.C));

/**
 * Operations that a way needs at its largest terms, in multiply-adds (arXiv 2206.08720, section 3, for the three
 * implementations): what the slope of its cost is expected to be.
 *
 *     forward and backward      N P + N C (P - M_0 M)
 *     Grams, A_l and B_l        sum_l N^2 M_{l-1} + N^2 C^2 M_l
 *     Jacobian contraction      N C P to write J, N^2 C^2 P to contract it
 *     NTK-vector products       N^2 C passes back and there, 2 P each
 *     analytic                  N^2 (M_0 + a constant per layer)
 */
export function operationsOf(one: Case, { variant }: Way): number {
  const { job, N, C, network } = one;
  if (network !== undefined) return imageOperations(imageNetwork(network, one.width, C), N, variant);
  const P = parametersOf(one);
  const layers = layersOf(one);
  if (job === "analytic") return N ** 2 * (INPUTS + ELEMENTWISE * one.depth);
  const passes = N * P + N * C * (P - layers[0]![0] * layers[0]![1]);
  switch (variant) {
    case "jacobian_contraction":
      return passes + N * C * P + N ** 2 * C ** 2 * P;
    case "ntk_vector_products":
      return N ** 2 * C * 2 * P;
    default:
      return passes + sum(layers.map(([fanIn, fanOut]) => N ** 2 * fanIn + N ** 2 * C ** 2 * fanOut));
  }
}

/** An elementwise arc-cosine costs about as much as so many multiply-adds. */
const ELEMENTWISE = 200;

/** Bytes that a way is known to need, so that one which cannot fit is not begun. Jacobians are what does not fit. */
export function bytesOf(one: Case, { peer, variant }: Way): number {
  const { job, N, C } = one;
  const weights = 4 * parametersOf(one);
  if (job === "analytic") return 8 * 8 * N ** 2;
  if (variant !== "jacobian_contraction") return 3 * weights;
  return 2 * weights + JACOBIANS[peer] * N * C * weights;
}

/** Jacobians held at a time, measured: JAX lays them out anew to contract them. */
const JACOBIANS: Readonly<Record<Peer, number>> = { natgrad: 0, jax: 1.7, torch: 1.1, numpy: 1 };
