import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InputError } from "../../src/error.ts";
import { aboutOption, configSchema, defaultOf, OPTIONS } from "../../src/experiment/config.ts";
import { parseConfig, parseFlags } from "../../src/experiment/parse-config.ts";
import { shown } from "../../src/experiment/shown.ts";
import { METHODS } from "../../src/experiment/options/training.ts";

const EXACT = { natural_gradient_type: "exact" };

/** The message of the InputError that `options` raise. */
const refused = (options: Record<string, unknown>): string => {
  try {
    parseFlags(options);
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    return (error as InputError).message;
  }
  return "nothing";
};

describe("parseConfig", () => {
  it("has the defaults of the paper's programs", () => {
    expect(parseConfig(EXACT)).toMatchObject({
      dataset: "mnist",
      n_classes: 2,
      loss_type: "mse",
      train_size: 100,
      test_size: 50,
      n_layers: 3,
      width: 4096,
      weight_variance: 2,
      bias_variance: 0,
      natural_gradient_type: "exact",
      n_steps: 2,
      damping: 0,
      save_dataset: false,
      save_dataset_dir: "./datasets",
      save_kernel: false,
      save_kernel_dir: "./kernels",
      save_init_weights: false,
      save_init_weights_dir: "./weights",
      random_seed: 1,
      forster_transform: false,
      forster_transform_n_iters: 100,
      forster_transform_tol: 1e-3,
    });
    // Theirs is 10, which is slow; a tile changes no result.
    expect(parseConfig(EXACT).kernel_batch_size).toBeUndefined();
  });

  it("takes the values of a program and the text of a command line alike", () => {
    const values = { ...EXACT, width: 64, damping: 1e-3, save_kernel: true, target_classes: [3, 8, 1] };
    const texts = { ...EXACT, width: "64", damping: "1E-3", save_kernel: "TRUE", target_classes: "3, 8,1" };
    expect(parseFlags(texts)).toEqual(parseConfig(values));
    expect(parseFlags({ ...texts, target_classes: ["3", "8,1"] })).toEqual(parseConfig(values));
    expect(parseConfig(values).n_classes).toBe(3);
  });

  it("takes groups of classes as lists and as sums", () => {
    const parse = (target_classes: unknown) => parseFlags({ ...EXACT, target_classes });
    const wanted = { target_classes: [[0, 2, 4], 7, [1, 3]], n_classes: 3 };
    for (const given of [
      [[0, 2, 4], [7], [1, 3]],
      "0+2+4,7,1 + 3",
      ["0+2+4", "7", "1+3"],
      ["0+2+4,7", "1+3"],
    ]) {
      expect(parse(given)).toMatchObject(wanted);
    }
  });

  it("lets no misspelt option and no text for a number through the compiler", () => {
    // @ts-expect-error: `tsc` refuses these lines, and says so when it no longer does.
    expect(() => parseConfig({ ...EXACT, widht: 5 })).toThrow(/^widht: wanted one of the options/);
    // @ts-expect-error: text is for parseFlags.
    expect(parseConfig({ ...EXACT, width: "64" }).width).toBe(64);
    // @ts-expect-error: no such data.
    expect(() => parseConfig({ ...EXACT, dataset: "mnits" })).toThrow(/^dataset: wanted one of/);
  });

  it("takes all for sizes, as Infinity", () => {
    const { train_size, test_size } = parseConfig({ ...EXACT, train_size: "all", test_size: Infinity });
    expect([train_size, test_size]).toEqual([Infinity, Infinity]);
  });

  it("reads back any number as it was written", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e30, noNaN: true }), (damping) => {
        expect(parseFlags({ ...EXACT, damping: String(damping) }).damping).toBe(damping);
      }),
    );
  });

  it("refuses any text that is no number, naming the option and the text", () => {
    const text = fc.string().filter((s) => !/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(s));
    fc.assert(
      fc.property(text, (width) => {
        const message = refused({ ...EXACT, width });
        expect(message).toMatch(/^width: wanted a whole number >= 1, got "/);
        expect(message).not.toContain("\n");
      }),
    );
  });

  it.each([
    [{ width: NaN }, "width: wanted a whole number >= 1, got NaN"],
    [{ width: Infinity }, "width: wanted a whole number >= 1, got Infinity"],
    [{ width: true }, "width: wanted a whole number >= 1, got true"],
    [{ width: null }, "width: wanted a whole number >= 1, got null"],
    [{ width: [64] }, "width: wanted a whole number >= 1, got 64"],
    [{ width: "" }, 'width: wanted a whole number >= 1, got ""'],
    [{ save_kernel: 1 }, "save_kernel: wanted true or false, got 1"],
    [{ dataset_path: "" }, 'dataset_path: wanted a path, got ""'],
    [{ train_size: 1.5 }, "train_size: wanted a whole number >= 1, or all, got 1.5"],
    [{ test_size: "1e999" }, 'test_size: wanted a whole number >= 1, or all, got "1e999"'],
    [{ test_size: NaN }, "test_size: wanted a whole number >= 1, or all, got NaN"],
    [
      { normalise: true },
      "normalise: wanted dataset_path beside it (other datasets are normalised), got normalise alone",
    ],
    [{ widht: 3 }, "widht: wanted one of the options of natgrad train, got an unknown name"],
  ])("refuses %o", (options, message) => {
    expect(refused({ ...EXACT, ...options })).toBe(message);
  });

  it.each([
    [[], "nothing"],
    [3, "3"],
    ["0+,1", '"0+,1"'],
    ["0++2,1", '"0++2,1"'],
    [["0+2", "+"], "0+2,+"],
    [[[0, 2], []], "0+2,[]"],
    [[[0, 2.5], 1], "0+2.5,1"],
    [[[0, -2], 1], "0+-2,1"],
    [[[[0], 2], 1], "0+2,1"],
  ])("refuses the classes %j", (target_classes, got) => {
    expect(refused({ ...EXACT, target_classes })).toBe(
      `target_classes: wanted whole numbers, as 3,8 or 3 8, or groups of them, as 0+2,1+3, got ${got}`,
    );
  });

  it("takes none for gradient descent, which needs a learning rate", () => {
    expect(
      parseConfig({ natural_gradient_type: "none", learning_rate: 1 }).natural_gradient_type,
    ).toBeUndefined();
    expect(refused({})).toMatch(/^learning_rate: /);
    expect(refused({ natural_gradient_type: "none" })).toMatch(/^learning_rate: /);
  });
});

describe("the schema", () => {
  it("describes every option", () => {
    for (const name of OPTIONS) {
      const { group, placeholder, description } = aboutOption(name);
      expect([name, group]).toEqual([name, expect.stringMatching(/^[A-Z][a-z]+$/)]);
      expect([name, placeholder]).toEqual([name, expect.stringMatching(/^(<\S+>|\[bool\])$/)]);
      expect([name, description]).toEqual([name, expect.stringMatching(/^\S.{3,}[^.]$/)]);
    }
  });

  it("has defaults that it takes itself", () => {
    for (const name of OPTIONS) {
      const initial = defaultOf(name);
      if (initial !== undefined && typeof initial !== "object")
        expect(configSchema.shape[name].safeParse(String(initial)).data).toBe(initial);
    }
  });

  it("names every method but gradient descent", () => {
    expect(METHODS).toEqual(
      expect.arrayContaining(["exact", "block_diagonal", "block_tri_diagonal", "kfac"]),
    );
    expect(METHODS).not.toContain("gradient");
  });
});

describe("shown", () => {
  it("is one line of at most 80 characters", () => {
    expect(shown("a\nb")).toBe('"a\\nb"');
    expect(shown("x".repeat(1000))).toHaveLength(80);
  });
});
