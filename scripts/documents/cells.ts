/**
 * @file The table of cells, method x loss x classes: how each is run, and what is kept of it: the training loss of the
 * network after 1, 2 and 5 steps, and what the analytic kernel predicted.
 */
import { InputError } from "../../src/index.ts";
import { METHODS, parseConfig, run, type StepEvent } from "../../src/node.ts";
import { methodNamed } from "./methods.ts";

/** Steps of which the table tells. */
export const CELL_STEPS = [1, 2, 5] as const;

/** Losses below this are rounding, and differ from one machine to the next. */
export const CELL_FLOOR = 1e-12;

/**
 * With what a row is run again when one of its Grams is singular, and how its title then says so.
 */
const AGAIN = {
  options: { singular: "least_norm" },
  title: "--singular least_norm",
} as { readonly options: Settings; readonly title: string };

type Settings = Readonly<Record<string, string | number>>;

/** A part of the table. */
export type Part = { readonly n_classes: number; readonly loss_type: "mse" | "cross_entropy" };

export const PARTS: readonly Part[] = [2, 10].flatMap((n_classes) =>
  (["mse", "cross_entropy"] as const).map((loss_type) => ({ n_classes, loss_type })),
);

/** A row of a part before it is run. */
export type Method = { readonly title: string; readonly options: Settings };

/** Every method as it is by default, and unit-wise also with the damping that it needs at finite width. */
export const methodsOf = ({ loss_type }: Part): Method[] => [
  { title: "gradient descent, learning rate 1", options: { learning_rate: 1 } },
  // What differs at several positions alone is here the method beside it.
  ...METHODS.filter((method) => methodNamed(method).needs !== "positions")
    .filter((method) => loss_type === "cross_entropy" || method !== "exact_plus_mse")
    .flatMap((method) => {
      const plain = { title: method, options: { natural_gradient_type: method } };
      if (method !== "unit_wise") return [plain];
      const damped = {
        title: "unit_wise, damping 1e-9",
        options: { natural_gradient_type: method, damping: 1e-9 },
      };
      return [{ ...plain, title: "unit_wise, undamped" }, damped];
    }),
];

/**
 * The loss of the network and of its prediction: three significant digits, 0 below {@link CELL_FLOOR}. A network that
 * diverges has none, and after a singular Gram there is neither.
 */
export type Cell = readonly [train: number | "diverges" | "singular", predict: number | null];

/** A row as it is kept in docs/generated/cells.json. */
export type Row = Part & { readonly title: string; readonly cells: readonly Cell[] };

/** Runs a row, and once more as {@link AGAIN} says where a Gram is singular. */
export async function measureRow(part: Part, { title, options }: Method, width: number): Promise<Row> {
  const common = { ...part, width, n_steps: CELL_STEPS.at(-1)! };
  const cells = await measureCells({ ...common, ...options });
  if (!cells.some(([train]) => train === "singular")) return { ...part, title, cells };
  return {
    ...part,
    title: `${title}, ${AGAIN.title}`,
    cells: await measureCells({ ...common, ...options, ...AGAIN.options }),
  };
}

async function measureCells(options: Settings): Promise<Cell[]> {
  const rows: StepEvent[] = [];
  let singular = false;
  try {
    for await (const event of run(parseConfig(options))) if (event.event === "step") rows.push(event);
  } catch (error) {
    // A wrong option is refused before the first row.
    if (!(error instanceof InputError) || rows.length === 0) throw error;
    singular = true;
  }
  return cellsOf(rows, singular);
}

/** The cells of a run that ended by itself, or at a singular Gram. */
export function cellsOf(rows: readonly StepEvent[], singular: boolean): Cell[] {
  const start = rows[0]!.train_loss;
  const grows = (row: StepEvent): boolean => !(row.train_loss < start);
  // A loss that has risen and does not come back: its digits mean nothing, nor where it ends.
  const diverges = rows.length > 1 && grows(rows.at(-1)!);
  return CELL_STEPS.map((step): Cell => {
    const row = rows.find((r) => r.step === step);
    if (!row) return [diverges ? "diverges" : singular ? "singular" : "diverges", null];
    const predict = toThree(row.predict!.train_loss);
    return [diverges && grows(row) ? "diverges" : toThree(row.train_loss), predict];
  });
}

/** Three significant digits, and 0 for what is below the floor. */
const toThree = (x: number): number => (x < CELL_FLOOR ? 0 : Number(x.toPrecision(3)));

/**
 * float32 reaches outputs a few ill-conditioned steps later as so much, and a loss as twice its product with the
 * residual: two losses agree when their roots do, to this and to a share.
 */
const ROUNDING = 3e-6;
const SHARE = 0.01;

const agree = (a: number, b: number): boolean =>
  Math.abs(Math.sqrt(a) - Math.sqrt(b)) <= ROUNDING + (SHARE / 2) * Math.sqrt(Math.max(a, b));

/**
 * Measured rows, with the numbers that were written down before wherever the new ones agree with them to rounding: what
 * stands in the documents changes when a result does, not with the machine.
 */
export function keepAgreeing(measured: readonly Row[], written: readonly Row[]): Row[] {
  return measured.map((row) => {
    const before = written.find((other) => keyOf(other) === keyOf(row));
    if (!before) return row;
    const cells = row.cells.map((cell, k): Cell => {
      const kept = <T>(now: T, then: T | undefined): T =>
        typeof now === "number" && typeof then === "number" && agree(now, then) ? then : now;
      return [kept(cell[0], before.cells[k]?.[0]), kept(cell[1], before.cells[k]?.[1])];
    });
    return { ...row, cells };
  });
}

const keyOf = ({ n_classes, loss_type, title }: Row): string => `${n_classes} ${loss_type} ${title}`;
