/**
 * @file A network with another last layer: what a trained model is given for a new task.
 */
import { demandWhole, InputError } from "../error.ts";
import { dense, type DenseOptions } from "../ops/dense.ts";
import { flatten } from "../ops/flatten.ts";
import { isOuter } from "../ops/op.ts";
import { createBuilder, type Network } from "./network.ts";

/** A network with a new last layer. */
export type Headed = {
  readonly network: Network;
  /** The block of the old network that each block is; undefined for the new one, the last. */
  readonly from: readonly (number | undefined)[];
};

/**
 * The network whose last dense layer is a new one of so many outputs; what follows that layer (a softmax) is left out.
 * @throws InputError where the last op with weights is no dense layer on all of a sample.
 * @example
 * import { dense, mlp, relu, serial } from "natgrad";
 * import { withHead } from "natgrad/network";
 *
 * const { network, from } = withHead(mlp(8, { depth: 3, width: 16, outputs: 10 }), 2);
 * console.log(network.outputs, from); // 2 [ 0, 1, undefined ]
 */
export function withHead(network: Network, outputs: number, options: DenseOptions = {}): Headed {
  demandWhole("outputs", outputs);
  const last = headOf(network);
  const b = createBuilder(network.shapes[0]!);
  const values = [0];
  const blocks = new Map<number, number>();
  for (const { op, inputs, block } of network.nodes.slice(0, last)) {
    const shares = block === undefined ? undefined : blocks.get(block);
    const count = b.blocks.length;
    values.push(
      b.apply(
        op,
        inputs.map((id) => values[id]!),
        shares === undefined ? {} : { shares },
      ),
    );
    if (block !== undefined && b.blocks.length > count) blocks.set(block, count);
  }
  const before = values[network.nodes[last]!.inputs[0]!]!;
  const vector = b.shape(before).length === 1 ? before : b.apply(flatten(), [before]);
  const headed = b.finish(b.apply(dense(outputs, options), [vector]));
  const old = new Map([...blocks].map(([block, id]) => [id, block]));
  return { network: headed, from: headed.blocks.map(({ id }) => old.get(id!)) };
}

/** The node that is the last dense layer on the way to the outputs. */
function headOf({ nodes, blocks, output }: Network): number {
  let value = output;
  while (value > 0) {
    const { inputs, block, op } = nodes[value - 1]!;
    // A convolution whose kernel covers what is left of the image is a dense layer, too.
    if (block !== undefined && isOuter(blocks[block]!)) return value - 1;
    if (block !== undefined || inputs.length !== 1) {
      throw new InputError(`head: wanted a dense layer at the end, got ${op.name}`);
    }
    value = inputs[0]!;
  }
  throw new InputError("head: wanted a dense layer at the end, got none");
}
