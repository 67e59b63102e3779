/**
 * @file The normal form of small models: it computes what they do, the batch may be at any axis, weights are known by their use, and what cannot be is one
 * line.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InputError } from "../../../src/error.ts";
import { decodeOnnx } from "../../../src/onnx/decode.ts";
import { encodeOnnx } from "../../../src/onnx/encode.ts";
import type { OnnxModel, OnnxNode, Tensor } from "../../../src/onnx/model.ts";
import { normalise } from "../../../src/onnx/normal/normalise.ts";
import { floats, ints, mlpModel, model, node, value, wave } from "../models.ts";
import { opsOf, same, usesOf } from "./same.ts";

const scalar = (data: number): Tensor => floats([], data);
const axes = (...ints: number[]) => ({ axes: { ints } });
const one = { int: 1 };

/** A model on samples of this shape. */
const on = (
  shape: number[],
  nodes: OnnxNode[],
  initialisers: Record<string, Tensor> = {},
  rest: Partial<OnnxModel> = {},
): OnnxModel => model(nodes, initialisers, { inputs: [value("x", ["N", ...shape])], ...rest });

describe("weights", () => {
  it("are known by their use, wherever they are stored", async () => {
    expect(usesOf(await same(mlpModel()))).toEqual([
      "Dense kernel:a.weight bias:a.bias",
      "Dense kernel:b.weight bias:b.bias",
    ]);
    const constants = on(
      [3],
      [
        node("Constant", [], "W", { value: { tensor: wave(3, 4) } }),
        node("Constant", [], "shape", { value: { tensor: ints(4) } }),
        node("ConstantOfShape", ["shape"], "b", { value: { tensor: floats([1], 0.5) } }),
        node("MatMul", ["x", "W"], "u"),
        node("Add", ["b", "u"], "y"),
      ],
    );
    expect(usesOf(await same(constants))).toEqual(["Dense kernel:W bias:b"]);
  });

  it("are one parameter where they are used twice, also transposed by nodes", async () => {
    const tied = on(
      [4],
      [
        node("MatMul", ["x", "W"], "u"),
        node("Tanh", ["u"], "h"),
        node("Transpose", ["W"], "Wt"),
        node("MatMul", ["h", "Wt"], "v"),
        node("Gemm", ["v", "W"], "y"),
      ],
      { W: wave(4, 5) },
    );
    const graph = await same(tied);
    expect(graph.parameters.map(({ name }) => name)).toEqual(["W"]);
    expect(usesOf(graph)).toEqual(["Dense kernel:W", "Dense kernel:W", "Dense kernel:W"]);
  });

  it("with one bias in every use join it, and keep apart from different ones", async () => {
    const twice = (second: string) =>
      on(
        [3],
        [
          node("MatMul", ["x", "W"], "u"),
          node("Add", ["u", "b"], "v"),
          node("MatMul", ["v", "W"], "w"),
          node("Add", ["w", second], "y"),
        ],
        { W: wave(3, 3), b: wave(3), c: floats([3], 1, 2, 3) },
      );
    expect(usesOf(await same(twice("b")))).toEqual(["Dense kernel:W bias:b", "Dense kernel:W bias:b"]);
    expect(usesOf(await same(twice("c")))).toEqual([
      "Dense kernel:W",
      "Add bias:b",
      "Dense kernel:W",
      "Add bias:c",
    ]);
  });

  it("that are equal because they are fresh are not tied", async () => {
    const norm = (input: string, output: string) =>
      node("LayerNormalization", [input, "one", "zero"], output);
    const layers = (second: string) =>
      on(
        [4],
        [
          node("Gemm", ["x", "W", "zero"], "a"),
          norm("a", "b"),
          node("Gemm", ["b", second, "zero"], "c"),
          norm("c", "y"),
        ],
        {
          W: wave(4, 4),
          V: floats([4, 4], ...Array.from({ length: 16 }, (_, i) => Math.cos(i))),
          one: floats([4], 1, 1, 1, 1),
          zero: floats([4], 0, 0, 0, 0),
        },
      );
    const apart = await same(layers("V"));
    expect(apart.parameters).toHaveLength(2 + 6);
    expect(new Set(apart.parameters.map(({ name }) => name)).size).toBe(8);
    const recurrence = await same(layers("W"));
    expect(recurrence.parameters).toHaveLength(1 + 3);
  });

  it("are no masks, scales, or single numbers", async () => {
    const graph = await same(
      on(
        [2, 3],
        [
          node("Mul", ["x", "scale"], "a"),
          node("Add", ["a", "mask"], "b"),
          node("Softmax", ["b"], "c"),
          node("Sub", ["c", "mean"], "d"),
          node("Div", ["d", "deviation"], "y"),
        ],
        {
          scale: scalar(0.5),
          mask: floats([2, 3], 0, -Infinity, -Infinity, 0, 0, -Infinity),
          mean: wave(3),
          deviation: wave(3),
        },
      ),
    );
    expect(graph.parameters).toEqual([]);
    expect(opsOf(graph)).toEqual(["Mul", "Add", "Softmax", "Add", "Mul"]);
  });

  it("of which a part is used stay whole", async () => {
    const graph = await same(
      on([2, 3], [node("Slice", ["table", "from", "to"], "part"), node("Add", ["x", "part"], "y")], {
        table: wave(5, 3),
        from: ints(1),
        to: ints(3),
      }),
    );
    expect(usesOf(graph)).toEqual(["Parameter value:table"]);
    expect(graph.parameters[0]!.dims).toEqual([5, 3]);
  });
});

