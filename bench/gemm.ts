/**
 * @file Matrix products timed alone: what a step cannot do without, run through the same engine on the same weights
 * into outputs that exist already. Their time is the floor that every figure of a step stands beside.
 *
 * A linearisation of `samples` samples, N of them trained on, is made of these products per layer l:
 *
 *     forward   H_l [samples, rows] theta_l^T       A_l  H_l H_l^T          [N, N]
 *     backward  Delta_l [N C, M_l] theta_l (l > 1)  B_l  Delta_l Delta_l^T  [N C, N C]
 */
import type { Engine, FloatArray, Program, Tensor, Tensors } from "../src/engine/engine.ts";
import { createGraph } from "../src/engine/graph.ts";
import { gemm } from "../src/engine/ops.ts";
import type { Network } from "../src/network/network.ts";

/** op(left) op(right), with the sizes of the operands as they lie in memory. */
export type Product = {
  readonly name: string;
  readonly left: Operand;
  readonly right: Operand;
  readonly transA?: boolean;
  readonly transB?: boolean;
};

/** An operand: operands of the same name are the same memory. */
export type Operand = { readonly name: string; readonly rows: number; readonly cols: number };

/** Rows and columns of a product, and its inner size. */
export function sizes({ left, right, transA, transB }: Product): { m: number; n: number; k: number } {
  return {
    m: transA ? left.cols : left.rows,
    n: transB ? right.rows : right.cols,
    k: transA ? left.rows : left.cols,
  };
}

/** Floating-point operations, 2 m n k per product. */
export const operations = (products: readonly Product[]): number =>
  products.reduce((sum, product) => {
    const { m, n, k } = sizes(product);
    return sum + 2 * m * n * k;
  }, 0);

/** The products of a forward pass. */
export const forwardProducts = ({ blocks }: Network, samples: number): Product[] =>
  blocks.map(({ columns, fanOut }, l) => ({
    name: `forward${l}`,
    left: { name: `inputs${l}`, rows: samples, cols: columns },
    right: { name: `theta${l}`, rows: fanOut, cols: columns },
    transB: true,
  }));

/** The products of a linearisation: the forward pass of all samples, the way back and the Grams of the first N. */
export function linearizeProducts(network: Network, samples: number, N: number): Product[] {
  const products = forwardProducts(network, samples);
  for (const [l, { columns, fanOut }] of network.blocks.entries()) {
    const H = { name: `H${l}`, rows: N, cols: columns };
    const delta = { name: `delta${l}`, rows: N * network.outputs, cols: fanOut };
    const theta = { name: `theta${l}`, rows: fanOut, cols: columns };
    if (l > 0) products.push({ name: `backward${l}`, left: delta, right: theta });
    products.push({ name: `A${l}`, left: H, right: H, transB: true });
    products.push({ name: `B${l}`, left: delta, right: delta, transB: true });
  }
  return products;
}

/** The products of adding an update of rank N to theta_l itself: U_l^T H_l. */
export const foldProducts = ({ blocks }: Network, N: number): Product[] =>
  blocks.map(({ columns, fanOut }, l) => ({
    name: `fold${l}`,
    left: { name: `U${l}`, rows: N, cols: fanOut },
    right: { name: `H${l}`, rows: N, cols: columns },
    transA: true,
  }));

/** Products ready to run. */
export type Floor = {
  readonly operations: number;
  /** Runs all products once. */
  readonly run: () => Promise<unknown>;
};

/** Compiles `products` into one graph without dependences between them; `given` are operands that exist already. */
export async function createFloor(
  engine: Engine,
  products: readonly Product[],
  given: Readonly<Record<string, FloatArray>> = {},
): Promise<Floor> {
  if (products.length === 0) return { operations: 0, run: async () => {} };
  const g = createGraph(engine.precision);
  const values = new Map<string, { name: string }>();
  const feeds: Tensors = {};
  const outputs: Record<string, Tensor> = {};
  const input = ({ name, rows, cols }: Operand): { name: string } => {
    let value = values.get(name);
    if (!value) {
      value = g.input(name, [rows, cols]);
      values.set(name, value);
      feeds[name] = engine.tensor(given[name] ?? filled(engine, rows * cols), [rows, cols]);
    }
    return value;
  };
  for (const product of products) {
    const { name, left, right, transA = false, transB = false } = product;
    const { m, n } = sizes(product);
    g.output(name, gemm(g, input(left), input(right), { transA, transB }), [m, n]);
    outputs[name] = engine.tensor(engine.floats(m * n), [m, n]);
  }
  const program: Program = await engine.compile(g);
  return { operations: operations(products), run: () => program.run(feeds, outputs) };
}

/** Numbers of unit size, none of them zero or denormal. */
function filled(engine: Engine, length: number): FloatArray {
  const out = engine.floats(length);
  for (let i = 0; i < length; i++) out[i] = ((i * 7919) % 2003) / 1001 - 1;
  return out;
}
