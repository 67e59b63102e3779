/**
 * @file The plan of a run: what it chooses and what it refuses. Whether runs take the memory that it says: memory.test.ts.
 */
import { describe, expect, it } from "vitest";
import { InputError } from "../../src/error.ts";
import { parseBytes, sizeText } from "../../src/experiment/bytes.ts";
import { parseConfig } from "../../src/experiment/parse-config.ts";
import { planRun, type Plan } from "../../src/experiment/plan.ts";
import { FISHERS } from "../../src/fisher/index.ts";
import { mlp } from "../../src/network/mlp.ts";

const GB = 1e9;

/** The plan of MNIST's two classes with these options. */
function plan(options: Record<string, unknown>, limit: number): Plan {
  const config = parseConfig({ natural_gradient_type: "exact", ...options });
  const fisher = FISHERS.find(({ name }) => name === config.natural_gradient_type)!;
  const network = mlp(784, { depth: config.n_layers, width: config.width });
  const samples = { train: config.train_size, test: config.test_size };
  return planRun({ samples, network, fisher }, config, limit);
}

describe("planRun", () => {
  it("solves by a Gram while that fits, and by conjugate gradients beyond", () => {
    const options = { train_size: 30_000, kernel: "none" };
    expect(plan(options, 20 * GB).solver).toBe("gram");
    const small = plan(options, 6 * GB);
    expect(small.solver).toBe("cg");
    expect(small.bytes).toBeLessThan(6 * GB);
    expect(plan({ ...options, natural_gradient_type: "kfac", width: 64 }, 2000 * GB).solver).toBeUndefined();
  });

  it("sends fewer samples at a time through the network where that makes it fit", () => {
    const options = { train_size: 4000, solver: "cg", kernel: "none", preconditioner_rank: 10 };
    const whole = plan(options, 20 * GB);
    const tight = plan(options, whole.bytes - 1);
    expect(tight.tile).toBeLessThan(whole.tile);
    expect(tight.bytes).toBeLessThan(whole.bytes);
  });

  it("refuses what does not fit with its largest parts and what to try", () => {
    expect(() => plan({ train_size: 20_000, solver: "gram" }, 2 * GB)).toThrow(InputError);
    expect(() => plan({ train_size: 20_000, solver: "gram" }, 2 * GB)).toThrow(
      /^memory_limit: wanted a run within 2 GB, got one of 1\d\.?\d* GB \(prediction [\d.]+ GB, training [\d.]+ GB.*\)$/,
    );
  });

  it("knows all of MNIST to fit into 12 GB", () => {
    const { bytes, solver } = plan({ train_size: 60_000, test_size: 10_000, kernel: "none" }, 12 * GB);
    expect(solver).toBe("cg");
    expect(bytes).toBeGreaterThan(5 * GB);
  });

  it("grows with every size", () => {
    const base = { train_size: 500, width: 256, natural_gradient_type: "block_diagonal" };
    const { bytes, operations } = plan(base, 100 * GB);
    for (const more of [{ train_size: 1000 }, { width: 512 }, { n_layers: 4 }]) {
      const other = plan({ ...base, ...more }, 100 * GB);
      expect(other.bytes).toBeGreaterThan(bytes);
      expect(other.operations.network).toBeGreaterThan(operations.network);
    }
    expect(plan({ ...base, n_steps: 3 }, 100 * GB).operations.solves).toBeGreaterThan(operations.solves);
  });
});

describe("bytes", () => {
  it("are read as people write them", () => {
    for (const [text, bytes] of [
      ["6GB", 6e9],
      ["512 MiB", 512 * 2 ** 20],
      [".5gb", 5e8],
      ["1e9", 1e9],
      ["70b", 70],
    ] as const) {
      expect(parseBytes(text)).toBe(bytes);
    }
    for (const text of ["", "GB", "6 PB", "-1GB", "1,5GB"]) expect(parseBytes(text)).toBeUndefined();
    expect(sizeText(2.178e9)).toBe("2.18 GB");
    expect(sizeText(259e6)).toBe("259 MB");
  });
});
