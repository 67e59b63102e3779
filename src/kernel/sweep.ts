/**
 * @file Covariances of all pairs of samples through a network of infinite width, one tile (tiles.ts) after another: the
 * product x.x' / M_0 of a tile, then whatever `work` does with the rules of the layers, in place (network/tile.ts).
 */
import { breathe } from "../breathe.ts";
import type { ComputeOptions } from "../engine/compute.ts";
import { InputError, agree, NotFiniteError } from "../error.ts";
import { setBlock, asFloat64, rowRange, type Floats, type Matrix } from "../linalg/matrix.ts";
import { productInto } from "../linalg/product.ts";
import type { Network } from "../network/network.ts";
import { createWorkspace, type InfiniteRule, type Tile, type Workspace } from "../ops/tile.ts";
import { placeSymmetric, tileShape, tilesOf, type Area } from "./tiles.ts";

/** Options of what goes over the tiles of a kernel. */
export type SweepOptions = ComputeOptions & {
  /** Rows of a tile; need not divide the number of rows, and the result does not depend on it. Default: 512. */
  tile?: number;
  /** Called with the number of tiles done, and of how many. */
  progress?: (done: number, total: number) => void;
};

/** A tile at work. */
export type TileWork = {
  readonly workspace: Workspace;
  /** Covariances of the inputs to begin with; layers change them in place. */
  readonly cov: Float64Array;
  /** More of its size, as many as were asked for, with anything in them. */
  readonly buffers: readonly Float64Array[];
  /** The layers in order, each with the tile that enters it. */
  readonly steps: readonly Step[];
  /** Writes numbers of the tile to their place in `out` [N', N], and to their mirror image where both sides are one. */
  store(out: Matrix<Floats>, numbers: Float64Array): void;
};

/** A layer's turn. */
export type Step = {
  readonly rule: InfiniteRule;
  /** Applies the rule to the tile's covariances and, where it is given, to a tangent. */
  apply(tangent?: Float64Array): void;
};

/** Runs `work` on every tile of the pairs of samples `x1` [N', M_0] and `x2` [N, M_0]; the same object twice: half of them. */
export async function sweep(
  network: Network,
  x1: Matrix<Floats>,
  x2: Matrix<Floats>,
  { tile, progress = () => {}, engine, signal }: SweepOptions,
  buffers: number,
  work: (tile: TileWork) => void,
): Promise<void> {
  if (tile !== undefined && !(Number.isInteger(tile) && tile > 0)) {
    throw new InputError(`tile: wanted a whole number above 0, got ${tile}`);
  }
  for (const x of [x1, x2]) agree("x", `${network.inputs} columns`, `${x.cols} columns`);
  const symmetric = x1 === x2;
  const total = { rows: x1.rows, cols: x2.rows };
  const shape = tileShape(tile, total);
  const rules = rulesOf(network);
  const variances1 = variancesAlong(rules, meanSquares(x1));
  const variances2 = symmetric ? variances1 : variancesAlong(rules, meanSquares(x2));

  const size = shape.rows * shape.cols;
  const workspace = createWorkspace([
    ...Array.from({ length: buffers + 2 }, () => size),
    ...variances1.map(() => shape.rows),
    ...variances2.map(() => shape.cols),
  ]);
  const [cov, transposed, ...rest] = Array.from({ length: buffers + 2 }, () => workspace.floats(size));
  const var1 = variances1.map(() => workspace.floats(shape.rows));
  const var2 = variances2.map(() => workspace.floats(shape.cols));
  const inputs = [asFloat64(x1), asFloat64(x2)] as const;

  const areas = tilesOf(total, shape, symmetric);
  for (const [done, area] of areas.entries()) {
    await breathe(signal);
    const { row, rows, col, cols } = area;
    const numbers = (array: Float64Array) => array.subarray(0, rows * cols);
    for (const [k, v] of variances1.entries()) var1[k]!.set(v.subarray(row, row + rows));
    for (const [k, v] of variances2.entries()) var2[k]!.set(v.subarray(col, col + cols));
    const about = { workspace, rows, cols, cov: numbers(cov!) };
    await inputCovariance(inputs, about, area, { engine, signal });
    if (symmetric) setDiagonal(about.cov, variances1[0]!, area);
    work({
      ...about,
      buffers: rest.map(numbers),
      steps: rules.map((rule, k) => ({
        rule,
        apply: (tangent) => applyRule(rule, { ...about, tangent, var1: var1[k]!, var2: var2[k]! }),
      })),
      store(out, from) {
        if (!symmetric) return setBlock(out, area.row, area.col, { ...area, data: from });
        workspace.transpose(from, transposed!, rows, cols);
        placeSymmetric(out, from, transposed!, area);
      },
    });
    progress(done + 1, areas.length);
  }
}

