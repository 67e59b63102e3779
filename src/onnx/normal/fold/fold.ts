/**
 * @file Ops on known values alone: constants and the arithmetic of shapes. What is not here needs no folding: it has samples in it.
 */
import { InputError } from "../../../error.ts";
import { count, type OnnxNode } from "../../model.ts";
import {
  floatOf,
  floatsOf,
  integersOf,
  intOf,
  intsOf,
  named,
  sizesOf,
  tensorAttribute,
} from "../arguments.ts";
import { computed, demandSize, integers, isFloat, stored, type Known } from "../known.ts";
import { broadcast, fromFront, reshaped } from "../layout.ts";
import { sliceRuns, splitRuns } from "../selection.ts";
import { BINARY, binary, indexInto, jointLayout, unary, UNARY } from "./elementwise.ts";
import { cut, expanded, gathered, joined, picked, renamed, turned } from "./movement.ts";
import { castType, reducedAxes, resolved, squeezedAxes, targetLayout, unsqueezedAxes } from "../shapes.ts";

type Fold = (node: OnnxNode, inputs: readonly (Known | undefined)[], opset: number) => Known[];

const FOLDS: Readonly<Record<string, Fold>> = {
  Constant: (node) => [constant(node)],
  ConstantOfShape(node, [shape]) {
    const value = tensorAttribute(node, "value");
    const { dims, batch } = targetLayout(sizesOf(shape!), named(node));
    demandSize(dims, named(node));
    const type = value?.type ?? "float32";
    const fill = value?.data[0] ?? 0;
    const known = computed(type, dims, () =>
      (type === "float32" ? new Float32Array(count(dims)) : new Float64Array(count(dims))).fill(fill),
    );
    const { values } = known;
    const name = node.outputs[0]!;
    return [{ ...known, batch, origin: batch ? undefined : { name, kind: "constant", dims, values } }];
  },
  Range(node, [start, limit, delta]) {
    const [from, to, by] = [start, limit, delta].map((known) =>
      isFloat(known!) ? known!.values()[0]! : integersOf(known!, named(node))[0]!,
    ) as [number, number, number];
    const size = Math.max(0, Math.ceil((to - from) / by));
    demandSize([size], named(node));
    return [
      computed(start!.type, [size], () => Float64Array.from({ length: size }, (_, i) => from + i * by)),
    ];
  },
  Shape(node, [a]) {
    return [
      shapeOf(
        node,
        a!.dims.map((c, axis) => (axis === a!.batch?.axis ? [0, c] : [c, 0])),
      ),
    ];
  },
  Size: (_node, [a]) => [integersScalar(count(a!.dims), a!.batch !== undefined)],
  Cast: (node, [a]) => [cast(a!, castType(node))],
  CastLike: (_node, [a, b]) => [cast(a!, b!.type)],
  Reshape(node, [a, shape]) {
    const { dims, batch } = reshaped(a!, resolved(node, a!, sizesOf(shape!)), named(node));
    return [renamed(a!, dims, batch)];
  },
  Flatten(node, [a]) {
    const axis = intOf(node, "axis", 1);
    const at = axis < 0 ? axis + a!.dims.length : axis;
    return [renamed(a!, [count(a!.dims.slice(0, at)), count(a!.dims.slice(at))])];
  },
  Squeeze: (node, [a, axes]) => [relabelled(a!, squeezedAxes(node, a!, axes))],
  Unsqueeze: (node, [a, axes]) => [relabelled(a!, unsqueezedAxes(node, a!, axes))],
  Transpose(node, [a]) {
    return [turned(a!, intsOf(node, "perm") ?? a!.dims.map((_, i) => a!.dims.length - 1 - i), named(node))];
  },
  Slice: (node, [a, ...rest]) => [cut(a!, sliceRuns(node, a!.dims, rest, a!.batch), named(node))],
  Split: (node, [a, sizes]) => splitRuns(node, a!.dims, sizes).map((run) => cut(a!, [run], named(node))),
  Gather(node, [a, indices]) {
    const axis = fromFront(intOf(node, "axis", 0), a!.dims.length, named(node));
    return [gathered(a!, axis, integersOf(indices!, named(node)), indices!.dims, named(node))];
  },
  Concat(node, inputs) {
    const items = inputs as readonly Known[];
    return [
      joined(items, fromFront(intOf(node, "axis", 0), items[0]!.dims.length, named(node)), named(node)),
    ];
  },
  Expand(node, [a, shape]) {
    const layout = broadcast(a!, targetLayout(sizesOf(shape!), named(node)), named(node));
    return [expanded(a!, layout, named(node))];
  },
  Tile(node, [a, repeats]) {
    const times = integersOf(repeats!, named(node));
    const dims = a!.dims.map((size, axis) => size * times[axis]!);
    const pattern = a!.dims.flatMap((size) => [1, size]);
    const copies = a!.dims.flatMap((size, axis) => [times[axis]!, size]);
    return [renamed(picked(a!, { dims: copies }, indexInto(pattern, copies), named(node)), dims)];
  },
  Where(node, [condition, a, b]) {
    const what = named(node);
    const { dims, batch } = jointLayout([condition!, a!, b!], what);
    demandSize(dims, what);
    const [at, left, right] = [condition!, a!, b!].map((known) => indexInto(known.dims, dims)) as [
      (i: number) => number,
      (i: number) => number,
      (i: number) => number,
    ];
    const choose = (x: Known["slope"], y: Known["slope"]) => {
      const chosen = condition!.values();
      const numbers = Array.from({ length: count(dims) }, (_, i) =>
        chosen[at(i)] !== 0 ? (x?.[left(i)] ?? 0) : (y?.[right(i)] ?? 0),
      );
      return a!.type === "float32" ? Float32Array.from(numbers) : Float64Array.from(numbers);
    };
    const slope = a!.slope || b!.slope ? choose(a!.slope, b!.slope) : undefined;
    const known = computed(a!.type, dims, () => choose(a!.values(), b!.values()), [a!, b!]);
    return [{ ...known, batch, slope }];
  },
  Trilu(node, [a, k]) {
    const shift = k ? integersOf(k, named(node))[0]! : 0;
    const upper = intOf(node, "upper", 1) === 1;
    const [rows, cols] = a!.dims.slice(-2) as [number, number];
    const values = () =>
      a!.values().map((value, i) => {
        const [row, col] = [Math.floor(i / cols) % rows, i % cols];
        return (upper ? col - row >= shift : col - row <= shift) ? value : 0;
      });
    return [computed(a!.type, a!.dims, values, [a!])];
  },
  MatMul: (node, [a, b]) => [matMul(a!, b!, named(node))],
};

