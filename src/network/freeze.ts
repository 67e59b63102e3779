/**
 * @file A part of a model: blocks that stay as they are become constants of the network, so that every method, kernel and prediction is
 * that of the blocks that move (the last layers alone, all but the norms, ...).
 */
import { agree, InputError } from "../error.ts";
import type { FloatArray } from "../engine/engine.ts";
import type { Graph, Value } from "../engine/graph.ts";
import type { BlockShape, Op } from "../ops/op.ts";
import type { Network } from "./network.ts";

/** The part of a network that moves, and where it starts. */
export type Part = {
  readonly network: Network;
  /** theta of the blocks that move, the arrays that were given. */
  readonly thetas: readonly FloatArray[];
  /** Which blocks of the whole network those are. */
  readonly blocks: readonly number[];
};

/**
 * The network in which only the blocks that `moves` names are parameters; the others keep their values in `thetas`.
 * @throws RangeError when `thetas` are not those of the network; InputError where no block moves.
 * @example
 * import { createEngine, initialise, mlp } from "natgrad";
 * import { freeze } from "natgrad/network";
 *
 * const network = mlp(8, { depth: 3, width: 16 });
 * const engine = await createEngine();
 * const last = freeze(network, initialise(engine, network, 1), (l) => l === 2);
 * console.log(last.network.blocks.length, last.blocks); // 1 [ 2 ]
 * await engine.release();
 */
export function freeze(
  network: Network,
  thetas: readonly FloatArray[],
  moves: (block: number, shape: BlockShape) => boolean,
): Part {
  agree("thetas", `${network.blocks.length} blocks`, `${thetas.length} blocks`);
  for (const [l, { fanOut, columns }] of network.blocks.entries()) {
    agree(`theta ${l + 1}`, `${fanOut * columns} numbers`, `${thetas[l]!.length} numbers`);
  }
  const { blocks, ...part } = freezeLater(network, moves, (l) => thetas[l]!);
  return { ...part, blocks, thetas: blocks.map((l) => thetas[l]!) };
}

/**
 * The same where the values are known later: `thetaOf` is asked for them when graphs are made of the network.
 * @throws InputError where no block moves.
 */
export function freezeLater(
  network: Network,
  moves: (block: number, shape: BlockShape) => boolean,
  thetaOf: (block: number) => FloatArray,
): Omit<Part, "thetas"> {
  const blocks = [...network.blocks.keys()].filter((l) => moves(l, network.blocks[l]!));
  if (blocks.length === 0) throw new InputError("freeze: wanted a block that moves, got none");
  const frozen = network.blocks.map((shape, l) =>
    blocks.includes(l) ? undefined : createConstant(() => thetaOf(l), shape),
  );
  const nodes = network.nodes.map(({ op, inputs, block }) => {
    const constant = block === undefined ? undefined : frozen[block];
    if (constant) return { op: withConstant(op, constant), inputs };
    return { op, inputs, ...(block === undefined ? {} : { block: blocks.indexOf(block) }) };
  });
  return {
    network: { ...network, nodes, blocks: blocks.map((l) => network.blocks[l]!) },
    blocks,
  };
}

/** A constant of each graph, made once in it: all uses of a block share it. */
function createConstant(thetaOf: () => FloatArray, { fanOut, columns }: BlockShape): (g: Graph) => Value {
  const made = new WeakMap<Graph, Value>();
  return (g) => {
    const value = made.get(g) ?? g.constant(thetaOf(), [fanOut, columns]);
    made.set(g, value);
    return value;
  };
}

/** An op whose parameters are a constant. */
function withConstant(op: Op, constant: (g: Graph) => Value): Op {
  const { name, shape, forward, backward } = op;
  return {
    name,
    shape,
    forward: (g, given) => forward(g, { ...given, weights: { base: constant(g) } }),
    backward: (g, at, ct) => backward(g, { ...at, weights: { base: constant(g) } }, ct),
  };
}
