/**
 * @file Steps of every method by the plain twin: explicit Jacobians, P x P Fisher matrices, one solve.
 */
import { EigenvalueDecomposition, Matrix as MlMatrix, pseudoInverse } from "ml-matrix";
import {
  apply,
  dot,
  factorsOf,
  flip,
  plusDiagonal,
  product,
  solve,
  times,
  type Rows,
  type TinyNetwork,
  type Vector,
} from "./twin.ts";

/** r [N C] with (1/N) J^T r the gradient, and the curvature Lambda_n [C][C] of every sample. */
export type TwinLoss = { residual: Vector; curvature: Rows[] };

/** Mean squared error. */
export const twinMse = (f: Rows, y: Rows): TwinLoss => ({
  residual: f.flatMap((row, n) => row.map((x, c) => x - y[n]![c]!)),
  curvature: f.map((row) => row.map((_, c) => row.map((_, d) => Number(c === d)))),
});

export const twinSoftmax = (row: Vector): Vector => {
  const exps = row.map((x) => Math.exp(x));
  const sum = exps.reduce((a, b) => a + b, 0);
  return exps.map((x) => x / sum);
};

/** Softmax cross-entropy. */
export const twinCrossEntropy = (f: Rows, y: Rows): TwinLoss => {
  const p = f.map(twinSoftmax);
  return {
    residual: p.flatMap((row, n) => row.map((x, c) => x - y[n]![c]!)),
    curvature: p.map((row) => row.map((x, c) => row.map((z, d) => (c === d ? x : 0) - x * z))),
  };
};

/**
 * One layer as the methods see it: H [N][columns] and Delta [N C][units], whose Jacobian has the rows Delta[n, c] (x) H[n]; and the
 * sizes that the damping of K-FAC goes by, those of the network where H and Delta are only factors of its Grams.
 */
export type TwinLayer = {
  H: Rows;
  D: Rows;
  columns: number;
  fanOut: number;
  /** The rows of its Jacobian where they are no outer products; H and D are then means and sums over positions, or empty. */
  J?: Rows;
  /** Of such a layer: H [N][T columns] and Delta [N C][T units] at every position. */
  expanded?: { H: Rows; D: Rows };
  /** Blocks that it feeds or is fed by. Default: the ones before and after it. */
  neighbours?: readonly number[];
};

/** The layers of a network. */
export const layersOf = (net: TinyNetwork, xs: Rows): TwinLayer[] =>
  net.theta.map((theta, l) => ({
    ...factorsOf(net, xs, l),
    columns: theta[0]!.length,
    fanOut: theta.length,
  }));

/** The Jacobian of a layer [N C][units columns]. */
const jacobianOf = ({ H, D, J }: TwinLayer): Rows =>
  J ??
  D.map((delta, row) => delta.flatMap((d) => H[Math.floor((row * H.length) / D.length)]!.map((h) => d * h)));

/** The Jacobian of all layers [N C][P]. */
export function wholeJacobian(layers: readonly TwinLayer[]): Rows {
  const J = layers.map(jacobianOf);
  return J[0]!.map((_, row) => J.flatMap((j) => j[row]!));
}

/** a^-1 b, or the least solution with a^+ where rho is zero and a may be singular. */
function invert(a: Rows, b: Vector, rho: number): Vector {
  if (rho > 0) return solve(plusDiagonal(a, rho), b);
  return apply(pseudoInverse(new MlMatrix(a), 1e-10).to2DArray(), b);
}

/** blockdiag(Lambda) a for a [N C][m]. */
const curved = (curvature: Rows[], a: Rows): Rows => {
  const C = curvature[0]!.length;
  return a.map((_, row) => {
    const n = Math.floor(row / C);
    return a[0]!.map((_, j) => curvature[n]![row % C]!.reduce((sum, x, d) => sum + x * a[n * C + d]![j]!, 0));
  });
};

/**
 * The step of a method, one vector a layer: (F + rho I)^-1 J^T r / N with the blocks of F = J^T Lambda J / N that the
 * method keeps; at rho = 0 the least solution. Where every Gram has an inverse the tri-diagonal step is undamped by
 * layers; `leastNorm`: F^+ whatever there is.
 */
export const parameterStep = (
  method: string,
  net: TinyNetwork,
  xs: Rows,
  loss: TwinLoss,
  rho: number,
  leastNorm = false,
): Vector[] => layerSteps(method, layersOf(net, xs), loss, rho, leastNorm);