const REDUCTIONS: Readonly<Record<string, (numbers: readonly number[]) => number>> = {
  ReduceProd: (numbers) => numbers.reduce((a, b) => a * b, 1),
  ReduceSum: (numbers) => numbers.reduce((a, b) => a + b, 0),
  ReduceMean: (numbers) => numbers.reduce((a, b) => a + b, 0) / numbers.length,
  ReduceMax: (numbers) => numbers.reduce((a, b) => Math.max(a, b), -Infinity),
  ReduceMin: (numbers) => numbers.reduce((a, b) => Math.min(a, b), Infinity),
};

/** Whether known values are folded by this op. */
export const folds = (op: string): boolean =>
  op in FOLDS ||
  op in UNARY ||
  op in BINARY ||
  op in REDUCTIONS ||
  op === "Identity" ||
  op === "Dropout" ||
  op === "Sum" ||
  op === "Clip";

/** What a node makes of known values. */
export function fold(node: OnnxNode, inputs: readonly (Known | undefined)[], opset: number): Known[] {
  const { op } = node;
  const [a, b] = inputs as [Known, Known];
  const given = inputs as readonly Known[];
  if (op === "Identity" || op === "Dropout") return [a];
  if (op in FOLDS) return FOLDS[op]!(node, inputs, opset);
  if (op in UNARY) return [unary(op, a)];
  if (op === "Sum") return [given.reduce((x, y) => binary("Add", x, y, named(node)))];
  if (op === "Clip") return [clipped(node, inputs)];
  if (op in REDUCTIONS) return [reduction(node, a, inputs[1])];
  return [b ? given.reduce((x, y) => binary(op, x, y, named(node))) : a];
}

function clipped(node: OnnxNode, [a, low, high]: readonly (Known | undefined)[]): Known {
  const min = low?.values()[0] ?? floatOf(node, "min", -Infinity);
  const max = high?.values()[0] ?? floatOf(node, "max", Infinity);
  return computed(a!.type, a!.dims, () => a!.values().map((x) => Math.min(Math.max(x, min), max)), [a!]);
}

