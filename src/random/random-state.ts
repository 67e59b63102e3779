/**
 * @file NumPy's legacy normals: `np.random.seed(seed)`, then `np.random.randn(...)` call after call, from a
 * WebAssembly kernel (assembly/normals.ts). The stream is MT19937 seeded by init_genrand, 53-bit uniforms and
 * Marsaglia's polar method (numpy/random/src/legacy/legacy-distributions.c, `legacy_gauss`), of unit variance.
 */
import { InputError } from "../error.ts";
import type { Floats } from "../linalg/matrix.ts";
import { normalsWasm } from "./normals.wasm.ts";

/** A stream of standard normals. */
export type RandomState = {
  /**
   * Fills `out` with the stream's next `out.length` normals and returns it. As in NumPy, the second normal of a
   * pair waits for the next call when the count is odd. Each normal is a float64; a Float32Array holds its
   * rounding, equal to `np.random.randn(n).astype(np.float32)`. In a Float64Array some 3% of the values differ from
   * NumPy's in the last place or two, as libm's logarithms differ.
   */
  readonly normalsInto: <T extends Floats>(out: T) => T;
};

/** What assembly/normals.ts exports; `first` and `count` in pairs of normals, `convert`'s result in bytes. */
type Kernel = {
  readonly memory: WebAssembly.Memory;
  readonly seed: (seed: number) => void;
  readonly refill: () => number;
  readonly convert: (first: number, count: number, double: boolean) => number;
};

/** Compiled on first use. Browsers compile on the main thread too, as the module is under 4 KB. */
let compiled: WebAssembly.Module | undefined;

function instance(): Kernel {
  compiled ??= new WebAssembly.Module(Uint8Array.from(atob(normalsWasm), (char) => char.charCodeAt(0)));
  return new WebAssembly.Instance(compiled).exports as Kernel;
}

/**
 * The stream that `np.random.seed(seed)` starts.
 * @throws InputError when `seed` is not an integer in 0..4294967295, the seeds that NumPy takes.
 */
export function randomState(seed: number): RandomState {
  if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff) {
    throw new InputError(`randomState: wanted an integer seed in 0..4294967295, got ${seed}`);
  }
  const kernel = instance();
  kernel.seed(seed);
  // The kernel keeps the attempts of its last refill; these count normals, two per kept attempt.
  let used = 0;
  let drawn = 0;

  const normalsInto = <T extends Floats>(out: T): T => {
    const double = out instanceof Float64Array;
    for (let done = 0; done < out.length;) {
      if (used === drawn) {
        drawn = 2 * kernel.refill();
        used = 0;
      }
      const count = Math.min(out.length - done, drawn - used);
      const first = used >>> 1;
      const start = kernel.convert(first, ((used + count + 1) >>> 1) - first, double);
      const skipped = (used & 1) * out.BYTES_PER_ELEMENT;
      const { buffer } = kernel.memory;
      out.set(
        double
          ? new Float64Array(buffer, start + skipped, count)
          : new Float32Array(buffer, start + skipped, count),
        done,
      );
      done += count;
      used += count;
    }
    return out;
  };
  return { normalsInto };
}
