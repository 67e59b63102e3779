/**
 * @file The part of a network that moves: the blocks whose names match, of all; the others stay where they start.
 */
import type { FloatArray } from "../../engine/engine.ts";
import { InputError } from "../../error.ts";
import { freezeLater } from "../../network/freeze.ts";
import type { Network } from "../../network/network.ts";
import type { Config } from "../config.ts";
import { headedNames } from "./head.ts";
import { isModel, readOf } from "./model-option.ts";

/** A network of which a part moves. */
export type MovingPart = {
  /** All of it. */
  readonly whole: Network;
  /** The part, whose other blocks are constants. */
  readonly network: Network;
  /** Takes theta of all blocks, and gives that of the part: the same arrays. */
  start(thetas: readonly FloatArray[]): readonly FloatArray[];
};

type PartOptions = Pick<Config, "blocks" | "architecture" | "head">;

/**
 * The part of a network that the options name.
 * @throws InputError where no block has such a name.
 */
export function partOf(options: PartOptions, whole: Network): MovingPart {
  const { blocks: globs } = options;
  if (globs === undefined) return { whole, network: whole, start: (thetas) => thetas };
  const names = namesIn(options, whole);
  const patterns = globs.map(patternOf);
  const moves = (l: number): boolean =>
    names[l]!.some((name) => patterns.some((pattern) => pattern.test(name)));
  if (!names.some((_, l) => moves(l))) {
    throw new InputError(
      `blocks: wanted names of ${names.flat().join(", ")}, or globs of them, got ${globs.join(",")}`,
    );
  }
  let all: readonly FloatArray[] = [];
  const { network, blocks } = freezeLater(whole, moves, (l) => all[l]!);
  return {
    whole,
    network,
    start(thetas) {
      all = thetas;
      return blocks.map((l) => thetas[l]!);
    },
  };
}

/** Names of the parameters in each block. */
function namesIn(
  { architecture, head }: PartOptions,
  { blocks, outputs }: Network,
): readonly (readonly string[])[] {
  if (!isModel(architecture)) return blocks.map((_, l) => [`layer${l + 1}`]);
  const model = readOf(architecture);
  return head === undefined ? model.names : headedNames(model, outputs);
}

/** `*` stands for any letters, `?` for one. */
const patternOf = (glob: string): RegExp =>
  new RegExp(
    `^${glob
      .replaceAll(/[\\^$.+()[\]{}|]/g, "\\$&")
      .replaceAll("*", ".*")
      .replaceAll("?", ".")}$`,
  );
