/**
 * @file The plain twin: tiny ReLU networks in ordinary arrays, with explicit Jacobians and parameter-space solves, all
 * float64. Nothing here is shared with `src/`, and nothing is fast.
 *
 * Rows of J are (n, c), n outermost; columns are layers in order, each theta_l [out][rows] row by row.
 */

export type TinyNetwork = {
  /** M_0, ..., M_L. */
  widths: number[];
  weightVariance: number;
  biasVariance: number;
  /** theta[l][o][i], the bias last where there is one. */
  theta: number[][][];
};

export type Vector = number[];
export type Rows = number[][];

export const dot = (a: Vector, b: Vector): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
export const apply = (a: Rows, x: Vector): Vector => a.map((row) => dot(row, x));
export const flip = (a: Rows): Rows => a[0]!.map((_, j) => a.map((row) => row[j]!));
export const product = (a: Rows, b: Rows): Rows => {
  const bt = flip(b);
  return a.map((row) => bt.map((col) => dot(row, col)));
};
export const plusDiagonal = (a: Rows, rho: number): Rows =>
  a.map((row, i) => row.map((x, j) => (i === j ? x + rho : x)));
export const times = (a: Rows, factor: number): Rows => a.map((row) => row.map((x) => x * factor));

/** a^-1 b by Gaussian elimination with partial pivoting. */
export function solve(a: Rows, b: Vector): Vector {
  const n = a.length;
  const m = a.map((row, i) => [...row, b[i]!]);
  for (let k = 0; k < n; k++) {
    let p = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(m[i]![k]!) > Math.abs(m[p]![k]!)) p = i;
    [m[k], m[p]] = [m[p]!, m[k]!];
    for (let i = k + 1; i < n; i++) {
      const f = m[i]![k]! / m[k]![k]!;
      for (let j = k; j <= n; j++) m[i]![j]! -= f * m[k]![j]!;
    }
  }
  const x = Array.from<number>({ length: n }).fill(0);
  for (let i = n - 1; i >= 0; i--) {
    let sum = m[i]![n]!;
    for (let j = i + 1; j < n; j++) sum -= m[i]![j]! * x[j]!;
    x[i] = sum / m[i]![i]!;
  }
  return x;
}

/** What the twin knows of one sample: H and Delta of every layer, and the outputs. */
export type SamplePass = { inputs: Rows; signals: Rows[]; outputs: Vector };

/** H_l and Delta_l[c] of one sample by textbook backpropagation, one output at a time. */
export function pass(net: TinyNetwork, x: Vector): SamplePass {
  const L = net.theta.length;
  const inputs: Rows = [];
  const before: Rows = [];
  let h = x;
  for (let l = 0; l < L; l++) {
    const scale = Math.sqrt(net.weightVariance / net.widths[l]!);
    const H = h.map((v) => scale * v);
    if (net.biasVariance > 0) H.push(Math.sqrt(net.biasVariance));
    inputs.push(H);
    const u = apply(net.theta[l]!, H);
    before.push(u);
    h = l < L - 1 ? u.map((v) => Math.max(0, v)) : u;
  }
  const outputs = before[L - 1]!;
  const signals: Rows[] = net.theta.map(() => []);
  for (let c = 0; c < outputs.length; c++) {
    let delta = outputs.map((_, k) => Number(k === c));
    for (let l = L - 1; l >= 0; l--) {
      signals[l]![c] = delta;
      if (l === 0) break;
      const scale = Math.sqrt(net.weightVariance / net.widths[l]!);
      delta = before[l - 1]!.map((u, i) =>
        u > 0
          ? scale *
            dot(
              delta,
              net.theta[l]!.map((row) => row[i]!),
            )
          : 0,
      );
    }
  }
  return { inputs, signals, outputs };
}

export const outputsOf = (net: TinyNetwork, xs: Rows): Rows => xs.map((x) => pass(net, x).outputs);

/** The Jacobian of each layer, [N C][parameters of the layer]. */
export function jacobians(net: TinyNetwork, xs: Rows): Rows[] {
  const passes = xs.map((x) => pass(net, x));
  return net.theta.map((_, l) =>
    passes.flatMap(({ inputs, signals }) =>
      signals[l]!.map((delta) => delta.flatMap((d) => inputs[l]!.map((h) => d * h))),
    ),
  );
}

/** H_l [N][rows] and Delta_l [N C][out]. */
export function factorsOf(net: TinyNetwork, xs: Rows, l: number): { H: Rows; D: Rows } {
  const passes = xs.map((x) => pass(net, x));
  return { H: passes.map((p) => p.inputs[l]!), D: passes.flatMap((p) => p.signals[l]!) };
}
