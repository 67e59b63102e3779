/**
 * @file What a run will take, before anything large is allocated: bytes by part and seconds, from its sizes alone. The
 * plan chooses how exact NGD solves and how many samples go through the network at a time so that the run fits, and
 * refuses it with the figures where nothing does.
 *
 * Letters: n samples of a step (N, or a mini-batch), m = n C rows of its Jacobian, P parameters, b bytes of a number of
 * the network, eight for all that is solved with.
 */
import { InputError } from "../error.ts";
import { defaultRank, type Fisher, type Solver } from "../fisher/index.ts";
import { MAX_RANK } from "../linearization/weights.ts";
import { TILE } from "../linearization/runs.ts";
import type { Network } from "../network/network.ts";
import { sizeText } from "./bytes.ts";
import type { Config } from "./config.ts";

/** The sizes of a run. */
export type RunShape = {
  /** N, N'. */
  readonly samples: { readonly train: number; readonly test: number };
  readonly network: Network;
  readonly fisher: Fisher;
  /** Whether the loss has a curvature, which is folded into kernels. */
  readonly curved: boolean;
};

/** What a run will take. */
export type Plan = {
  /** How exact NGD solves; undefined for methods that have no choice. */
  readonly solver: Solver | undefined;
  /** Samples that go through the network at a time. */
  readonly tile: number;
  /** Peak of the process, in bytes. */
  readonly bytes: number;
  /** Its parts; those of `training` and of `kernel` are not there at the same time. */
  readonly parts: Readonly<Record<string, number>>;
  /** Floating-point operations: of the network's precision, and of float64. */
  readonly operations: { readonly network: number; readonly solves: number };
};

/** Node, ONNX Runtime and the program itself. */
const PROCESS = 115e6;
/** Tiles that are tried, largest first. */
const TILES = [TILE, 256, 64];
/** Iterations that conjugate gradients are reckoned with: a guess, as only the spectrum knows. */
const CG_ITERATIONS = 30;

/** Options that a plan depends on. */
export type PlanOptions = Pick<
  Config,
  | "precision"
  | "kernel"
  | "kernel_path"
  | "save_kernel"
  | "batch_size"
  | "n_steps"
  | "solver"
  | "preconditioner_rank"
  | "damping_schedule"
>;

/** Whether a run predicts with the NTK of the network alone, without its layers. */
export const predictsFromSum = (
  fisher: Fisher,
  { kernel_path, save_kernel }: Pick<Config, "kernel_path" | "save_kernel">,
): boolean => fisher.fromTangent !== undefined && kernel_path === undefined && !save_kernel;

/**
 * The plan of a run within `limit` bytes.
 * @throws InputError with the figures where nothing fits.
 */
export function planRun(shape: RunShape, options: PlanOptions, limit: number): Plan {
  const adaptive = options.damping_schedule !== "constant";
  const solvers: (Solver | undefined)[] = !shape.fisher.solvesTangent
    ? [undefined]
    : options.solver !== "auto"
      ? [options.solver]
      : adaptive
        ? ["gram"]
        : ["gram", "cg"];
  let least: Plan | undefined;
  for (const solver of solvers) {
    for (const tile of TILES) {
      const plan = reckon(shape, options, solver, tile);
      if (plan.bytes <= limit) return plan;
      if (!least || plan.bytes < least.bytes) least = plan;
    }
  }
  const parts = Object.entries(least!.parts)
    .filter(([, bytes]) => bytes >= 0.05 * least!.bytes)
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, bytes]) => `${name} ${sizeText(bytes)}`);
  throw new InputError(
    `memory_limit: wanted a run within ${sizeText(limit)}, got one of ${sizeText(least!.bytes)} (${parts.join(", ")}); try ${advice(shape, options)}`,
  );
}

/** What would make a run smaller. */
function advice({ fisher }: RunShape, { kernel, batch_size, solver, precision }: PlanOptions): string {
  const ways = [
    ...(kernel === "none" ? [] : ["--kernel none"]),
    ...(fisher.solvesTangent && solver === "gram" ? ["--solver cg"] : []),
    ...(batch_size === undefined ? ["--batch_size"] : []),
    ...(precision === "float64" ? ["--precision float32"] : []),
    "a smaller train_size or width",
  ];
  return ways.join(", ");
}

