/** @file Methods, losses and activations of the user's own on the command line: modules that run, are named and told apart, and errors. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { natgrad } from "./terminal.ts";

const DATA = "--dataset synthetic --width 64 --train_size 12 --test_size 6 --threads 1";

const folder = mkdtempSync(join(tmpdir(), "natgrad-own-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Writes a module; its path. */
const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

const FISHER = `
/** Gradient descent over the mean eigenvalue of Theta / N. */
export const fisher = {
  name: "normalised", title: "gradient descent over the mean eigenvalue", needs: "ntk", curvature: "folded",
  alpha: () => 1,
  async prepare(kernel, damping) {
    const { data } = await kernel.diagonal();
    const [N, C] = [kernel.cols, kernel.outputs];
    let trace = 0;
    for (let i = 0; i < N * C; i++) trace += data[i * C + (i % C)] / N;
    const scale = 1 / (trace / (N * C) + damping);
    return {
      solve: async (r) => ({ kind: "per-sample", values: r.map((x) => (scale * x) / N) }),
      async onto(cross) {
        const theta = await cross.matrix({ shared: true });
        return (r) => Float64Array.from({ length: theta.rows }, (_, i) => {
          let sum = 0;
          for (let j = 0; j < theta.cols; j++) sum += theta.data[i * theta.cols + j] * r[j];
          return (scale * sum) / N;
        });
      },
    };
  },
  cost({ samples, outputs }) {
    const none = { kept: 8 * samples * outputs, peak: 8 * samples * outputs };
    return { prepare: none, solve: none, onto: () => none, operations: samples * outputs };
  },
};
`;

const LOSS = `
export const loss = {
  name: "log_cosh", title: "log cosh of the difference",
  outputs: () => 1,
  encode: (labels) => ({ rows: labels.length, cols: 1, data: Float64Array.from(labels, (c) => (c === 0 ? 1 : -1)) }),
  value: (f, y) => f.data.reduce((sum, x, i) => sum + Math.log(Math.cosh(x - y.data[i])), 0) / f.rows,
  residual: (f, y) => ({ rows: f.rows, cols: f.cols, data: f.data.map((x, i) => Math.tanh(x - y.data[i])) }),
  curvature(f, y) {
    const values = f.data.map((x, i) => 1 / Math.cosh(x - y.data[i]));
    const residual = f.data.map((x, i) => Math.tanh(x - y.data[i]) / values[i]);
    return { factor: { samples: f.rows, outputs: 1, columns: 1, values, rank: 1 }, residual };
  },
};
`;

/** A parabola plus a line; its duals are exact. */
const ACTIVATION = (square: number): string => `
export const activation = {
  name: "bend",
  value: (g, u) => g.node("Add", [u, g.node("Mul", [g.node("Mul", [u, u]), g.constant([${square}])])]),
  derivative: (g, u) => g.node("Add", [g.node("Mul", [u, g.constant([${2 * square}])]), g.constant([1])]),
  slope: (u) => 1 + ${2 * square} * u,
  dual: (k, p, q) => k + ${square} ** 2 * (p * q + 2 * k * k),
  dualDerivative: (k) => 1 + 4 * ${square} ** 2 * k,
};
`;

const fisher = file("fisher.mjs", FISHER);
const loss = file("loss.mjs", LOSS);
const bend = file("bend.mjs", ACTIVATION(0.25));

const parse = (stdout: string): Record<string, unknown>[] =>
  stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

const digest: unknown = expect.stringMatching(/^[0-9a-f]{64}$/);

