/**
 * @file A network is a graph of ops (ops/op.ts) with the shapes of its values worked out. A builder makes one op by op; layers.ts
 * composes layers to networks, and mlp.ts names the network of the paper.
 */
import { agree, demandWhole, InputError } from "../error.ts";
import { sizeOf, type BlockShape, type Op, type Shape } from "../ops/op.ts";

/** An op at its place: value k + 1 of the network is what node k makes. */
export type Node = {
  readonly op: Op;
  /** Values that go in, made by nodes before it; value 0 is the network's input. */
  readonly inputs: readonly number[];
  /** Which of the network's blocks of parameters it has, where it has some. Two nodes may share one. */
  readonly block?: number;
};

/** A graph of ops from `inputs` features to `outputs` values. */
export type Network = {
  /** M_0, numbers of a sample; its shape is that of value 0. */
  readonly inputs: number;
  /** C, outputs. */
  readonly outputs: number;
  /** In an order in which they can be computed. */
  readonly nodes: readonly Node[];
  /** Shapes of all values, for one sample. */
  readonly shapes: readonly Shape[];
  /** The value that is f. */
  readonly output: number;
  /** The parameters, one block per op that has some, first to last; their number is L. */
  readonly blocks: readonly BlockShape[];
};

/** A network under construction. Values are numbers: 0 is the input. */
export type Builder = {
  /** The shape of a value, for one sample. */
  shape(value: number): Shape;
  /**
   * Appends an op and returns its value. With `shares` its parameters are those of the block of that number.
   * @throws RangeError for inputs that the op does not take, or shared parameters of another shape.
   */
  apply(op: Op, inputs: readonly number[], options?: { shares?: number }): number;
  /** Blocks so far. */
  readonly blocks: readonly BlockShape[];
  /**
   * The network whose outputs are a value: the ops that it depends on, and their blocks, whose `id` is their number here.
   * @throws InputError where the value has more than one axis, or the network no parameters.
   */
  finish(output: number): Network;
};

/**
 * Starts a network on samples of a shape; a number is that of features.
 * @throws InputError for sizes that are no whole numbers above 0.
 * @example
 * import { dense, relu } from "natgrad";
 * import { createBuilder } from "natgrad/network";
 *
 * const b = createBuilder(8);
 * const hidden = b.apply(relu(), [b.apply(dense(16), [0])]);
 * const network = b.finish(b.apply(dense(2), [hidden]));
 * console.log(network.nodes.length, network.blocks.length); // 3 2
 */
export function createBuilder(inputs: number | Shape): Builder {
  const input = typeof inputs === "number" ? [inputs] : [...inputs];
  for (const size of input) demandWhole("inputs", size);
  const shapes: Shape[] = [input];
  const nodes: OwnNode[] = [];
  const blocks: BlockShape[] = [];
  const shapeOf = (value: number): Shape => {
    const shape = shapes[value];
    if (!shape) throw new RangeError(`value: wanted one of 0 to ${shapes.length - 1}, got ${value}`);
    return shape;
  };
  return {
    blocks,
    shape: shapeOf,
    apply(op, values, { shares } = {}) {
      const given = values.map(shapeOf);
      const shape = op.shape(given);
      const own = op.block?.(given);
      const block =
        own && (shares === undefined ? blocks.push(own) - 1 : share(blocks, shares, own, op.name));
      nodes.push({ op, inputs: [...values], ...(own === undefined ? {} : { block: block!, own }) });
      return shapes.push(shape) - 1;
    },
    finish(output) {
      const shape = shapeOf(output);
      agree(
        "outputs",
        "values with one axis",
        shape.length === 1 ? "values with one axis" : `${shape.length} axes`,
      );
      const needed = neededFor(nodes, output);
      if (!nodes.some(({ block }, k) => needed[k + 1] && block !== undefined)) {
        throw new InputError("network: wanted a layer with weights, got none");
      }
      return {
        inputs: sizeOf(input),
        outputs: shape[0]!,
        ...restricted(nodes, shapes, blocks, needed),
        output: countBefore(needed, output),
      };
    },
  };
}

/** A node with the parameters of this one use. */
type OwnNode = Node & { readonly own?: BlockShape };

/** Which values an output depends on; the input always counts. */
function neededFor(nodes: readonly Node[], output: number): boolean[] {
  const needed = [true, ...nodes.map(() => false)];
  needed[output] = true;
  for (let k = nodes.length; k >= 1; k--)
    if (needed[k]) for (const id of nodes[k - 1]!.inputs) needed[id] = true;
  return needed;
}

/** How many values before one are needed: its number where the others are left out. */
const countBefore = (needed: readonly boolean[], value: number): number =>
  needed.slice(0, value).filter(Boolean).length;

/** The needed part of a graph, with its values and blocks numbered anew. */
function restricted(
  nodes: readonly OwnNode[],
  shapes: readonly Shape[],
  blocks: readonly BlockShape[],
  needed: readonly boolean[],
): Pick<Network, "nodes" | "shapes" | "blocks"> {
  const live = nodes.filter((_, k) => needed[k + 1]);
  const ids = [...blocks.keys()].filter((id) => live.some(({ block }) => block === id));
  return {
    nodes: live.map(({ op, inputs, block }) => ({
      op,
      inputs: inputs.map((id) => countBefore(needed, id)),
      ...(block === undefined ? {} : { block: ids.indexOf(block) }),
    })),
    shapes: shapes.filter((_, value) => needed[value]),
    blocks: ids.map((id) => {
      const uses = live.filter(({ block }) => block === id);
      return { ...joined(uses.map(({ own }) => own!)), id };
    }),
  };
}

/** The block of several uses: its positions are those of all. */
function joined([first, ...rest]: readonly BlockShape[]): BlockShape {
  if (rest.length === 0) return first!;
  const all = [first!, ...rest];
  const form = all.some((each) => each.form === "rows") ? "rows" : "outer";
  return { ...first!, form, positions: all.reduce((sum, { positions = 1 }) => sum + positions, 0) };
}

/** Checks that a use may share a block of a builder, and returns the block's number. */
function share(blocks: BlockShape[], at: number, own: BlockShape, name: string): number {
  const known = blocks[at];
  if (!known) {
    throw new RangeError(`${name}: wanted a block of 0 to ${blocks.length - 1} to share, got ${at}`);
  }
  agree(name, `weights ${known.fanOut} x ${known.columns}`, `weights ${own.fanOut} x ${own.columns}`);
  blocks[at] = joined([known, own]);
  return at;
}

/** The blocks that each block feeds, or is fed by, with no block between them. */
export function neighboursIn({ nodes, blocks }: Pick<Network, "nodes" | "blocks">): number[][] {
  const found = blocks.map(() => new Set<number>());
  // The blocks that a value comes from, with no block between.
  const sources: ReadonlySet<number>[] = [new Set()];
  for (const { inputs, block } of nodes) {
    const from = new Set(inputs.flatMap((id) => [...sources[id]!]));
    if (block === undefined) {
      sources.push(from);
      continue;
    }
    for (const l of from) {
      if (l === block) continue;
      found[l]!.add(block);
      found[block]!.add(l);
    }
    sources.push(new Set([block]));
  }
  return found.map((each) => [...each].toSorted((a, b) => a - b));
}