describe("what exporters take apart", () => {
  const layerNorm = (square: OnnxNode[], root: OnnxNode[]) => [
    node("ReduceMean", ["x"], "m", axes(-1)),
    node("Sub", ["x", "m"], "d"),
    ...square,
    node("ReduceMean", ["s"], "v", axes(-1)),
    node("Add", ["v", "epsilon"], "e"),
    node("Sqrt", ["e"], "r"),
    ...root,
    node("Mul", ["q", "gain"], "g"),
    node("Add", ["g", "shift"], "y"),
  ];
  const affine = { epsilon: scalar(1e-5), gain: wave(6), shift: wave(6), two: scalar(2), one: scalar(1) };
  it.each([
    ["Pow and Div", [node("Pow", ["d", "two"], "s")], [node("Div", ["d", "r"], "q")]],
    [
      "Mul and Reciprocal",
      [node("Mul", ["d", "d"], "s")],
      [node("Reciprocal", ["r"], "i"), node("Mul", ["i", "d"], "q")],
    ],
    ["1 / r", [node("Mul", ["d", "d"], "s")], [node("Div", ["one", "r"], "i"), node("Mul", ["d", "i"], "q")]],
  ])("is a layer normalisation by %s", async (_, square, root) => {
    const graph = await same(on([5, 6], layerNorm(square, root), affine, { opset: 13 }));
    expect(usesOf(graph)).toEqual(["LayerNormalization gain:gain shift:shift"]);
    expect(graph.nodes).toHaveLength(1);
    expect(graph.nodes[0]!.attributes).toEqual({ axis: 1, epsilon: 1e-5 });
  });

  const half = { half: scalar(0.5), root: scalar(Math.SQRT1_2), big: scalar(Math.SQRT2), one: scalar(1) };
  it.each([
    [
      "Erf",
      [
        node("Div", ["x", "big"], "a"),
        node("Erf", ["a"], "b"),
        node("Add", ["b", "one"], "c"),
        node("Mul", ["x", "c"], "d"),
        node("Mul", ["d", "half"], "y"),
      ],
      "none",
    ],
    [
      "Erf, halved first",
      [
        node("Mul", ["x", "root"], "a"),
        node("Erf", ["a"], "b"),
        node("Add", ["one", "b"], "c"),
        node("Mul", ["x", "half"], "d"),
        node("Mul", ["d", "c"], "y"),
      ],
      "none",
    ],
    [
      "Tanh",
      [
        node("Mul", ["x", "x"], "a"),
        node("Mul", ["a", "x"], "b"),
        node("Mul", ["b", "k"], "c"),
        node("Add", ["x", "c"], "d"),
        node("Mul", ["d", "s"], "e"),
        node("Tanh", ["e"], "f"),
        node("Add", ["f", "one"], "g"),
        node("Mul", ["x", "half"], "h"),
        node("Mul", ["h", "g"], "y"),
      ],
      "tanh",
    ],
  ])("is a Gelu by %s", async (_, nodes, approximate) => {
    const graph = await same(
      on([6], nodes, { ...half, k: scalar(0.044715), s: scalar(Math.sqrt(2 / Math.PI)) }),
    );
    expect(graph.nodes.map(({ op, attributes }) => [op, attributes])).toEqual([["Gelu", { approximate }]]);
  });

  it("is a Swish, an RMS normalisation, a softmax, a group normalisation", async () => {
    const swish = on([4], [node("Sigmoid", ["x"], "s"), node("Mul", ["x", "s"], "y")]);
    expect(opsOf(await same(swish))).toEqual(["Swish"]);
    const rms = on(
      [4],
      [
        node("Pow", ["x", "two"], "a"),
        node("ReduceMean", ["a"], "b", axes(-1)),
        node("Add", ["b", "e"], "c"),
        node("Sqrt", ["c"], "d"),
        node("Div", ["x", "d"], "f"),
        node("Mul", ["gain", "f"], "y"),
      ],
      { two: scalar(2), e: scalar(1e-6), gain: wave(4) },
      { opset: 13 },
    );
    expect(usesOf(await same(rms))).toEqual(["RMSNormalization gain:gain"]);
    const softmax = on(
      [4],
      [
        node("ReduceMax", ["x"], "m", axes(-1)),
        node("Sub", ["x", "m"], "d"),
        node("Exp", ["d"], "e"),
        node("ReduceSum", ["e", "last"], "s"),
        node("Div", ["e", "s"], "y"),
      ],
      { last: ints(-1) },
      { opset: 13 },
    );
    expect(opsOf(await same(softmax))).toEqual(["Softmax"]);
    const group = on(
      [6, 2, 2],
      [
        node("Reshape", ["x", "groups"], "a"),
        node("InstanceNormalization", ["a", "ones", "zeros"], "b"),
        node("Shape", ["x"], "whole"),
        node("Reshape", ["b", "whole"], "c"),
        node("Mul", ["c", "gain"], "d"),
        node("Add", ["d", "shift"], "y"),
      ],
      {
        groups: ints(0, 3, -1),
        ones: floats([3], 1, 1, 1),
        zeros: floats([3], 0, 0, 0),
        gain: wave(6, 1, 1),
        shift: wave(6, 1, 1),
      },
    );
    const graph = await same(group);
    expect(usesOf(graph)).toEqual(["GroupNormalization gain:gain shift:shift"]);
    expect(graph.nodes[0]!.attributes).toEqual({ groups: 3, epsilon: 1e-5 });
  });

  it("stays apart where it is something else", async () => {
    const nodes = [
      node("Mul", ["x", "root"], "a"),
      node("Erf", ["a"], "b"),
      node("Add", ["one", "b"], "c"),
      node("Mul", ["x", "c"], "y"),
    ];
    expect(opsOf(await same(on([6], nodes, half)))).toEqual(["Mul", "Erf", "Add", "Mul"]);
  });
});