describe("natgrad train", () => {
  it("takes a method, a loss and an activation from modules, and trains as it predicts", async () => {
    const { exitCode, stdout, stderr } = await natgrad(
      `train ${DATA} --format jsonl --precision float64 --kernel both --damping 1e-3 --n_steps 6 --lr_factor 0.3`,
      `--natural_gradient_type ${fisher} --loss_type ${loss} --activation ${bend} --weight_variance 1 --width 512`,
    );
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    const [config, ...rest] = parse(stdout);
    expect(config).toMatchObject({
      natural_gradient_type: "normalised",
      loss_type: "log_cosh",
      activation: "bend",
      modules: {
        natural_gradient_type: { file: fisher, sha256: digest },
        loss_type: { file: loss, sha256: digest },
        activation: { file: bend, sha256: digest },
      },
    });
    expect(config).not.toHaveProperty("own");
    const steps = rest.filter(({ event }) => event === "step") as unknown as {
      train_loss: number;
      predict_empirical: { train_loss: number };
    }[];
    expect(steps).toHaveLength(7);
    expect(steps[6]!.train_loss).toBeLessThan(steps[0]!.train_loss);
    const { train_loss, predict_empirical } = steps[6]!;
    expect(Math.abs(predict_empirical.train_loss / train_loss - 1)).toBeLessThan(0.1);
  });

  it("prints names with their files in the table", async () => {
    const { stdout } = await natgrad(`train ${DATA} --natural_gradient_type ${fisher} --n_steps 0`);
    expect(stdout).toContain(`natural_gradient_type: normalised (${fisher})\n`);
    expect(stdout).toContain("\nloss_type: mse\n");
  });

  it("reads CommonJS and TypeScript", async () => {
    const common = file("fisher.cjs", FISHER.replace("export const fisher =", "exports.fisher ="));
    const typed = file("fisher.ts", FISHER.replace("(kernel, damping)", "(kernel: any, damping: number)"));
    for (const path of [common, typed]) {
      const { exitCode, stderr } = await natgrad(`train ${DATA} --natural_gradient_type ${path} --n_steps 0`);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    }
  });

  it("tells a saved kernel of a changed module from one of this", async () => {
    const kernels = join(folder, "kernels");
    const flags = "--natural_gradient_type exact --damping 1e-3 --n_steps 0";
    const changing = file("changing.mjs", ACTIVATION(0.25));
    await natgrad(
      `train ${DATA} ${flags} --activation ${changing} --save_kernel --save_kernel_dir ${kernels}`,
    );
    const [name] = readdirSync(kernels);
    expect(name).toMatch(/_bend-[0-9a-f]{8}\.npz$/);
    const again = `train ${DATA} ${flags} --activation ${changing} --kernel_path ${join(kernels, name!)}`;
    expect((await natgrad(again)).exitCode).toBe(0);
    file("changing.mjs", ACTIVATION(0.5));
    const { exitCode, stderr } = await natgrad(again);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(
      /^natgrad: kernel_path: wanted a kernel of activation bend \(module [0-9a-f]{12}\), got one of activation bend \(module [0-9a-f]{12}\) \(/,
    );
  });

  it("plans with what a method says that it takes", async () => {
    const greedy = file("greedy.mjs", FISHER.replace("prepare: none", "prepare: { kept: 2e9, peak: 3e9 }"));
    const { exitCode, stderr } = await natgrad(
      `train ${DATA} --natural_gradient_type ${greedy} --memory_limit 1GB`,
    );
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^natgrad: memory_limit: wanted a run within 1 GB, got one of 5\.\d* GB/);
  });
});

