/**
 * @file Takes the first of several plans that fits into the memory, or refuses with the figures.
 */
import type { Fisher } from "../fisher/index.ts";
import { passTile } from "../jacobian/linearize.ts";
import type { Loss } from "../loss/index.ts";
import type { Network } from "../network/network.ts";
import { sizeText } from "./bytes.ts";
import type { Peak } from "./ledger.ts";
import { OptionError, type Remedy } from "./remedy.ts";

/** Tiles that are tried beside the usual one, largest first. */
const TILES = [256, 64, 16];

/** Tiles to try, the usual one first. */
export function tilesFor(network: Network): number[] {
  const usual = passTile(network);
  return [usual, ...TILES.filter((tile) => tile < usual)];
}

/**
 * The first plan within `limit` bytes.
 * @param remedies what would make the plans smaller
 * @throws OptionError with the figures of the smallest plan where none fits.
 */
export function firstThatFits<P extends Peak>(
  plans: readonly (() => P)[],
  limit: number,
  remedies: readonly Remedy[],
): P {
  let least: P | undefined;
  for (const make of plans) {
    const plan = make();
    if (plan.bytes <= limit) return plan;
    if (!least || plan.bytes < least.bytes) least = plan;
  }
  const { bytes, parts } = least!;
  const large = Object.entries(parts)
    .filter(([, part]) => part >= 0.05 * bytes)
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, part]) => `${name} ${sizeText(part)}`);
  throw new OptionError(
    `memory_limit: wanted a run within ${sizeText(limit)}, got one of ${sizeText(bytes)} (${large.join(", ")})`,
    remedies,
  );
}

/** K where a method has the curvature of a loss folded into its kernels. */
export const columnsOf = ({ outputs }: Network, fisher: Fisher, loss: Loss | undefined): number | undefined =>
  fisher.curvature === "folded" && loss?.curvature
    ? (loss.curvatureColumns?.(outputs) ?? outputs)
    : undefined;