/** The value of a Constant, under any of its attributes. */
function constant(node: OnnxNode): Known {
  const name = node.outputs[0]!;
  const tensor = tensorAttribute(node, "value");
  if (tensor) return stored(name, "constant", tensor);
  const floats = floatsOf(node, "value_floats");
  if (floats)
    return stored(name, "constant", {
      type: "float32",
      dims: [floats.length],
      data: Float32Array.from(floats),
    });
  const ints = intsOf(node, "value_ints");
  if (ints) return integers(ints);
  if (node.attributes.has("value_int")) return integersScalar(intOf(node, "value_int", 0), false);
  if (node.attributes.has("value_float")) {
    return computed("float32", [], () => Float32Array.of(floatOf(node, "value_float", 0)));
  }
  const got = [...node.attributes.keys()].join(", ") || "none";
  throw new InputError({ what: named(node), wanted: "a value of numbers", got });
}

const integersScalar = (value: number, perSample: boolean): Known => ({
  ...computed("int64", [], () => Float64Array.of(perSample ? 0 : value)),
  slope: perSample ? Float64Array.of(value) : undefined,
});

/** The sizes [c, n] of a value as the result of Shape. */
export function shapeOf(node: OnnxNode, sizes: readonly (readonly number[])[]): Known {
  const start = intOf(node, "start", 0);
  const end = intOf(node, "end", sizes.length);
  const part = sizes.slice(start, end);
  return integers(
    part.map(([c]) => c!),
    part.map(([, n]) => n!),
  );
}

/** A known value in another element type. */
export function cast(a: Known, type: Known["type"]): Known {
  if (a.type === type) return a;
  const isNumber = isFloat(a) === isFloat({ type });
  const values = () => {
    const given = a.values();
    if (type === "float32") return Float32Array.from(given);
    if (type === "bool") return Float64Array.from(given, (x) => Number(x !== 0));
    return isFloat({ type }) ? Float64Array.from(given) : Float64Array.from(given, Math.trunc);
  };
  const known = { ...computed(type, a.dims, values, [a]), batch: a.batch, slope: a.slope };
  // float32 and float64 of one weight are one weight.
  return isNumber && isFloat(a) ? { ...known, origin: a.origin } : known;
}

const relabelled = (a: Known, { dims, batch }: ReturnType<typeof squeezedAxes>): Known =>
  renamed(a, dims, batch);

function reduction(node: OnnxNode, a: Known, given: Known | undefined): Known {
  const axes = reducedAxes(node, a.dims.length, given);
  const kept = a.dims.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const index = indexInto(kept, a.dims);
  const values = () => {
    const groups = Array.from({ length: count(kept) }, (): number[] => []);
    for (const [i, value] of a.values().entries()) groups[index(i)]!.push(value);
    const numbers = groups.map(REDUCTIONS[node.op]!);
    return a.type === "float32" ? Float32Array.from(numbers) : Float64Array.from(numbers);
  };
  const dims = intOf(node, "keepdims", 1) === 1 ? kept : a.dims.filter((_, axis) => !axes.includes(axis));
  if (!a.slope) return computed(a.type, dims, values, [a]);
  // The number of numbers: a product of sizes, one of which may be N.
  const n = count(Array.from(a.slope, (n, i) => (n === 0 ? a.values()[i]! : n)));
  const factors = a.slope.filter((n) => n !== 0).length;
  if (node.op !== "ReduceProd" || count(kept) !== 1 || factors > 1) {
    throw new InputError({
      what: named(node),
      wanted: "a shape for any number of samples",
      got: "one that is for some",
    });
  }
  return { ...computed(a.type, dims, () => Float64Array.of(0)), slope: Float64Array.of(n) };
}

function matMul(a: Known, b: Known, what: string): Known {
  const [m, k] = a.dims as [number, number];
  const [inner, n] = b.dims as [number, number];
  if (a.dims.length !== 2 || b.dims.length !== 2 || k !== inner) {
    const got = `[${a.dims.join(", ")}] and [${b.dims.join(", ")}]`;
    throw new InputError({ what, wanted: "known matrices that fit", got });
  }
  demandSize([m, n], what);
  const values = () => {
    const [x, y] = [a.values(), b.values()];
    const out = a.type === "float32" ? new Float32Array(m * n) : new Float64Array(m * n);
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let l = 0; l < k; l++) sum += x[i * k + l]! * y[l * n + j]!;
        out[i * n + j] = sum;
      }
    }
    return out;
  };
  return computed(a.type, [m, n], values, [a, b]);
}
