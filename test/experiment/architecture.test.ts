/** @file Networks by name and from layers: what they are made of, and where what is wrong is found. */
import {
  mkdirSync,
  symlinkSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { buildNetwork } from "../../src/experiment/architecture/architecture.ts";
import { describeNetwork } from "../../src/experiment/architecture/describe.ts";
import type { Ends } from "../../src/experiment/architecture/named.ts";
import type { ConfigOptions } from "../../src/experiment/config.ts";
import { parseConfig, parseFlags } from "../../src/experiment/parse-config.ts";

const folder = mkdtempSync(join(tmpdir(), "natgrad-architecture-"));
afterAll(() => rmSync(folder, { recursive: true }));

const EXACT = { natural_gradient_type: "exact" } as const;
const IMAGES: Ends = { inputs: 192, sample: { shape: [8, 8, 3] }, outputs: 2 };

/** A file of this content. */
function fileOf(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** The network of options, and what is printed of it. */
function made(options: ConfigOptions, ends: Ends = IMAGES) {
  const config = parseConfig({ ...EXACT, ...options });
  const network = buildNetwork(config, ends);
  return { config, network, text: describeNetwork(config, network) };
}

/** The layers of a list between images and two outputs. */
const layersOf = (...layers: unknown[]) => made({ architecture: { layers } }).text.layers;

/** The message for a list of layers. */
const refusal = (...layers: unknown[]): string => {
  try {
    layersOf(...layers);
  } catch (error) {
    return (error as Error).message;
  }
  return "nothing refused";
};

describe("a network with a name", () => {
  it("is the mlp by default, on flat samples, and prints its widths", () => {
    const { config, network, text } = made({ width: 16 });
    expect(config).toMatchObject({ architecture: "mlp", n_layers: 3, kernel: "analytic" });
    expect(network.shapes[0]).toEqual([192]);
    expect(text).toEqual({ widths: [192, 16, 16, 2] });
  });

  it.each([
    ["cnn", 5, 64],
    ["myrtle", 5, 64],
    ["resnet", 10, 32],
    ["transformer", 2, 64],
  ] as const)("%s has sizes of its own, which options change", (architecture, n_layers, width) => {
    expect(made({ architecture }).config).toMatchObject({ n_layers, width, kernel: "auto" });
    expect(made({ architecture, width: 4 }).network.blocks.at(-1)!.fanIn % 4).toBe(0);
    expect(made({ architecture }).config.activation).toBe(architecture === "transformer" ? "gelu" : "relu");
  });

  it("takes activation, variances and parameterisation", () => {
    const { network } = made({
      architecture: "cnn",
      activation: "erf",
      bias_variance: 0.5,
      parameterization: "standard",
    });
    expect(network.nodes[1]!.op.name).toBe("erf");
    expect(network.blocks[0]).toMatchObject({ columns: 28, scales: { weight: 1, biasStd: Math.SQRT1_2 } });
  });

  it("is ResNet-18 or wide by the number of its layers", () => {
    expect(made({ architecture: "resnet", n_layers: 18, width: 2 }).network.blocks.length).toBe(21);
    expect(made({ architecture: "resnet", n_layers: 16, width: 2 }).network.blocks.length).toBe(17);
  });

  it("begins with images however they are stored", () => {
    const ends = { inputs: 192, outputs: 2 };
    const first = made(
      { architecture: "cnn" },
      { ...ends, sample: { shape: [3, 8, 8], channelsFirst: true } },
    );
    expect(first.text.layers!.slice(0, 2)).toEqual(["input [3, 8, 8]", "transpose(1, 2, 0) [8, 8, 3]"]);
    const grey = made({ architecture: "cnn" }, { ...ends, sample: { shape: [12, 16] } });
    expect(grey.text.layers![1]).toBe("reshape(12, 16, 1) [12, 16, 1]");
    expect(() => made({ architecture: "cnn" }, ends)).toThrow(
      "architecture: cnn: wanted images [height, width, channels], got samples [192]",
    );
  });

  it.each<[ConfigOptions, string]>([
    [
      { architecture: "vgg" as never },
      'architecture: wanted one of mlp, cnn, myrtle, resnet, transformer, or a file of layers (.json, .yaml), got "vgg"',
    ],
    [
      { architecture: "cnn", n_layers: 1 },
      "n_layers: wanted a whole number >= 2 for architecture cnn, got 1",
    ],
    [{ architecture: "myrtle", n_layers: 6 }, "n_layers: wanted 5, 7 or 10 for architecture myrtle, got 6"],
    [
      { architecture: "resnet", n_layers: 12 },
      "n_layers: wanted 18, or 6 n + 4 for a wide one (10, 16, 22, 28, ...) for architecture resnet, got 12",
    ],
    [
      { architecture: "cnn", prng: "jax" },
      "prng: wanted numpy beside another architecture than mlp (jax is a stream of dense layers), got jax",
    ],
    [
      { sample_shape: [4, 4], dataset_path: "x.npz" },
      "sample_shape: wanted another architecture than mlp beside it (an mlp takes a sample as a list of numbers), got mlp",
    ],
    [
      { architecture: "cnn", channels_first: true },
      "channels_first: wanted dataset_path beside it (other datasets know their samples), got channels_first alone",
    ],
  ])("refuses %j in one line", (options, message) => {
    expect(() => parseConfig({ ...EXACT, ...options })).toThrow(message);
  });
});

describe("layers of a file", () => {
  it("are the same in YAML and JSON, with layers: or without", () => {
    const layers = [{ conv: { channels: 4, size: 3 } }, "relu", "global_average_pool"];
    const wanted = layersOf(...layers);
    const yaml = "- conv: {channels: 4, size: 3}\n- relu\n- global_average_pool\n";
    for (const [name, content] of [
      ["a.json", JSON.stringify({ layers })],
      ["b.json", JSON.stringify(layers)],
      ["a.yaml", `# a comment\nlayers:\n${yaml.replaceAll(/^/gm, "  ").trimEnd()}\n`],
      ["b.yml", yaml],
    ] as const) {
      const path = fileOf(name, content);
      const { config, text } = made({ architecture: path });
      expect(text.layers).toEqual(wanted);
      expect(config.architecture).toEqual({ file: path, layers });
    }
  });

  it("make the outputs themselves where the last one is dense, else a dense layer is added", () => {
    const wanted = ["input [8, 8, 3]", "flatten [192]", "dense(2) [2]"];
    expect(layersOf("flatten")).toEqual(wanted);
    expect(layersOf("flatten", "dense")).toEqual(wanted);
    expect(layersOf("flatten", { dense: 2 })).toEqual(wanted);
    expect(layersOf("flatten", { dense: { width: 2 } })).toEqual(wanted);
    expect(refusal("flatten", { dense: 10 })).toBe(
      "layers[1].dense.width: wanted 2 (the outputs of this loss and these classes), got 10",
    );
    expect(refusal("relu")).toBe(
      "layers[0]: wanted values of one axis before the outputs (flatten, or a global pool), got [8, 8, 3]",
    );
  });

  it("may hold layers, and aliases of YAML stand for them", () => {
    const path = fileOf(
      "aliases.yaml",
      "- conv: {channels: 3, size: 3, padding: same}\n" +
        "- residual: &block [relu, conv: {channels: 3, size: 3, padding: same}]\n" +
        "- residual: *block\n" +
        "- parallel: [[], [relu], relu]\n" +
        "- flatten\n",
    );
    const { text, network } = made({ architecture: path });
    expect(text.layers!.filter((name) => name === "sum").length).toBe(3);
    expect(network.blocks.length).toBe(4);
  });

  it("join branches by a sum, side by side or as a product", () => {
    const joined = (join?: string) =>
      layersOf("flatten", { parallel: { branches: [["relu"], []], ...(join ? { join } : {}) } });
    expect([undefined, "sum", "concatenate", "multiply"].map((join) => joined(join)!.at(-2))).toEqual([
      "sum",
      "sum",
      "concatenate [384]",
      "mul",
    ]);
    expect(refusal({ parallel: { branches: [[], []], join: "max" } })).toBe(
      'layers[0].parallel.join: wanted one of sum, concatenate, multiply, got "max"',
    );
    expect(refusal({ parallel: { branches: [[], []], jion: "sum" } })).toMatch(
      /^layers\[0\]\.parallel: wanted one of branches, join, got "jion"$/,
    );
  });

  it.each([
    [["flatten", "layer_norm"], 2],
    [["flatten", { rms_norm: { gain: false } }], 1],
    [[{ group_norm: 3 }, "instance_norm", "global_max_pool"], 3],
    [[{ reshape: [64, 3] }, { attention: { heads: 1, width: 4, causal: true } }, "global_average_pool"], 5],
    [
      [
        { reshape: [64, 3] },
        { shift: [64, 3] },
        { gain: { shape: [3], deviation: 1 } },
        "softmax",
        "global_sum_pool",
      ],
      3,
    ],
    [
      [
        { average_pool: { size: 3, stride: 1, padding: "same", count_padding: false } },
        { sum_pool: 2 },
        { max_pool: [2, 1] },
        "flatten",
      ],
      1,
    ],
    [["flatten", { embedding: { vocabulary: 7, width: 3 } }, "global_average_pool"], 2],
  ] as const)("%j have %i blocks with the outputs", (layers, count) => {
    expect(made({ architecture: { layers: [...layers] } }).network.blocks.length).toBe(count);
  });

  it("have the variances of the options where they say none", () => {
    const architecture = { layers: ["flatten", { dense: { width: 4, bias_variance: 0 } }, "relu"] };
    const { blocks } = made({ architecture, weight_variance: 1, bias_variance: 0.5 }).network;
    expect(blocks.map(({ columns, fanIn }) => columns - fanIn)).toEqual([0, 1]);
    expect(blocks[0]!.scales.weight).toBeCloseTo(1 / Math.sqrt(192), 12);
  });

  it("take channels that are first to the end", () => {
    const { text } = made(
      { architecture: { layers: ["global_average_pool"] } },
      { inputs: 192, outputs: 2, sample: { shape: [3, 8, 8], channelsFirst: true } },
    );
    expect(text.layers!.slice(1, 3)).toEqual(["transpose(1, 2, 0) [8, 8, 3]", "globalAveragePool [3]"]);
  });

  it.each([
    [
      [{ conv: { channels: 64, size: "a" } }],
      'layers[0].conv.size: wanted a whole number >= 1, or a list of them, got "a"',
    ],
    [
      [{ conv: { channels: 64, sise: 3, size: 3 } }],
      /^layers\[0\]\.conv: wanted one of channels, size, .*, got "sise"$/,
    ],
    [[{ conv: { size: 3 } }], "layers[0].conv.channels: wanted a whole number >= 1, got nothing"],
    [["relu", "convolve"], /^layers\[1\]: wanted one of dense, conv, .*, sequence, got "convolve"$/],
    [[{ relu: { slope: 1 } }], 'layers[0].relu: wanted no options, got "slope"'],
    [[{ relu: 3 }], "layers[0].relu: wanted no options, got 3"],
    [[{ conv: 3 }], "layers[0].conv: wanted options by name, got 3"],
    [
      [{ dense: { width: 3 }, relu: null }],
      /^layers\[0\]: wanted the name of a layer, or one name .*, got an object with dense, relu$/,
    ],
    [
      ["relu", { residual: ["relu", { dense: { width: -1 } }] }],
      "layers[1].residual[1].dense.width: wanted a whole number >= 1, got -1",
    ],
    [[{ residual: "relu" }], 'layers[0].residual: wanted a list of layers, got "relu"'],
    [[{ parallel: ["relu"] }], "layers[0].parallel: wanted a list of two branches or more, got a list"],
    [
      [{ parallel: [["relu"], [7]] }],
      /^layers\[0\]\.parallel\[1\]\[0\]: wanted the name of a layer.*, got 7$/,
    ],
    [[], "layers: wanted one layer or more, got an empty list"],
    // Shapes that do not fit.
    [
      [{ conv: { channels: 4, size: 9 } }, "flatten"],
      "layers[0].conv: wanted 9 positions or more on an axis, got 8",
    ],
    [
      ["flatten", { residual: [{ dense: 4 }] }],
      /^layers\[1\]\.residual: wanted values \[4\], got values \[192\]$/,
    ],
    [
      ["flatten", { sequence: ["relu", { reshape: [5] }] }],
      "layers[1].sequence[1].reshape: wanted 5 numbers per sample, got 192 numbers per sample",
    ],
  ] as const)("%j are refused with their place", (layers, message) => {
    if (typeof message === "string") expect(refusal(...layers)).toBe(message);
    else expect(refusal(...layers)).toMatch(message);
  });

  it.each([
    ["none.yaml", undefined, /none\.yaml: wanted a file of layers, got ENOENT$/],
    ["torn.json", '{"layers": [', /torn\.json: wanted JSON, got .*JSON/],
    ["torn.yaml", "layers: [relu", /torn\.yaml: wanted YAML, got .* at line 1, column/],
    ["text.yaml", "relu", /text\.yaml: wanted a list of layers, or layers: and a list, got "relu"$/],
    ["empty.yaml", "", /empty\.yaml: wanted a list of layers, or layers: and a list, got nothing$/],
    ["object.yaml", "layers: relu", /object\.yaml: layers: wanted a list, got "relu"$/],
    [
      "deep.json",
      `["flatten",${'{"residual":['.repeat(20_000)}"relu"${"]}".repeat(20_000)}]`,
      /^layers: wanted lists at most 100 deep, got deeper ones$/,
    ],
    [
      "bomb.yaml",
      "a: &a [relu, relu]\n" +
        ["b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p"]
          .map((name, i) => `${name}: &${name} [*${"abcdefghijklmno"[i]}, *${"abcdefghijklmno"[i]}]\n`)
          .join("") +
        "layers: *p\n",
      /bomb\.yaml: wanted YAML, got Excessive alias count/,
    ],
    ["twice.yaml", "layers: [relu]\nlayers: [relu]", /twice\.yaml: wanted YAML, got Map keys must be unique/],
    ["more.yaml", "layers: [relu]\nwidth: 3", /more\.yaml: wanted layers alone, got width$/],
    [
      "place.yaml",
      "- relu\n- {dense: {width: 0}}",
      /place\.yaml: layers\[1\]\.dense\.width: wanted a whole number >= 1, got 0$/,
    ],
  ])("%s is refused with its name", (name, content, message) => {
    const path = content === undefined ? join(folder, name) : fileOf(name, content);
    expect(() => parseFlags({ ...EXACT, architecture: path })).toThrow(message);
  });

  it("are read with a byte order mark, and only from plain files", () => {
    const marked = fileOf("marked.yaml", "\uFEFF- flatten\n");
    expect(() => parseFlags({ ...EXACT, architecture: marked })).not.toThrow();
    const inFolder = join(folder, "folder.yaml");
    mkdirSync(inFolder);
    expect(() => parseFlags({ ...EXACT, architecture: inFolder })).toThrow(
      /folder\.yaml: wanted a file of layers, got EISDIR$/,
    );
    if (process.platform === "win32") return;
    const endless = join(folder, "endless.yaml");
    symlinkSync("/dev/zero", endless);
    expect(() => parseFlags({ ...EXACT, architecture: endless })).toThrow(
      /endless\.yaml: wanted a file of layers, got a device$/,
    );
  });

  it("say what options say of other networks", () => {
    const architecture = fileOf("plain.yaml", "[flatten]");
    for (const [name, value] of [
      ["n_layers", 3],
      ["width", 64],
      ["activation", "erf"],
    ] as const) {
      expect(() => parseFlags({ ...EXACT, architecture, [name]: value })).toThrow(
        `${name}: wanted none beside layers of a file (they say it), got ${value}`,
      );
    }
    expect(() => parseFlags({ ...EXACT, architecture, parameterization: "mup" })).toThrow(
      "parameterization: wanted ntk or standard beside layers of a file, got mup",
    );
  });
});

describe("the examples", () => {
  const examples = new URL("../../examples/architectures/", import.meta.url);
  it.each(readdirSync(examples))("%s is a network", (name) => {
    const path = new URL(name, examples);
    const isOnImages = readFileSync(path, "utf8").includes("conv");
    const ends = {
      outputs: 2,
      ...(isOnImages ? { inputs: 784, sample: { shape: [28, 28, 1] } } : { inputs: 32 }),
    };
    expect(made({ architecture: path.pathname }, ends).network.outputs).toBe(2);
  });
});