describe("the module in docs/extending.md", () => {
  it("trains as the page has it", async () => {
    const page = readFileSync(new URL("../../docs/extending.md", import.meta.url), "utf8");
    const [, code] = /With this file as `sine\.mjs`,\n\n```js\n([^]*?)```/.exec(page)!;
    const [, flags] = /`natgrad (train [^`]*--activation) \.\/sine\.mjs`/.exec(page)!;
    const { exitCode, stdout } = await natgrad(`${flags} ${file("sine.mjs", code!)} ${DATA} --n_steps 1`);
    expect(exitCode).toBe(0);
    expect(stdout).toContain("activation: sine (");
  });
});

describe("natgrad kernel", () => {
  it("looks at a method of a module under a loss of one", async () => {
    const { exitCode, stdout } = await natgrad(
      `kernel ${DATA} --format jsonl --natural_gradient_type ${fisher} --loss_type ${loss} --activation ${bend}`,
    );
    expect(exitCode).toBe(0);
    const events = parse(stdout);
    expect(events[0]).toMatchObject({
      methods: ["normalised"],
      loss_type: "log_cosh",
      modules: { natural_gradient_type: { file: fisher } },
    });
    const measured = events.filter(({ event }) => event === "method");
    expect(measured).toHaveLength(2);
    for (const { alpha } of measured) expect(alpha as number).toBeGreaterThan(0.3);
  });

  it("names the module in its table", async () => {
    const { stdout } = await natgrad(`kernel ${DATA} --natural_gradient_type ${fisher} --activation ${bend}`);
    expect(stdout).toContain(`activation: bend (${bend})\n`);
    expect(stdout).toContain(`methods: normalised (${fisher})\n`);
  });
});

describe("a module that cannot be used", () => {
  const refusal = async (flags: string): Promise<string> => {
    const { exitCode, stdout, stderr } = await natgrad(`train ${DATA} ${flags}`);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toMatch(/^natgrad: [^\n]+\n$/);
    return stderr.slice("natgrad: ".length, -1);
  };
  const fisherOf = (name: string, text: string): string => `--natural_gradient_type ${file(name, text)}`;

  it.each([
    [
      "no file",
      () => "--natural_gradient_type ./none.mjs",
      /^natural_gradient_type: wanted a module that can be read, got "\.\/none\.mjs" \(ENOENT\)$/,
    ],
    [
      "a folder",
      () => `--activation ${folder}`,
      /^activation: wanted a module that can be read, got ".*" \(EISDIR\)$/,
    ],
    [
      "a device",
      () => "--activation /dev/zero",
      /^activation: wanted a module that can be read, got "\/dev\/zero" \(a device\)$/,
    ],
    [
      "null in place of an error on import",
      () => fisherOf("throws-null.mjs", "throw null;"),
      /^natural_gradient_type: wanted a module that can be imported, got ".*throws-null\.mjs" \(null\)$/,
    ],
    [
      "another export",
      () => `--natural_gradient_type ${loss}`,
      /^natural_gradient_type: wanted a module that exports fisher, got one that exports loss \(.*loss\.mjs\)$/,
    ],
    [
      "no export",
      () => fisherOf("empty.mjs", "const a = 1;"),
      /^natural_gradient_type: wanted a module that exports fisher, got one that exports nothing/,
    ],
    [
      "no object",
      () => fisherOf("number.mjs", "export const fisher = 3;"),
      /^natural_gradient_type: wanted an object with name, title, needs, .* of fisher in .*number\.mjs, got 3$/,
    ],
    [
      "a missing field",
      () => fisherOf("missing.mjs", FISHER.replace("async prepare", "async prepared")),
      /^natural_gradient_type: wanted a function as prepare of fisher in .*missing\.mjs, got nothing$/,
    ],
    [
      "a field of another type",
      () => fisherOf("type.mjs", FISHER.replace('needs: "ntk"', 'needs: "theta"')),
      /^natural_gradient_type: wanted one of ntk, blocks, .* as needs of fisher in .*, got "theta"$/,
    ],
    [
      "a share above 1",
      () =>
        `--activation ${file("share.mjs", ACTIVATION(1).replace('name: "bend",', 'name: "bend", activeShare: 2,'))}`,
      /^activation: wanted a number above 0 and at most 1 or nothing as activeShare of activation in .*, got 2$/,
    ],
    [
      "an error on import",
      () => fisherOf("throws.mjs", 'throw new Error("no\\nluck");'),
      /^natural_gradient_type: wanted a module that can be imported, got ".*throws\.mjs" \(no luck\)$/,
    ],
    ["no error on import", () => fisherOf("throws-text.mjs", 'throw "luck";'), /\(luck\)$/],
    [
      "what it imports missing",
      () => fisherOf("imports.mjs", 'import "./nowhere.mjs";'),
      /^natural_gradient_type: wanted a module that can be imported, got /,
    ],
    [
      "an error of a method",
      () => fisherOf("fails.mjs", FISHER.replace("const { data } =", "null.x; const { data } =")),
      /^natural_gradient_type normalised, prepare: wanted a result, got the error "Cannot read properties of null/,
    ],
    [
      "an error of another copy of natgrad",
      () =>
        fisherOf(
          "copy.mjs",
          FISHER.replace(
            "const { data } =",
            'throw Object.assign(new Error("x"), { name: "SingularGramError", what: "mine", size: 3, rank: 2, condition: 1e9 }); const { data } =',
          ),
        ),
      /^mine: wanted an invertible Gram, got 3 x 3 of rank 2/,
    ],
  ])("is refused for %s in one line", async (_, flags, wanted) => {
    const method = flags().includes("natural_gradient_type") ? "" : "--natural_gradient_type exact ";
    expect(await refusal(method + flags())).toMatch(wanted);
  });

  it("is a syntax error in one line too", async () => {
    expect(await refusal(fisherOf("syntax.mjs", "export const = 1;"))).toMatch(
      /^natural_gradient_type: wanted a module that can be imported, got /,
    );
  });
});