describe("the batch", () => {
  it("travels through the axes of attention with the batch second", async () => {
    const heads = (from: string, to: string) => [
      node("Reshape", [from, "split"], `${to}1`),
      node("Transpose", [`${to}1`], to, { perm: { ints: [1, 0, 2] } }),
    ];
    const graph = await same(
      on(
        [5, 8],
        [
          node("Transpose", ["x"], "t", { perm: { ints: [1, 0, 2] } }), // [5, N, 8]
          node("MatMul", ["t", "W"], "q"),
          node("Shape", ["x"], "s"),
          node("Gather", ["s", "zero"], "n", { axis: { int: 0 } }),
          node("Mul", ["n", "two"], "n2"),
          node("Concat", ["five", "n2", "four"], "split", { axis: { int: 0 } }), // [5, 2N, 4]
          ...heads("q", "a"), // [2N, 5, 4]
          ...heads("t", "b"),
          node("Transpose", ["b"], "bt", { perm: { ints: [0, 2, 1] } }),
          node("MatMul", ["a", "bt"], "c"), // [2N, 5, 5]
          node("Softmax", ["c"], "p"),
          node("MatMul", ["p", "b"], "v"),
          node("Transpose", ["v"], "v1", { perm: { ints: [1, 0, 2] } }),
          node("Concat", ["five", "n", "eight"], "whole", { axis: { int: 0 } }),
          node("Reshape", ["v1", "whole"], "z"), // [5, N, 8]
          node("Add", ["z", "t"], "r"),
          node("Transpose", ["r"], "y", { perm: { ints: [1, 0, 2] } }),
        ],
        { W: wave(8, 8), zero: ints(0), two: ints(2), five: ints(5), four: ints(4), eight: ints(8) },
      ),
    );
    expect(opsOf(graph).filter((op) => op === "MatMul")).toHaveLength(2);
    expect(graph.output.shape).toEqual([5, 8]);
  });

  it("is followed through any Reshape and Transpose", async () => {
    const perms = fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(perms, { minLength: 1, maxLength: 3 }),
        fc.boolean(),
        async (turns, fixed) => {
          const nodes = turns.map((perm, i) =>
            node("Transpose", [i === 0 ? "x" : `v${i - 1}`], `v${i}`, { perm: { ints: perm } }),
          );
          const order = turns.reduce((axes, perm) => perm.map((axis) => axes[axis]!), [0, 1, 2, 3]);
          const back = [0, 1, 2, 3].map((axis) => order.indexOf(axis));
          const last = `v${turns.length - 1}`;
          nodes.push(
            node("Add", [last, last], "sum"),
            node("Transpose", ["sum"], "y", { perm: { ints: back } }),
          );
          await same(on([2, 3, 4], nodes, {}, { inputs: [value("x", [fixed ? 3 : "N", 2, 3, 4])] }));
        },
      ),
      { numRuns: 40 },
    );
  });

  it("may be fixed by the file, with shapes and first states in full", async () => {
    const graph = await same(
      on(
        [2, 3],
        [
          node("Reshape", ["x", "flat"], "a"), // [6, 3]
          node("MatMul", ["a", "W"], "b"),
          node("Reshape", ["b", "back"], "c"), // [3, 8]
          node("MatMul", ["state", "V"], "d"),
          node("Add", ["c", "d"], "y"),
        ],
        {
          flat: ints(6, 3),
          back: ints(3, -1),
          W: wave(3, 4),
          V: wave(2, 8),
          state: floats([3, 2], 1, 2, 1, 2, 1, 2),
        },
        { inputs: [value("x", [3, 2, 3])] },
      ),
    );
    expect(graph.output.shape).toEqual([8]);
  });

  it.each([
    ["Softmax", [node("Softmax", ["x"], "y", { axis: { int: 0 } })]],
    ["ReduceMean", [node("ReduceMean", ["x"], "y", axes(0))]],
    ["ReduceMean of all", [node("ReduceMean", ["x"], "y")]],
    [
      "MatMul",
      [node("Transpose", ["x"], "t"), node("MatMul", ["x", "t"], "u"), node("MatMul", ["u", "x"], "y")],
    ],
    ["Gather", [node("Gather", ["x", "first"], "y")]],
    ["Slice", [node("Slice", ["x", "from", "to"], "y")]],
    ["Concat", [node("Concat", ["x", "x"], "y", { axis: { int: 0 } })]],
  ])("is not mixed: %s", async (_, nodes) => {
    const bytes = encodeOnnx(on([3], nodes, { first: ints(0), from: ints(0), to: ints(1) }, { opset: 13 }));
    const error = await decodeOnnx(bytes)
      .then(normalise)
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(InputError);
    expect((error as InputError).message).toMatch(/wanted (samples that stay apart|samples along one axis)/);
  });
});

