/**
 * @file What ops refuse: name, what is wrong, the call, and its message.
 */
import * as natgrad from "../../src/entry/network.ts";

/** Ops that take nothing, or nothing that could be wrong. */
export const SAFE_OPS = ["abs", "exp", "log", "neg", "reciprocal", "sqrt", "sequence", "residual"];

const short = { shape: [2], data: [1] };

/** See library.test.ts. */
export const OP_REFUSALS: readonly (readonly [string, string, () => unknown, RegExp])[] = [
  [
    "createBuilder",
    "no inputs",
    () => natgrad.createBuilder(0),
    /^inputs: wanted a whole number >= 1, got 0$/,
  ],
  [
    "cnn",
    "no image",
    () => natgrad.cnn([4]),
    /^cnn: wanted images \[height, width, channels\], got samples \[4\]$/,
  ],
  ["cnn", "no convolution", () => natgrad.cnn([4, 4, 1], { depth: 1 }), /^depth: wanted a whole number >= 2/],
  [
    "cnn",
    "strides of another depth",
    () => natgrad.cnn([4, 4, 1], { strides: [1] }),
    /^strides: wanted 4 \(one/,
  ],
  [
    "myrtle",
    "another depth",
    () => natgrad.myrtle([8, 8, 1], { depth: 6 }),
    /^depth: wanted one of 5, 7, 10, got "6"$/,
  ],
  ["myrtle", "too few pixels", () => natgrad.myrtle([3, 3, 1]), /^averagePool: wanted 2 positions or more/],
  [
    "resnet",
    "no groups",
    () => natgrad.resnet([8, 8, 1], { blocks: [] }),
    /^blocks: wanted one group or more/,
  ],
  [
    "transformer",
    "samples of no tokens",
    () => natgrad.transformer([4]),
    /^transformer: wanted samples \[tokens, features\], got \[4\]$/,
  ],
  [
    "transformer",
    "heads that do not divide",
    () => natgrad.transformer([4, 2], { width: 6 }),
    /^attention: wanted a width that 4 heads/,
  ],
  ["sum", "one value", () => natgrad.sum().shape([[2]]), /^sum: wanted 2 inputs or more, got 1 inputs$/],
  [
    "parallel",
    "two values at the end",
    () => natgrad.serial(2, natgrad.parallel([natgrad.relu(), natgrad.relu()])),
    /^serial: wanted one value at the end, got 2$/,
  ],
  ["add", "a constant of other sizes", () => natgrad.add(short), /^add: wanted 2 numbers, got 1 numbers$/],
  ["sub", "one input", () => natgrad.sub().shape([[2]]), /^sub: wanted 2 inputs, got 1 inputs$/],
  ["mul", "shapes", () => natgrad.mul().shape([[2], [3]]), /^mul: wanted shapes that broadcast, got \[2\]/],
  ["div", "a constant of other sizes", () => natgrad.div(short), /^div: wanted 2 numbers, got 1 numbers$/],
  ["pow", "NaN", () => natgrad.pow(Number.NaN), /^pow: wanted a finite number, got NaN$/],
  ["clip", "no interval", () => natgrad.clip({ least: 1, most: 0 }), /^clip: wanted least <= most, got 1/],
  ["where", "a mask of other sizes", () => natgrad.where(short), /^where: wanted 2 numbers, got 1 numbers$/],
  ["matmul", "vectors", () => natgrad.matmul().shape([[2], [2]]), /^matmul: wanted \[\.\.\., I, K\] and/],
  ["layerNorm", "no axes", () => natgrad.layerNorm({ axes: 0 }), /^axes: wanted a whole number >= 1, got 0$/],
  ["rmsNorm", "a NaN epsilon", () => natgrad.rmsNorm({ epsilon: Number.NaN }), /^epsilon: .*got NaN$/],
  ["groupNorm", "groups", () => natgrad.groupNorm(2).shape([[3]]), /^groupNorm\(2\): wanted channels in 2/],
  ["instanceNorm", "no positions", () => natgrad.instanceNorm().shape([[3]]), /^instanceNorm: wanted values/],
  [
    "batchNorm",
    "one variance of two",
    () => natgrad.batchNorm({ mean: [0, 0], variance: [1] }),
    /^batchNorm: wanted 2 variances, got 1 variances$/,
  ],
  [
    "batchNorm",
    "a variance below 0",
    () => natgrad.batchNorm({ mean: [0], variance: [-1] }),
    /^batchNorm: wanted variances > 0, got one without/,
  ],
  [
    "concatenate",
    "sizes",
    () =>
      natgrad.concatenate().shape([
        [2, 1],
        [3, 1],
      ]),
    /^concatenate: wanted values as/,
  ],
  [
    "gather",
    "an index beyond",
    () => natgrad.gather({ indices: 2 }).shape([[2]]),
    /^gather: wanted indices from -2/,
  ],
  [
    "gather",
    "half an index",
    () => natgrad.gather({ indices: [0.5] }),
    /^indices: wanted whole numbers, got 0.5$/,
  ],
  ["slice", "nothing", () => natgrad.slice({ start: 2 }).shape([[2]]), /^slice: wanted a part of 2 entries/],
  ["slice", "a step of 0", () => natgrad.slice({ step: 0 }), /^step: wanted a whole number >= 1, got 0$/],
  [
    "pad",
    "counts below 0",
    () => natgrad.pad({ before: [-1], after: [0] }),
    /^pad: wanted a whole number >= 0/,
  ],
  ["expand", "sizes", () => natgrad.expand(3).shape([[2]]), /^expand\(3\): wanted shapes that broadcast/],
  [
    "squeeze",
    "a size of 2",
    () => natgrad.squeeze(0).shape([[2]]),
    /^squeeze\(0\): wanted axes of size 1, got/,
  ],
  [
    "unsqueeze",
    "an axis beyond",
    () => natgrad.unsqueeze(3).shape([[2]]),
    /^unsqueeze\(3\): wanted an axis from/,
  ],
  ["reduceMax", "no axis", () => natgrad.reduceMax({ axes: [1] }).shape([[2]]), /^reduceMax: wanted an axis/],
  [
    "reduceMean",
    "no axis",
    () => natgrad.reduceMean({ axes: [1] }).shape([[2]]),
    /^reduceMean: wanted an axis/,
  ],
  ["reduceSum", "no axis", () => natgrad.reduceSum({ axes: [1] }).shape([[2]]), /^reduceSum: wanted an axis/],
  ["shift", "no size", () => natgrad.shift([0]), /^shift: wanted a whole number >= 1, got 0$/],
  ["gain", "a NaN deviation", () => natgrad.gain([2], { deviation: Number.NaN }), /^deviation: .*got NaN$/],
  [
    "embedding",
    "no tokens",
    () => natgrad.embedding(0, 2),
    /^vocabulary: wanted a whole number >= 1, got 0$/,
  ],
  ["head", "a scale of 0", () => natgrad.head(2, { scale: 0 }), /^scale: wanted a number > 0, got 0$/],
  [
    "attention",
    "heads that do not divide",
    () => natgrad.serial([2, 3], natgrad.attention({ heads: 2 })),
    /^attention: wanted a width that 2 heads divide, got 3$/,
  ],
  [
    "attention",
    "no tokens",
    () => natgrad.serial(3, natgrad.attention()),
    /^attention: wanted values \[tokens, features\], got \[3\]$/,
  ],
  [
    "transformer",
    "features where tokens are looked up",
    () => natgrad.transformer([5, 3], { vocabulary: 7 }),
    /^transformer: wanted samples \[tokens\] of a vocabulary, got \[5, 3\]$/,
  ],
  ["transformer", "no blocks", () => natgrad.transformer([5, 3], { depth: 0 }), /^depth: wanted a whole/],
  [
    "split",
    "sizes of another sum",
    () => natgrad.serial(3, natgrad.split({ sizes: [1, 1] })),
    /^split: wanted 3/,
  ],
  ["softmax", "no axis", () => natgrad.softmax({ axis: 1 }).shape([[2]]), /^softmax: wanted an axis/],
  [
    "logSoftmax",
    "no axis",
    () => natgrad.logSoftmax({ axis: 1 }).shape([[2]]),
    /^logSoftmax: wanted an axis/,
  ],
];
