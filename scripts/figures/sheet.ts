/**
 * @file What all figures share: colours that suit light and dark pages, panels drawn by Observable Plot without a
 * browser, and the sheet that they are put on. A figure is one SVG document that needs nothing beside it. Its plain
 * attributes are the light colours; a style sheet replaces each by its dark partner where the reader prefers that.
 */
import { plot, type PlotOptions } from "@observablehq/plot";
import { parseHTML } from "linkedom";

/** Light and dark colours; hues that stay apart for colour-blind readers (Okabe and Ito), each paired with a shape. */
const PALETTE = {
  paper: ["#ffffff", "#0d1117"],
  ink: ["#1f2328", "#e6edf3"],
  muted: ["#59636e", "#9198a1"],
  rule: ["#d9dee3", "#30363d"],
  blue: ["#0072b2", "#56b4e9"],
  vermilion: ["#d55e00", "#f0883e"],
  green: ["#00795a", "#3fc79a"],
  purple: ["#a6437f", "#dd8fbf"],
  // Ramps of the heat map, from next to nothing to one: positive entries, and negative ones.
  blue1: ["#e1edf7", "#13263a"],
  blue2: ["#bcd7ed", "#1b3f61"],
  blue3: ["#82b7dd", "#2a6596"],
  blue4: ["#3f8cc2", "#4d9ad2"],
  blue5: ["#0b4f83", "#a5d8ff"],
  orange1: ["#fbebdc", "#2f2013"],
  orange2: ["#f6d0ac", "#573718"],
  orange3: ["#eaa568", "#8a551d"],
  orange4: ["#d0762b", "#c9792c"],
  orange5: ["#974a02", "#ffbd7a"],
} as const;

/** Name of a colour. */
export type Colour = keyof typeof PALETTE;

/** A colour as figures write it: the light one. */
export const colour = (name: Colour): string => PALETTE[name][0];

/** Options of every figure. */
export type FigureOptions = {
  /** Width in pixels: about 760 beside text, 380 on a phone. Panels and text keep their size; columns give way. */
  width?: number;
};

/** What is said around the panels. */
export type Caption = { readonly title: string; readonly subtitle: string };

/** A figure drawn at less than this is for a phone. */
export const NARROW = 560;

/** A piece of a sheet: marks inside a box. */
export type Panel = {
  readonly title?: string;
  /** Beside or below the title, less loud. */
  readonly note?: string;
  readonly width: number;
  readonly height: number;
  /** SVG elements in the box from (0, 0). */
  readonly marks: string;
};

/** Panels in rows below a heading of their own. */
export type Group = {
  readonly heading?: string;
  readonly panels: readonly Panel[];
  readonly columns: number;
};

/** A figure's parts. */
export type Sheet = {
  readonly width: number;
  readonly title: string;
  /** What the marks are; wrapped to the width. */
  readonly subtitle: string;
  /** For readers who cannot see it. */
  readonly description: string;
  /** What colours and symbols stand for; see {@link legend}. */
  readonly legend?: { readonly height: number; readonly marks: string };
  readonly groups: readonly Group[];
};

const FAMILY = "system-ui, -apple-system, 'Segoe UI', 'Liberation Sans', sans-serif";
const FONT = 12;
const PAD = 12;
const GAP = 12;
/** Width of a character over the size of the font, on average, plain and bold. */
const ASPECT = 0.52;
const BOLD_ASPECT = 0.6;
/** The same in the widest of the fonts, for what must not run into its neighbour. */
const WIDE = 0.54;
const WIDE_BOLD = 0.6;

/** `text` as the content of an element or an attribute. */
export const escape = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

/** Options of {@link text}. */
export type TextOptions = {
  size?: number;
  colour?: Colour;
  bold?: boolean;
  anchor?: "start" | "middle" | "end";
  /** Keeps what lies below the text away from its letters. */
  halo?: boolean;
};

/** A line of text whose baseline starts at (x, y). */
export function text(x: number, y: number, content: string, options: TextOptions = {}): string {
  const { size = FONT, colour: name = "ink", bold = false, anchor = "start", halo = false } = options;
  const attributes = [
    `x="${round(x)}" y="${round(y)}" font-size="${size}" fill="${colour(name)}" text-anchor="${anchor}"`,
    ...(bold ? [`font-weight="600"`] : []),
    ...(halo ? [`stroke="${colour("paper")}" stroke-width="3" paint-order="stroke"`] : []),
  ];
  return `<text ${attributes.join(" ")}>${escape(content)}</text>`;
}

/** Width of a line of text in a wide font, so that what fits by this fits in any of {@link FAMILY}. */
export const textWidth = (content: string, size: number, bold = false): number =>
  content.length * size * (bold ? WIDE_BOLD : WIDE);

/** An entry of a legend: marks in a box of so many pixels, whose middle is (0, 0), and what they stand for. */
export type LegendEntry = { readonly mark: string; readonly box: number; readonly label: string };

const LEGEND_ROW = 18;
const LEGEND_GAP = 20;

/** Entries one after the other, in as many rows as they take in `width`. */
export function legend(entries: readonly LegendEntry[], width: number): NonNullable<Sheet["legend"]> {
  let [x, y] = [0, LEGEND_ROW / 2];
  const marks = entries.map(({ mark, box, label }) => {
    const length = box + 6 + textWidth(label, FONT);
    if (x > 0 && x + length > width) [x, y] = [0, y + LEGEND_ROW];
    const drawn =
      `<g transform="translate(${round(x + box / 2)},${y})">${mark}</g>` + text(x + box + 6, y + 4, label);
    x += length + LEGEND_GAP;
    return drawn;
  });
  return { height: y + LEGEND_ROW / 2, marks: marks.join("") };
}