/** The same from the layers of a network, or from factors of the Grams of a kernel. */
export function layerSteps(
  method: string,
  layers: readonly TwinLayer[],
  loss: TwinLoss,
  rho: number,
  leastNorm = false,
): Vector[] {
  const N = loss.curvature.length;
  const J = layers.map(jacobianOf);
  if (method === "exact_plus_mse") return plusMseStep(J, wholeJacobian(layers), N, loss, rho);
  const gradients = J.map((j) => apply(flip(j), loss.residual).map((g) => g / N));
  if (method === "gradient") return gradients;
  if (method === "block_tri_diagonal" && rho === 0 && !leastNorm) return undampedTriDiagonal(layers, loss);
  if (method.startsWith("kfac")) {
    return layers.map((layer, l) => {
      // A block without factors is inverted by itself.
      if (layer.H.length === 0) return layerSteps("block_diagonal", [layer], loss, rho)[0]!;
      if (method === "kfac_expand") return kfacStep(layer, loss, gradients[l]!, rho, layer.expanded);
      if (method === "kfac") return kfacStep(layer, loss, gradients[l]!, rho);
      return tikhonovStep(layer, loss, gradients[l]!, rho);
    });
  }

  const step = invert(keptFisher(method, layers, loss), gradients.flat(), rho);
  let start = 0;
  return gradients.map(({ length }) => step.slice(start, (start += length)));
}

/** F [P][P] with zeros where the method drops a block. */
function keptFisher(method: string, layers: readonly TwinLayer[], loss: TwinLoss): Rows {
  const labels = layers.flatMap(({ H, D, J, columns }, l) =>
    J
      ? J[0]!.map((_, i) => ({ l, unit: Math.floor(i / columns) }))
      : D[0]!.flatMap((_, unit) => H[0]!.map(() => ({ l, unit }))),
  );
  const near = (k: number, l: number): boolean => (layers[k]!.neighbours ?? [k - 1, k + 1]).includes(l);
  const keeps: Record<string, (a: { l: number; unit: number }, b: { l: number; unit: number }) => boolean> = {
    exact: () => true,
    block_diagonal: (a, b) => a.l === b.l,
    block_tri_diagonal: (a, b) => a.l === b.l || near(a.l, b.l),
    unit_wise: (a, b) => a.l === b.l && a.unit === b.unit,
  };
  const keep = keeps[method]!;
  const whole = wholeJacobian(layers);
  const F = times(product(flip(whole), curved(loss.curvature, whole)), 1 / loss.curvature.length);
  return F.map((row, i) => row.map((x, j) => (keep(labels[i]!, labels[j]!) ? x : 0)));
}

/**
 * Eigenvalues of everything that a method inverts undamped, each matrix apart: F with the blocks that it keeps, or the
 * factors of K-FAC.
 */
export function undampedSpectra(method: string, net: TinyNetwork, xs: Rows, loss: TwinLoss): Vector[] {
  const spectrum = (a: Rows): Vector =>
    new EigenvalueDecomposition(new MlMatrix(a), { assumeSymmetric: true }).realEigenvalues;
  const layers = layersOf(net, xs);
  const whole = wholeJacobian(layers);
  if (method === "gradient") return [];
  if (method === "exact_plus_mse") return [spectrum(product(whole, flip(whole)))];
  if (method.startsWith("kfac")) {
    return layers.flatMap(({ H, D }) => [
      spectrum(product(flip(H), H)),
      spectrum(product(flip(D), curved(loss.curvature, D))),
    ]);
  }
  const F = keptFisher(method, layers, loss);
  const parts = partsOf(method, net);
  return [...new Set(parts)].map((part) => {
    const of = [...parts.keys()].filter((i) => parts[i] === part);
    return spectrum(of.map((i) => of.map((j) => F[i]![j]!)));
  });
}

/** Which block of F each parameter is in, for methods whose F falls apart. */
const partsOf = (method: string, net: TinyNetwork): string[] =>
  net.theta.flatMap((theta, l) =>
    theta.flatMap((row, unit) =>
      row.map(() => (method === "block_diagonal" ? `${l}` : method === "unit_wise" ? `${l},${unit}` : "")),
    ),
  );

/** The smallest |eigenvalue| of F + rho I, F with the blocks that the method keeps: rho or more where F is definite. */
export function smallestCurvature(
  method: string,
  net: TinyNetwork,
  xs: Rows,
  loss: TwinLoss,
  rho: number,
): number {
  const damped = plusDiagonal(keptFisher(method, layersOf(net, xs), loss), rho);
  const { realEigenvalues } = new EigenvalueDecomposition(new MlMatrix(damped), { assumeSymmetric: true });
  return Math.min(...realEigenvalues.map(Math.abs));
}

/**
 * The limit of the tri-diagonal step as rho goes to zero: its Fisher matrix is not definite, so this is not the least
 * solution. Layer l takes (T^-1 1)_l times the least solution of its own block, T with ones on three diagonals.
 */
function undampedTriDiagonal(layers: readonly TwinLayer[], loss: TwinLoss): Vector[] {
  const T = layers.map(({ neighbours = [] }, l) =>
    layers.map((_, k) =>
      Number(layers[l]!.neighbours ? k === l || neighbours.includes(k) : Math.abs(l - k) <= 1),
    ),
  );
  const shares = solve(
    T,
    T.map(() => 1),
  );
  return layerSteps("block_diagonal", layers, loss, 0).map((step, l) => step.map((x) => shares[l]! * x));
}