describe("forms of older opsets", () => {
  it.each([9, 11, 13, 18, 21])("opset %i", async (opset) => {
    const given = opset >= 13;
    const input = (name: string, values: number[], attribute: string) =>
      given
        ? { inputs: [name], attributes: {} }
        : { inputs: [], attributes: { [attribute]: { ints: values } } };
    const squeeze = input("a", [1], "axes");
    const split = input("s", [2, 4], "split");
    const sum = input("a", [1], "axes");
    const slice = opset >= 10 ? ["u", "from", "to", "a"] : ["u"];
    const sliced = opset >= 10 ? {} : { starts: { ints: [0] }, ends: { ints: [6] }, ...axes(1) };
    const clip = opset >= 11 ? ["v", "low", "high"] : ["v"];
    const clipped = opset >= 11 ? {} : { min: { float: -0.5 }, max: { float: 0.5 } };
    const pad = opset >= 11 ? ["c", "pads"] : ["c"];
    const padded = opset >= 11 ? {} : { pads: { ints: [0, 1, 0, 0] } };
    const graph = await same(
      on(
        [1, 7],
        [
          node("Squeeze", ["x", ...squeeze.inputs], "u", squeeze.attributes),
          node("Slice", slice, "v", sliced),
          node("Clip", clip, "w", clipped),
          node("Split", ["w", ...split.inputs], ["p", "q"], { axis: one, ...split.attributes }),
          node("Concat", ["q", "p"], "c", { axis: one }),
          node("Pad", pad, "d", padded),
          node("Dropout", ["d"], "e"),
          node("Unsqueeze", ["e", ...squeeze.inputs], "f", squeeze.attributes),
          node("ReduceSum", ["f", ...sum.inputs], "g", { keepdims: { int: 0 }, ...sum.attributes }),
          node("LogSoftmax", ["g"], "y", { axis: one }),
        ],
        {
          a: ints(1),
          s: ints(2, 4),
          from: ints(0),
          to: ints(6),
          low: scalar(-0.5),
          high: scalar(0.5),
          pads: ints(0, 1, 0, 0),
        },
        { opset },
      ),
    );
    expect(opsOf(graph)).toEqual([
      "Reshape",
      "Slice",
      "Clip",
      "Slice",
      "Slice",
      "Concat",
      "Pad",
      "LogSoftmax",
    ]);
  });

  it("have Softmax over all axes from one on before opset 13", async () => {
    const nodes = [node("Softmax", ["x"], "y", { axis: one })];
    expect(opsOf(await same(on([2, 3], nodes, {}, { opset: 12 })))).toEqual([
      "Reshape",
      "Softmax",
      "Reshape",
    ]);
    expect(opsOf(await same(on([2, 3], nodes, {}, { opset: 13 })))).toEqual(["Softmax"]);
    expect(opsOf(await same(on([3, 1, 1], nodes, {}, { opset: 9 })))).toEqual(["Softmax"]);
  });
});

