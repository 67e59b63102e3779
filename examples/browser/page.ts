/**
 * @file The page: starts and cancels trainings in its worker, and shows their rows, once per frame at most.
 */
import { drawChart } from "./chart.ts";
import type { Figures, Method, Reply, Request } from "./messages.ts";

const form = document.querySelector<HTMLFormElement>("#settings")!;
const cancel = document.querySelector<HTMLButtonElement>("#cancel")!;
const status = document.querySelector<HTMLOutputElement>("#status")!;
const chart = document.querySelector<SVGSVGElement>("#chart")!;
const table = document.querySelector<HTMLTableElement>("#table")!;
const body = document.querySelector<HTMLTableSectionElement>("#rows")!;

const worker = new Worker("worker.js", { type: "module" });
const ask = (request: Request): void => worker.postMessage(request, {});

let rows: Figures[] = [];
let steps = 20;
/** Rows that are shown. */
let shown = 0;
let waiting = false;

/** Shows what has come since the last frame. */
function show(): void {
  waiting = false;
  drawChart(chart, rows, steps);
  for (const { step, trainLoss, predictedLoss, testAccuracy } of rows.slice(shown)) {
    const row = body.insertRow();
    for (const text of [
      String(step),
      lossText(trainLoss),
      lossText(predictedLoss),
      `${(100 * testAccuracy).toFixed(1)} %`,
    ]) {
      row.insertCell().textContent = text;
    }
  }
  shown = rows.length;
  table.hidden = shown === 0;
}

/** Three digits; small losses with an exponent, so that columns stay narrow. */
const lossText = (loss: number): string => (loss < 1e-3 ? loss.toExponential(2) : loss.toPrecision(3));

function showSoon(): void {
  if (!waiting) requestAnimationFrame(show);
  waiting = true;
}

function restart(): void {
  rows = [];
  shown = 0;
  body.replaceChildren();
  showSoon();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const entries = new FormData(form);
  const number = (name: string): number => Number(entries.get(name));
  steps = number("steps");
  restart();
  status.value = "Training ...";
  cancel.disabled = false;
  const method = entries.get("method") as Method;
  ask({
    kind: "start",
    settings: { method, width: number("width"), samples: number("samples"), steps, size: number("size") },
  });
});

cancel.addEventListener("click", () => {
  cancel.disabled = true;
  ask({ kind: "cancel" });
});

const ENDS = { done: "Done.", cancelled: "Cancelled.", diverged: "Diverged." } as const;

worker.addEventListener("message", ({ data: reply }: MessageEvent<Reply>) => {
  if (reply.kind === "row") {
    rows.push(reply);
    status.value = `Step ${reply.step} of ${steps}`;
    return showSoon();
  }
  cancel.disabled = true;
  status.value = reply.kind === "end" ? ENDS[reply.how] : reply.message;
});

showSoon();
window.addEventListener("resize", showSoon);