/** Newton's step in the outputs, damped by rho, then J^T (J J^T)^-1 towards it. */
function plusMseStep(J: Rows[], whole: Rows, N: number, loss: TwinLoss, rho: number): Vector[] {
  const C = loss.curvature[0]!.length;
  const target = loss.curvature.flatMap((lambda, n) =>
    invert(lambda, loss.residual.slice(n * C, (n + 1) * C), rho),
  );
  const v = invert(times(product(whole, flip(whole)), 1 / N), target, 0);
  return J.map((j) => apply(flip(j), v).map((x) => x / N));
}

/** (Delta^T Lambda Delta / N + rho_B)^-1 gradient (H^T H / N + rho_A)^-1, row by row of theta. */
function kfacStep(
  { H, D, columns, fanOut }: TwinLayer,
  loss: TwinLoss,
  whole: Vector,
  rho: number,
  all = { H, D },
): Vector {
  const N = H.length;
  const width = H[0]!.length;
  const T = all.H[0]!.length / width;
  // Matrices of one position after the other.
  const at = (rows: Rows, t: number, size: number) => rows.map((row) => row.slice(t * size, (t + 1) * size));
  const sumOf = (part: (t: number) => Rows) =>
    Array.from({ length: T }, (_, t) => part(t)).reduce((a, b) =>
      a.map((row, i) => row.map((x, j) => x + b[i]![j]!)),
    );
  const gram = (a: Rows, b: Rows) => times(product(flip(a), b), 1 / N);
  const A = times(
    sumOf((t) => gram(at(all.H, t, width), at(all.H, t, width))),
    1 / T,
  );
  const B = sumOf((t) => {
    const each = at(all.D, t, D[0]!.length);
    return gram(each, curved(loss.curvature, each));
  });
  const trace = (a: Rows) => a.reduce((sum, row, i) => sum + row[i]!, 0);
  const [a, b] = [trace(A) / columns, trace(B) / fanOut];
  const pi = a > 0 && b > 0 ? Math.sqrt(a / b) : 1;
  const gradient = D[0]!.map((_, o) => whole.slice(o * H[0]!.length, (o + 1) * H[0]!.length));
  const right = gradient.map((row) => invert(A, row, Math.sqrt(rho) * pi));
  return flip(flip(right).map((col) => invert(B, col, Math.sqrt(rho) / pi))).flat();
}

/** (B (x) A + rho I)^-1 gradient with the Kronecker product written out. */
function tikhonovStep({ H, D }: TwinLayer, loss: TwinLoss, gradient: Vector, rho: number): Vector {
  const N = H.length;
  const A = times(product(flip(H), H), 1 / N);
  const B = times(product(flip(D), curved(loss.curvature, D)), 1 / N);
  const kronecker = B.flatMap((b) => A.map((a) => b.flatMap((x) => a.map((y) => x * y))));
  // The gradient is in the range; what rounding puts beside it must not be divided by a rho that is smaller.
  return rho > 0 && rho < 1e-8 ? invertOnRange(kronecker, gradient, rho) : invert(kronecker, gradient, rho);
}

/** (a + rho)^-1 b for a b in the range of a, by eigenvalues. */
function invertOnRange(a: Rows, b: Vector, rho: number): Vector {
  const of = new EigenvalueDecomposition(new MlMatrix(a), { assumeSymmetric: true });
  const vectors = flip(of.eigenvectorMatrix.to2DArray());
  const largest = Math.max(...of.realEigenvalues);
  const out = b.map(() => 0);
  for (const [i, value] of of.realEigenvalues.entries()) {
    if (value < 1e-12 * largest) continue;
    const weight = dot(vectors[i]!, b) / (value + rho);
    for (const [k, x] of vectors[i]!.entries()) out[k]! += weight * x;
  }
  return out;
}

/**
 * What a step of learning rate 1 takes of a whitened residual, [N K][N K]: column j is S^T df for the residual S e_j, with
 * Lambda = S S^T from eigenvectors and df = J dtheta. Its trace and norm are the same for any S.
 */
export function twinResponse(
  method: string,
  layers: readonly TwinLayer[],
  curvature: readonly Rows[],
  rho: number,
): Rows {
  const J = wholeJacobian(layers);
  const factors = curvature.map(squareRoot);
  const [C, K] = [curvature[0]!.length, factors[0]![0]!.length];
  const columns = factors.flatMap((S, n) =>
    Array.from({ length: K }, (_, k) => {
      const residual = curvature.flatMap((__, m) => S.map((row) => (m === n ? row[k]! : 0)));
      const df = apply(J, layerSteps(method, layers, { residual, curvature: [...curvature] }, rho).flat());
      return factors.flatMap((T, m) => apply(flip(T), df.slice(m * C, (m + 1) * C)));
    }),
  );
  return flip(columns);
}

/** S [C][K] with S S^T = a, without the null directions of a. */
export function squareRoot(a: Rows): Rows {
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(new MlMatrix(a), {
    assumeSymmetric: true,
  });
  const kept = realEigenvalues.flatMap((x, k) => (x > 1e-12 * Math.max(...realEigenvalues) ? [k] : []));
  return a.map((_, i) => kept.map((k) => Math.sqrt(realEigenvalues[k]!) * eigenvectorMatrix.get(i, k)));
}