/** Draws with Observable Plot and returns the elements inside its SVG. */
export function draw(options: PlotOptions): string {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const svg = plot({ document: document as unknown as Document, ...options }) as unknown as Element;
  svg.querySelector("style")?.remove();
  // Last digits of coordinates differ between machines, and so do those of zeros such as 5.6e-17.
  const marks = svg.innerHTML.replaceAll(/-?\d+\.\d+(?:e[-+]?\d+)?/g, (number) =>
    String(round(Number(number))),
  );
  return `<g text-anchor="middle" font-size="11" fill="${colour("muted")}">${marks}</g>`;
}

/** Puts the parts of a figure on one SVG document. */
export function sheet({ width, title, subtitle, description, legend, groups }: Sheet): string {
  const parts: string[] = [];
  const inner = width - 2 * PAD;
  let y = PAD;
  for (const line of wrap(title, inner / (15 * BOLD_ASPECT))) {
    parts.push(text(PAD, y + 14, line, { size: 15, bold: true }));
    y += 20;
  }
  for (const line of wrap(subtitle, inner / (FONT * ASPECT))) {
    parts.push(text(PAD, y + 12, line, { colour: "muted" }));
    y += 17;
  }
  if (legend) {
    parts.push(`<g transform="translate(${PAD},${y + 4})">${legend.marks}</g>`);
    y += legend.height + 4;
  }
  y += GAP;
  for (const { heading, panels, columns } of groups) {
    if (heading !== undefined) {
      parts.push(text(PAD, y + 12, heading, { bold: true }));
      y += 22;
    }
    for (let start = 0; start < panels.length; start += columns) {
      const row = panels.slice(start, start + columns);
      for (const [i, panel] of row.entries()) parts.push(place(panel, PAD + (i * inner) / columns, y));
      y += Math.max(...row.map((panel) => headOf(panel) + panel.height)) + GAP;
    }
  }
  const size = `viewBox="0 0 ${width} ${Math.round(y)}" width="${width}" height="${Math.round(y)}"`;
  const body = [`<rect width="100%" height="100%" fill="${colour("paper")}"/>`, ...parts].join("\n");
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img" color="${colour("ink")}" font-family="${FAMILY}">
<title>${escape(title)}</title>
<desc>${escape(description)}</desc>
<style>${darkStyle(body)}</style>
${body}
</svg>
`;
}

/** Height of a panel's title, and of its note. */
const HEAD = 18;
const NOTE = 15;

const headOf = ({ title, note }: Panel): number =>
  (title === undefined ? 0 : HEAD) + (note === undefined ? 0 : NOTE);

function place(panel: Panel, x: number, y: number): string {
  const { title, note, marks } = panel;
  const lines =
    title === undefined ? [] : [text(0, 12, title, { bold: true, size: fitting(title, panel.width) })];
  if (note !== undefined) lines.push(text(0, HEAD + 9, note, { size: 11, colour: "muted" }));
  return `<g transform="translate(${round(x)},${round(y)})">${lines.join("")}<g transform="translate(0,${headOf(panel)})">${marks}</g></g>`;
}

/** The size at which a bold title keeps out of the next column; names of methods are long, columns on phones are not. */
const fitting = (title: string, width: number): number =>
  Math.max(9.5, Math.min(FONT, Math.floor((20 * (width + GAP / 2)) / textWidth(title, 1, true)) / 20));

/** Width of a column of `columns`, less the gap between them. */
export const columnWidth = (width: number, columns: number): number =>
  Math.floor((width - 2 * PAD) / columns - GAP);

/** Breaks text at its plain spaces into lines of at most so many characters. */
function wrap(content: string, most: number): string[] {
  const lines: string[] = [];
  for (const word of content.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= most)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** Coordinates to a hundredth of a pixel; no negative zero. */
const round = (x: number): number => Math.round(100 * x) / 100 + 0;

/** The dark partner of every colour in `body`. */
function darkStyle(body: string): string {
  const rules = Object.values(PALETTE).flatMap(([light, dark]) =>
    ["fill", "stroke"]
      .filter((attribute) => body.includes(`${attribute}="${light}"`))
      .map((attribute) => `[${attribute}="${light}"] { ${attribute}: ${dark} }`),
  );
  return `@media (prefers-color-scheme: dark) { svg { color: ${PALETTE.ink[1]} } ${rules.join(" ")} }`;
}

/** Moves values apart that are nearer than `least`, keeping their order; for labels. */
export function spread(values: readonly number[], least: number): number[] {
  const order = [...values.keys()].sort((i, j) => values[i]! - values[j]!);
  const out = [...values];
  // Each pass halves what overlaps; labels are few.
  for (let pass = 0; pass < 50; pass++) {
    for (let k = 1; k < order.length; k++) {
      const [a, b] = [order[k - 1]!, order[k]!];
      const missing = least - (out[b]! - out[a]!);
      if (missing <= 0) continue;
      out[a]! -= missing / 2;
      out[b]! += missing / 2;
    }
  }
  return out;
}
