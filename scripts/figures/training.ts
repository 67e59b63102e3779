/**
 * @file Training as small multiples: for every method the loss of the network (points) on the line that the kernel
 * predicted for it, on training and test samples, in logarithms.
 */
import { dot, line, text as label } from "@observablehq/plot";
import type { ConfigEvent, Metrics, RunEvent, StepEvent } from "../../src/experiment/events.ts";
import { boxed, logScale, nameOfLine, powersAxis, ticksAxis } from "./axes.ts";
import {
  colour,
  columnWidth,
  draw,
  legend,
  NARROW,
  sheet,
  spread,
  type Caption,
  type Colour,
  type FigureOptions,
  type Panel,
} from "./sheet.ts";

/** One panel: the events of a run under a name. */
export type TrainingRun = {
  readonly title: string;
  readonly events: readonly RunEvent[];
  /** Said inside the panel, of a run that needs a word. */
  readonly remark?: string;
};

const HEIGHT = 176;
const MARGIN = { left: 36, right: 34, top: 8, bottom: 38 };

/** Both sides of a panel. */
const SIDES = [
  { name: "train", metric: "train_loss", colour: "blue" },
  { name: "test", metric: "test_loss", colour: "vermilion" },
] as const satisfies readonly { name: string; metric: keyof Metrics; colour: string }[];

const DOT = { r: 3.25, strokeWidth: 1.5 };

const legendDot = (name: Colour, fill: Colour): string =>
  `<circle r="${DOT.r}" fill="${colour(fill)}" stroke="${colour(name)}" stroke-width="${DOT.strokeWidth}"/>`;
const legendLine = (name: Colour, y: number): string =>
  `<path d="M-12 ${y}h24" fill="none" stroke="${colour(name)}" stroke-width="1.75"/>`;

const LEGEND = [
  { mark: legendDot("blue", "blue"), box: 8, label: "training loss" },
  { mark: legendDot("vermilion", "paper"), box: 8, label: "test loss" },
  { mark: legendLine("blue", -2) + legendLine("vermilion", 2), box: 24, label: "predictions of both" },
];

/** What the lines go through: the predictions, or the points themselves where there are none. */
const predicted = (step: StepEvent): Metrics => step.predict ?? step;

/** The figure, for runs with equally many steps. */
export function trainingFigure(
  runs: readonly TrainingRun[],
  { title, subtitle }: Caption,
  { width = 760 }: FigureOptions = {},
): string {
  const columns = width < NARROW ? 2 : Math.min(4, runs.length);
  const steps = runs.map(({ events }) => stepsOf(events));
  const losses = steps
    .flat()
    .flatMap((step) => SIDES.flatMap(({ metric }) => [step[metric], predicted(step)[metric]]));
  const domain = decades(losses);
  const box = { width: columnWidth(width, columns), height: HEIGHT };
  const panels = runs.map((run, i): Panel => ({
    title: run.title,
    note: settings(run.events),
    ...box,
    marks: panel(steps[i]!, domain, box.width, run.remark),
  }));
  return sheet({
    width,
    title,
    subtitle,
    description: runs.map(describeRun).join(" "),
    legend: legend(LEGEND, width - 24),
    groups: [{ panels, columns }],
  });
}

function panel(
  steps: readonly StepEvent[],
  domain: [number, number],
  width: number,
  remark: string | undefined,
): string {
  const lastStep = steps.at(-1)!;
  const inner = HEIGHT - MARGIN.top - MARGIN.bottom;
  const { down, up } = logScale(domain, inner);
  const ends = spread(
    SIDES.map(({ metric }) => down(predicted(lastStep)[metric])),
    13,
  );
  return draw({
    ...boxed(width, HEIGHT, MARGIN),
    x: { domain: [0, lastStep.step] },
    y: { type: "log", domain },
    marks: [
      ...powersAxis(domain, null),
      ticksAxis(
        steps.map(({ step }) => step),
        "step",
        { tickSize: 3, labelOffset: 31 },
      ),
      ...SIDES.map(({ metric, colour: name }) =>
        line(steps, {
          x: "step",
          y: (s: StepEvent) => predicted(s)[metric],
          stroke: colour(name),
          strokeWidth: 1.75,
        }),
      ),
      // Filled and hollow: the two sides are told apart without their colours.
      ...SIDES.map(({ metric, colour: name }, side) =>
        dot(steps, {
          x: "step",
          y: (s: StepEvent) => s[metric],
          r: DOT.r,
          stroke: colour(name),
          strokeWidth: DOT.strokeWidth,
          fill: side === 0 ? colour(name) : colour("paper"),
        }),
      ),
      label(["loss"], { frameAnchor: "top-left", dx: 4, dy: 3, fontSize: 11 }),
      ...(remark === undefined
        ? []
        : [
            label([remark], { frameAnchor: "bottom-left", dx: 4, dy: -5, fontSize: 11, fill: colour("ink") }),
          ]),
      ...SIDES.map(({ name, colour: hue }, side) =>
        nameOfLine(name, { last: lastStep, x: "step", y: up(ends[side]!), dx: 7, fontSize: 11, hue }),
      ),
    ],
  });
}

/** Whole decades around the values. */
function decades(values: readonly number[]): [number, number] {
  const logs = values.filter((x) => x > 0 && Number.isFinite(x)).map(Math.log10);
  return [10 ** Math.floor(Math.min(...logs)), 10 ** Math.ceil(Math.max(...logs))];
}

/** The learning rate, over alpha where it follows from it, and the damping. */
function settings(events: readonly RunEvent[]): string {
  const config = events.find((e): e is ConfigEvent => e.event === "config");
  if (!config) return "";
  const alpha = config.isotropy?.alpha_theory;
  const rate = (x: number) => String(Number(x.toPrecision(4)));
  const parts = [
    alpha === null || alpha === undefined || config.config.learning_rate !== undefined
      ? `η = ${rate(config.learning_rate)}`
      : `η = ${rate(config.learning_rate * alpha)}/α, α = ${rate(alpha)}`,
    ...(config.config.damping > 0
      ? [`ρ = ${config.config.damping.toExponential().replace("e-", "e−")}`]
      : []),
  ];
  return parts.join(", ");
}

/** How a run ended, for readers who cannot see its panel. */
export function describeRun({ title, events }: TrainingRun): string {
  const { step, train_loss, test_loss, predict } = stepsOf(events).at(-1)!;
  const told = (x: number) => x.toPrecision(2);
  const beside = (x: number | undefined) => (x === undefined ? "" : `, predicted ${told(x)}`);
  return `${title}: training loss ${told(train_loss)} after ${step} steps${beside(predict?.train_loss)}; test loss ${told(test_loss)}${beside(predict?.test_loss)}.`;
}

const stepsOf = (events: readonly RunEvent[]): StepEvent[] =>
  events.filter((e): e is StepEvent => e.event === "step");
