/**
 * @file Losses over steps as SVG, in logarithms: points for the network, a line for its prediction.
 */
import type { Figures } from "./messages.ts";

const MARGIN = { left: 44, right: 12, top: 12, bottom: 28 };
/** Losses below this are drawn here: rounding of float32. */
const LEAST = 1e-10;

/** Draws rows into `svg`; the horizontal axis has room for `steps`. */
export function drawChart(svg: SVGSVGElement, rows: readonly Figures[], steps: number): void {
  const [width, height] = [svg.clientWidth, svg.clientHeight];
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const logarithm = (loss: number): number => Math.log10(Math.max(LEAST, loss));
  const drawn = rows.filter((row) => Number.isFinite(row.trainLoss) && Number.isFinite(row.predictedLoss));
  const all = drawn.flatMap(({ trainLoss, predictedLoss }) => [
    logarithm(trainLoss),
    logarithm(predictedLoss),
  ]);
  const low = Math.floor(Math.min(-1, ...all));
  const high = Math.ceil(Math.max(0, ...all));
  const x = (step: number): number =>
    MARGIN.left + (step / Math.max(1, steps)) * (width - MARGIN.left - MARGIN.right);
  const y = (loss: number): number =>
    MARGIN.top + ((high - logarithm(loss)) / (high - low)) * (height - MARGIN.top - MARGIN.bottom);

  const powers = Array.from({ length: high - low + 1 }, (_, i) => low + i).filter(
    (power) => high - low <= 5 || (high - power) % 2 === 0,
  );
  const grid = powers.map(
    (power) =>
      `<line class="grid" x1="${MARGIN.left}" x2="${width - MARGIN.right}" y1="${y(10 ** power)}" y2="${y(10 ** power)}" />` +
      `<text x="${MARGIN.left - 8}" y="${y(10 ** power) + 4}" text-anchor="end">10<tspan class="power" dy="-5">${String(power).replace("-", "−")}</tspan></text>`,
  );
  const ends =
    `<text x="${x(0)}" y="${height - 8}" text-anchor="middle">0</text>` +
    `<text x="${x(steps)}" y="${height - 8}" text-anchor="end">${steps} steps</text>`;
  const line = drawn.map(({ step, predictedLoss }) => `${x(step)},${y(predictedLoss)}`).join(" ");
  const points = drawn.map(({ step, trainLoss }) => `<circle cx="${x(step)}" cy="${y(trainLoss)}" r="3" />`);
  const invitation =
    rows.length > 0
      ? ""
      : `<text x="${(x(0) + x(steps)) / 2}" y="${height / 2}" text-anchor="middle">The loss appears here.</text>`;
  svg.innerHTML = `${grid.join("")}${ends}${invitation}<polyline points="${line}" />${points.join("")}`;
}