describe("images", () => {
  const conv = (attributes: Parameters<typeof node>[3]) => node("Conv", ["x", "W", "b"], "u", attributes);
  it.each([
    [{ auto_pad: { string: "SAME_UPPER" }, strides: { ints: [2, 1] } }],
    [{ auto_pad: { string: "SAME_LOWER" }, strides: { ints: [1, 2] } }],
    [{ pads: { ints: [1, 0, 2, 1] }, dilations: { ints: [2, 1] } }],
  ])("through a convolution with %j", async (attributes) => {
    const nodes = [conv({ ...attributes, group: { int: 2 } }), node("Relu", ["u"], "y")];
    const graph = await same(on([4, 7, 6], nodes, { W: wave(6, 2, 3, 2), b: wave(6) }));
    expect(usesOf(graph)).toEqual(["Conv kernel:W bias:b"]);
  });

  it.each([
    ["MaxPool", { ceil_mode: one, strides: { ints: [2, 2] } }],
    ["MaxPool", { pads: { ints: [1, 0, 0, 1] } }],
    ["AveragePool", { ceil_mode: one, strides: { ints: [2, 3] } }],
    ["AveragePool", { pads: { ints: [1, 1, 1, 1] }, count_include_pad: one, strides: { ints: [2, 2] } }],
    ["AveragePool", { pads: { ints: [1, 0, 1, 0] } }],
  ])("through %s with %j", async (op, attributes) => {
    await same(on([2, 7, 6], [node(op, ["x"], "y", { kernel_shape: { ints: [3, 2] }, ...attributes })]));
  });

  it("through BatchNormalization for inference, whose statistics are no parameters", async () => {
    const nodes = [node("BatchNormalization", ["x", "g", "s", "m", "v"], "y")];
    const positive = floats([4], 0.5, 1, 2, 3);
    const graph = await same(on([4, 3, 2], nodes, { g: wave(4), s: wave(4), m: wave(4), v: positive }));
    expect(usesOf(graph)).toEqual(["BatchNormalization gain:g shift:s"]);
  });
});