/** What a network has that no infinitely wide one has a rule for here; undefined where there is nothing. */
export function analyticFault(network: Network): string | undefined {
  try {
    rulesOf(network);
    return undefined;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return error.what === ANALYTIC ? error.got : error.what;
  }
}

const ANALYTIC = "analytic kernel";

/** What every layer does at infinite width. */
function rulesOf({ nodes, shapes }: Network): InfiniteRule[] {
  if (nodes.at(-1)?.block === undefined) {
    throw new InputError(
      `${ANALYTIC}: wanted a layer with weights at the end, got ${nodes.at(-1)?.op.name ?? "none"}`,
    );
  }
  return nodes.map(({ op, inputs }, k) => {
    if (inputs.length !== 1 || inputs[0] !== k) {
      throw new InputError(`${ANALYTIC}: wanted a chain of layers, got one that branches at ${op.name}`);
    }
    if (!op.infinite) {
      throw new InputError(`${ANALYTIC}: wanted ops with a rule at infinite width, got ${op.name}`);
    }
    return op.infinite([shapes[k]!]);
  });
}

function applyRule(rule: InfiniteRule, tile: Tile): void {
  if (rule.kind === "weights") tile.workspace.weights(rule, tile);
  else rule.maps(tile);
}

/** x.x' / M_0 of a tile. */
async function inputCovariance(
  [x1, x2]: readonly [Matrix, Matrix],
  tile: Pick<Tile, "workspace" | "rows" | "cols" | "cov">,
  { row, rows, col, cols }: Area,
  options: ComputeOptions,
): Promise<void> {
  await productInto(
    { rows, cols, data: tile.cov },
    rowRange(x1, row, row + rows),
    rowRange(x2, col, col + cols),
    { ...options, transB: true },
  );
  const mean = { kind: "weights", gain: 1 / x1.cols, offset: 0, gramGain: 0, gramOffset: 0 } as const;
  const none = new Float64Array(0);
  tile.workspace.weights(mean, { ...tile, tangent: undefined, var1: none, var2: none });
}

/** A sample's covariance with itself is its variance, whatever the product rounds to. */
function setDiagonal(cov: Float64Array, variances: Float64Array, { row, rows, col, cols }: Area): void {
  for (let i = row; i < Math.min(row + rows, col + cols); i++)
    cov[(i - row) * cols + i - col] = variances[i]!;
}

/** Variances at the input of every layer. */
function variancesAlong(rules: readonly InfiniteRule[], input: Float64Array): Float64Array[] {
  const along = [input];
  for (const rule of rules) {
    const next = along
      .at(-1)!
      .map((p) => (rule.kind === "weights" ? rule.gain * p + rule.offset : rule.variance(p)));
    along.push(next);
  }
  for (const [k, variances] of along.entries()) {
    const wrong = variances.findIndex((p) => !Number.isFinite(p));
    if (wrong >= 0) {
      const where = k === 0 ? "of the inputs" : `after layer ${k}`;
      throw new NotFiniteError(
        `analytic kernel: wanted finite variances, got ${variances[wrong]} for sample ${wrong} ${where}`,
      );
    }
  }
  return along.slice(0, -1);
}

/** |x|^2 / M_0 of every row. */
function meanSquares(x: Matrix<Floats>): Float64Array {
  const out = new Float64Array(x.rows);
  for (let i = 0; i < x.rows; i++) {
    let sum = 0;
    for (let k = i * x.cols; k < (i + 1) * x.cols; k++) sum += x.data[k]! ** 2;
    out[i] = sum / x.cols;
  }
  return out;
}