/** Bytes and operations of a run that solves and tiles in a given way. */
function reckon(shape: RunShape, options: PlanOptions, solver: Solver | undefined, tile: number): Plan {
  const { network, fisher, samples } = shape;
  const { train: N, test } = samples;
  const b = options.precision === "float64" ? 8 : 4;
  const C = network.outputs;
  const n = Math.min(options.batch_size ?? N, N);
  const m = n * C;
  const sum = (f: (w: Network["weights"][number]) => number): number =>
    network.weights.reduce((total, w) => total + f(w), 0);
  const P = sum(({ rows, fanOut }) => rows * fanOut);
  const [H, delta] = [sum(({ rows }) => rows), C * sum(({ fanOut }) => fanOut)];
  const T = Math.min(tile, N + test);

  const predicted = predictionBytes(shape, options, { n, b, H, delta });
  const solve = solveBytes(shape, options, solver, { n, m, b });
  const lowRank = n < MAX_RANK ? Math.min(MAX_RANK, n * options.n_steps) : 0;
  const linearization = b * n * (H + delta);
  // Where the update is kept as factors H is one of them.
  const factors = b * lowRank * (H + delta / C) - (lowRank > 0 ? b * n * H : 0);
  const training = linearization + factors + solve;
  const parts = {
    process: PROCESS,
    // Normalised in steps, each a copy.
    data: (3 * 8 + b) * (N + test) * network.inputs,
    weights: b * P,
    // Every value between two operations has a place of its own.
    "tiles of the network": 3 * b * (T * (H + delta / C) + Math.min(T, n) * (H + delta)),
    prediction: predicted.kept,
    training,
    kernel: predicted.once,
  };
  const shared =
    parts.process + parts.data + parts.weights + parts["tiles of the network"] + parts.prediction;

  const passes = 2 * (N + test) * P + 2 * m * P;
  const grams = (k: number) => 2 * k * k * (H + C * delta) * 0.5;
  const perStep =
    passes +
    2 * n * P +
    (solver === "cg"
      ? 4 * n * (1 + C) * P * 0.5 * CG_ITERATIONS + 2 * (rankOf(options, m) / C) * n * (H + C * delta)
      : multiplies(fisher)
        ? 0
        : grams(n));
  const cubes = multiplies(fisher) || solver === "cg" ? 0 : fisher.fromTangent ? 1 : network.weights.length;
  return {
    solver,
    tile,
    bytes: shared + Math.max(training, predicted.once),
    parts,
    operations: {
      network: options.n_steps * perStep + (options.kernel === "none" ? 0 : grams(N)),
      solves: (cubes * (options.n_steps * m ** 3 + (predicted.kept > 0 ? N ** 3 : 0))) / 3,
    },
  };
}

/** Whether a method needs no Gram to take a step. */
const multiplies = ({ fromTangent, solvesTangent = false }: Fisher): boolean =>
  fromTangent !== undefined && !solvesTangent;

/** Rank of the preconditioner for m unknowns. */
const rankOf = ({ preconditioner_rank }: PlanOptions, m: number): number =>
  Math.min(preconditioner_rank ?? defaultRank(m), m);

/** Bytes of what a step solves with, beside the linearisation. */
function solveBytes(
  { network, fisher, curved }: RunShape,
  options: PlanOptions,
  solver: Solver | undefined,
  { n, m, b }: { n: number; m: number; b: number },
): number {
  const L = network.weights.length;
  const [nn, mm] = [8 * n * n, 8 * m * m];
  if (solver === "cg") {
    const r = rankOf(options, m);
    const widest = Math.max(...network.weights.map(({ rows, fanOut }) => rows * fanOut));
    return 8 * 2 * r * m + b * widest + 8 * 10 * m;
  }
  if (fisher.fromTangent) return multiplies(fisher) ? 0 : mm * (curved ? 2 : 1);
  const kernel = L * (nn + mm) * (curved ? 2 : 1);
  const units = network.weights.reduce((sum, { fanOut }) => sum + fanOut, 0);
  switch (fisher.name) {
    case "block_diagonal":
      return kernel + (L + 2) * mm;
    case "block_tri_diagonal":
      return kernel + (3 * L + 2) * mm + 2 * Math.floor(L / 2) ** 2 * mm;
    case "unit_wise":
      return kernel + 8 * n * units;
    default:
      return 2 * kernel + 3 * mm;
  }
}

/** Bytes of the kernels that predict, as long as they are there (`kept`) and while they are made (`once`). */
function predictionBytes(
  { network, fisher, curved, samples: { train: N, test } }: RunShape,
  options: PlanOptions,
  { n, b, H, delta }: { n: number; b: number; H: number; delta: number },
): { kept: number; once: number } {
  if (options.kernel === "none" && options.kernel_path === undefined) return { kept: 0, once: 0 };
  const L = network.weights.length;
  const C = network.outputs;
  const kinds = options.kernel === "both" ? 2 : 1;
  const empirical = options.kernel !== "analytic";
  const block = empirical || curved ? C : 1;
  const pair = 8 * (N + test) * N;
  const summed = predictsFromSum(fisher, options);
  const kernels = summed ? pair * block ** 2 : L * pair * (1 + block ** 2);
  const batch = n < N;
  const k = batch ? n : N;
  // G and G' of a layer, and what was factored.
  const factors = multiplies(fisher)
    ? 8 * 2 * (k * block) ** 2
    : solveBytes({ network, fisher, curved, samples: { train: N, test } }, options, "gram", {
        n: k,
        m: k * block,
        b,
      }) - (summed ? 0 : L * 8 * (k * k + (k * block) ** 2));
  // Units that are drawn, and factors of theirs that are worth keeping.
  const units = fisher.usesSignals
    ? 8 * (N + test) * delta + Math.min(2 ** 27, (8 * delta * (k / 2) ** 2) / 2)
    : 0;
  return { kept: kinds * (kernels + factors + units), once: empirical ? b * (N + test) * (H + delta) : 0 };
}
