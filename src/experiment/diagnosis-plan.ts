/**
 * @file The memory that a diagnosis will take, as plan.ts computes it for a run.
 */
import { eigenBytes, matrixBytes, type Fisher } from "../fisher/index.ts";
import { analyticFault } from "../kernel/sweep.ts";
import { isSlow } from "./diagnosis.ts";
import { columnsOf, firstThatFits, tilesFor } from "./fit.ts";
import { keeps, passes, peakOf, type Phase } from "./ledger.ts";
import {
  dataPhases,
  drawBytes,
  gramTileBytes,
  kernelBytes,
  moverMemory,
  processBytes,
  signalBytes,
  sizesOf,
  sweepBytes,
  tileBytes,
  weightPhases,
  type PartOptions,
} from "./parts.ts";
import type { Plan, RunShape } from "./plan.ts";

/** The sizes of a diagnosis. */
export type DiagnosisShape = Pick<RunShape, "samples" | "network" | "loss"> & {
  readonly methods: readonly Fisher[];
};

/** What a diagnosis will take. */
export type DiagnosisPlan = Pick<Plan, "tile" | "bytes" | "parts">;

/**
 * The plan of a diagnosis within `limit` bytes.
 * @throws OptionError with the figures where nothing fits.
 */
export function planDiagnosis(shape: DiagnosisShape, options: PartOptions, limit: number): DiagnosisPlan {
  const plans = tilesFor(shape.network).map((tile) => () => diagnosisPlan(shape, options, tile));
  return firstThatFits(plans, limit, [
    { option: "train_size", change: "smaller" },
    { option: "test_size", change: "smaller" },
    { option: "width", change: "smaller" },
  ]);
}

function diagnosisPlan(shape: DiagnosisShape, options: PartOptions, tile: number): DiagnosisPlan {
  const { network, methods, loss, samples } = shape;
  const plain = sizesOf(network, samples, undefined, options);
  const { train: N, test, outputs: C, layers: L, bytes, inputs, signals } = plain;
  const both = kernelBytes(plain, N + test, N, 1) + kernelBytes(plain, test, test, 1);
  const drawn = kernelBytes(plain, N + test, N, C) + signalBytes(plain, N + test, 8) + drawBytes(plain);
  const isKnown = analyticFault(network) === undefined;
  const everywhere = methods.some(({ needs }) => needs === "positions") ? plain.everywhere : 0;
  const phases: Phase[] = [
    keeps("process", processBytes(plain, options)),
    ...dataPhases(plain, options),
    ...(isKnown
      ? [
          { name: "analytic kernel", kept: both, peak: both + sweepBytes(plain, options.kernel_batch_size) },
          passes("spectrum", spectrumBytes(N)),
        ]
      : []),
    ...weightPhases(plain, options),
    keeps("tiles of the network", tileBytes(plain, options, tile, N)),
    keeps("tiles of Grams", gramTileBytes(plain, options, N * C)),
    // H and Delta in the linearizer, and a copy of which Delta stays with the kernel.
    keeps(
      "empirical kernel",
      kernelBytes(plain, N, N, C) + bytes * N * (inputs + 2 * (signals + everywhere)),
    ),
    passes("empirical kernel", bytes * N * inputs),
    passes("spectrum", spectrumBytes(N * C)),
    passes("layers", ((C > 1 ? L : 0) + 6) * matrixBytes(N * C)),
    ...methods
      .filter((fisher) => methods.length === 1 || !isSlow(fisher, network, N))
      .flatMap((fisher) =>
        (isKnown ? [1, C] : [C]).map((outputs) => {
          const sizes = sizesOf(network, samples, columnsOf(shape.network, fisher, loss), options);
          const sort = { outputs: fisher.needs === "units" ? C : outputs, summed: false };
          const { peak } = moverMemory(sizes, options, fisher, sort, N, [N]);
          return passes(
            "method",
            peak + (fisher.needs === "units" && isKnown ? drawn : 0) + 3 * matrixBytes(Math.min(N * C, 256)),
          );
        }),
      ),
    passes("posterior", 6 * matrixBytes(N) + 6 * matrixBytes(N, test) + 4 * matrixBytes(test)),
  ];
  return { tile, ...peakOf(phases) };
}

/** Theta, its eigenvectors, and what they are made of; the same beside Y Y^T. */
const spectrumBytes = (m: number): number => 2 * matrixBytes(m) + eigenBytes(m);