describe("a model that cannot be", () => {
  const cases: [string, OnnxModel, RegExp][] = [
    [
      "has ops that are not known",
      on(
        [3],
        [
          node("NonMaxSuppression", ["x"], "a"),
          node("Relu", ["a"], "b"),
          node("com.microsoft.Fused", ["b"], "c"),
          node("GridSample", ["x", "c"], "y"),
        ],
      ),
      /^ops: wanted those that natgrad has \(docs\/onnx\.md\), got GridSample, NonMaxSuppression, com\.microsoft\.Fused$/,
    ],
    [
      "has two inputs",
      on([3], [node("Add", ["x", "z"], "y")], {}, { inputs: [value("x", ["N", 3]), value("z", ["N", 3])] }),
      /^inputs: wanted one, the batch of samples, got x, z$/,
    ],
    [
      "has no input",
      on([3], [node("Relu", ["w"], "y")], { w: wave(3) }),
      /^inputs: wanted one, the batch of samples, got none$/,
    ],
    [
      "has an open size",
      on([3], [node("Relu", ["x"], "y")], {}, { inputs: [value("x", ["N", "T"])] }),
      /^input x: wanted samples of a fixed size, \[N, \.\.\.\], got \[N, T\]$/,
    ],
    [
      "has two outputs",
      on(
        [3],
        [node("Relu", ["x"], "y"), node("Tanh", ["x"], "z")],
        {},
        { outputs: [value("y", undefined), value("z", undefined)] },
      ),
      /^output: wanted one of y, z, got none$/,
    ],
    [
      "is in training mode",
      on([2, 3], [node("BatchNormalization", ["x", "g", "g", "g", "g"], "y", { training_mode: one })], {
        g: wave(2),
      }),
      /^BatchNormalization BatchNormalization:y: wanted a model for inference, got training mode$/,
    ],
    [
      "drops out",
      on([3], [node("Dropout", ["x", "r", "t"], "y")], {
        r: scalar(0.5),
        t: { type: "bool", dims: [], data: Float64Array.of(1) },
      }),
      /^Dropout Dropout:y: wanted a model for inference, got training mode$/,
    ],
    [
      "uses the mask of a Dropout",
      on([3], [node("Dropout", ["x"], ["a", "m"]), node("Where", ["m", "a", "x"], "y")]),
      /^ops: wanted .*, got output 1 of Dropout$/,
    ],
    [
      "has a kernel that does not fit",
      on([3], [node("MatMul", ["x", "W"], "y")], { W: wave(4, 2) }),
      /^MatMul MatMul:y: wanted 4 inputs on the last axis, got \[N, 3\]$/,
    ],
    [
      "has shapes that do not broadcast",
      on([3], [node("Add", ["x", "b"], "y")], { b: wave(4) }),
      /^Add Add:y: wanted shapes that broadcast, got \[N, 3\] and \[4\]$/,
    ],
    [
      "has a Reshape to another size",
      on([3], [node("Reshape", ["x", "s"], "y")], { s: ints(-1, 4) }),
      /^Reshape Reshape:y: wanted a shape for \[1, 3\], got \[-1, 4\]$/,
    ],
    [
      "makes a huge constant",
      on([3], [node("ConstantOfShape", ["s"], "c"), node("Add", ["x", "c"], "y")], {
        s: ints(100_000, 100_000, 3),
      }),
      /^ConstantOfShape ConstantOfShape:c: wanted a shape of at most \d+ numbers, got \[100000, 100000, 3\]$/,
    ],
    [
      "makes a huge range",
      on([3], [node("Range", ["a", "b", "c"], "r"), node("Add", ["x", "r"], "y")], {
        a: scalar(0),
        b: scalar(1e12),
        c: scalar(1),
      }),
      /^Range Range:r: wanted a shape of at most \d+ numbers/,
    ],
    [
      "has an output of no samples",
      on([3], [node("Relu", ["x"], "z"), node("Shape", ["z"], "y")]),
      /^output y: wanted a value of the samples, got one that is the same for all$/,
    ],
    [
      "has an attribute of another type",
      on([3], [node("LeakyRelu", ["x"], "y", { alpha: one })]),
      /^LeakyRelu LeakyRelu:y, alpha: wanted float, got int$/,
    ],
    [
      "leaves out an input",
      on([3], [node("Add", ["x", ""], "y")]),
      /^Add Add:y: wanted 2 inputs, got none as number 2$/,
    ],
  ];
  it.each(cases)("because it %s", async (_, given, line) => {
    const error: unknown = await decodeOnnx(encodeOnnx(given))
      .then(normalise)
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(InputError);
    expect((error as InputError).message).toMatch(line);
  });

  it("whatever its bytes are, is an InputError or a normal form", async () => {
    const nodes = [
      node("Reshape", ["x", "s"], "a"),
      node("Conv", ["a", "W", "b"], "c", { pads: { ints: [1, 1] }, strides: { ints: [2] } }),
      node("Transpose", ["c"], "d", { perm: { ints: [0, 2, 1] } }),
      node("Slice", ["d", "from", "to", "axes"], "e"),
      node("MatMul", ["e", "V"], "f"),
      node("LayerNormalization", ["f", "g"], "h", { axis: { int: -1 } }),
      node("Concat", ["h", "h"], "i", { axis: { int: 2 } }),
      node("ReduceMean", ["i", "axes"], "y", { keepdims: { int: 0 } }),
    ];
    const initialisers = {
      s: ints(0, 2, -1),
      W: wave(4, 2, 3),
      b: wave(4),
      from: ints(0),
      to: ints(2),
      V: wave(4, 3),
      g: wave(3),
      axes: ints(1),
    };
    const good = encodeOnnx(on([10], nodes, initialisers));
    await same(on([10], nodes, initialisers));
    const edits = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(edits, async (changes) => {
        const bytes = good.slice();
        for (const [at, byte] of changes) bytes[at] = byte;
        const result: unknown = await decodeOnnx(bytes)
          .then(normalise)
          .catch((error: unknown) => error);
        if (result instanceof Error) expect(result).toBeInstanceOf(InputError);
      }),
      { numRuns: 500 },
    );
  });

  it("is read with sizes and an output of the caller", async () => {
    const open = on(
      [3],
      [node("Relu", ["x"], "y"), node("Tanh", ["x"], "z")],
      {},
      {
        inputs: [value("x", ["N", "T"])],
        outputs: [value("y", undefined), value("z", undefined)],
      },
    );
    expect(opsOf(await same(open, 2, { output: "z", sizes: { T: 4 } }))).toEqual(["Tanh"]);
  });
});
