/**
 * @file A tile of a covariance matrix on its way through a network of infinite width, in the memory of a WebAssembly
 * module (assembly/duals.ts) that does to it what layers do: no copies between layers, and nothing allocated.
 */
import { dualsWasm } from "./duals.wasm.ts";

/**
 * A tile: covariances cov[i, j] = E[u(x_i) u(x'_j)] with the variances of both sides, and a second matrix, the tangent, that is
 * multiplied by what each layer does to signals. Everything in it lies in its workspace and is changed in place.
 */
export type Tile = {
  readonly workspace: Workspace;
  readonly rows: number;
  readonly cols: number;
  /** [rows, cols]. */
  readonly cov: Float64Array;
  /** [rows, cols]; undefined where only covariances are wanted. */
  readonly tangent: Float64Array | undefined;
  /** [rows] and [cols]. */
  readonly var1: Float64Array;
  readonly var2: Float64Array;
};

/** What a weight layer does: u = H theta^T has covariance gain cov + offset, and A = H H^T is gramGain cov + gramOffset. */
export type WeightRule = {
  readonly kind: "weights";
  /** Signals come back multiplied by this as well. */
  readonly gain: number;
  readonly offset: number;
  readonly gramGain: number;
  readonly gramOffset: number;
};

/** What an elementwise layer does: two maps of a pair of centred Gaussians. */
export type ElementwiseRule = {
  readonly kind: "elementwise";
  /** E[phi(u)^2] for u of variance p. */
  variance(p: number): number;
  /** In place: cov becomes E[phi phi'], and the tangent is multiplied by E[phi-dot phi-dot']. */
  maps(tile: Tile): void;
};

/** What a layer of infinite width does to a tile. */
export type InfiniteRule = WeightRule | ElementwiseRule;

/** Memory for tiles. */
export type Workspace = {
  /** Room for so many numbers, uninitialised. */
  floats(length: number): Float64Array;
  /** {@link ElementwiseRule.maps} of ReLU. */
  relu(tile: Tile): void;
  /** tangent = gain tangent + A and cov = gain cov + offset. */
  weights(rule: WeightRule, tile: Tile): void;
  /** to [cols, rows] = from [rows, cols]^T. */
  transpose(from: Float64Array, to: Float64Array, rows: number, cols: number): void;
};

/** What assembly/duals.ts exports, by addresses. */
type Exports = {
  readonly memory: WebAssembly.Memory;
  relu(cov: number, tangent: number, rows: number, cols: number, var1: number, var2: number): void;
  weights(
    cov: number,
    tangent: number,
    count: number,
    gain: number,
    offset: number,
    gramGain: number,
    gramOffset: number,
  ): void;
  transpose(from: number, to: number, rows: number, cols: number): void;
};

const PAGE = 65_536;
const ALIGNMENT = 64;

/** Compiled on first use. Browsers compile on the main thread too, as the module is under 4 KB. */
let compiled: WebAssembly.Module | undefined;

/**
 * A workspace for arrays of these lengths, each called for once.
 * @throws RangeError when they do not fit into the 4 GB of WebAssembly.
 */
export function createWorkspace(lengths: readonly number[]): Workspace {
  compiled ??= new WebAssembly.Module(Uint8Array.from(atob(dualsWasm), (char) => char.charCodeAt(0)));
  const wasm = new WebAssembly.Instance(compiled).exports as Exports;
  const bytes = lengths.reduce((sum, length) => sum + aligned(length), 0);
  // The module itself has what memory there is. Growing would detach arrays, so it happens once.
  let free = wasm.memory.buffer.byteLength;
  wasm.memory.grow(Math.ceil(bytes / PAGE));
  const { buffer } = wasm.memory;
  const address = (array: Float64Array | undefined): number => {
    if (array === undefined) return 0;
    if (array.buffer !== buffer) throw new RangeError("tile: wanted arrays of its workspace, got others");
    return array.byteOffset;
  };
  return {
    floats(length) {
      const array = new Float64Array(buffer, free, length);
      free += aligned(length);
      return array;
    },
    relu({ cov, tangent, rows, cols, var1, var2 }) {
      wasm.relu(address(cov), address(tangent), rows, cols, address(var1), address(var2));
    },
    weights({ gain, offset, gramGain, gramOffset }, { cov, tangent, rows, cols }) {
      wasm.weights(address(cov), address(tangent), rows * cols, gain, offset, gramGain, gramOffset);
    },
    transpose(from, to, rows, cols) {
      wasm.transpose(address(from), address(to), rows, cols);
    },
  };
}

const aligned = (length: number): number => Math.ceil((8 * length) / ALIGNMENT) * ALIGNMENT;
