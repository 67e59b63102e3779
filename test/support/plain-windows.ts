/**
 * @file Plain twins of convolutions and pooling: loops over an image, in float64. Nothing here is shared with `src/`. A sequence is an
 * image of height 1.
 */

/** A window in two dimensions, and how it slides. */
export type Geometry = {
  kernel: [number, number];
  stride: [number, number];
  dilation: [number, number];
  padding: "same" | "valid" | "circular" | [[number, number], [number, number]];
};

/** [height, width, channels]. */
export type Image = { shape: [number, number, number]; data: ArrayLike<number> };

/** Zeros, or other pixels, before and after an axis of n. */
function pads(n: number, k: number, s: number, d: number, padding: Geometry["padding"], axis: number) {
  if (padding === "valid") return [0, 0] as const;
  if (typeof padding !== "string") return padding[axis]!;
  const total = Math.max((Math.ceil(n / s) - 1) * s + (k - 1) * d + 1 - n, 0);
  return [Math.floor(total / 2), total - Math.floor(total / 2)] as const;
}

/** For each output pixel the values of its window, [places][channels]; undefined for padding. */
export function plainWindows({ shape: [h, w, c], data }: Image, geometry: Geometry) {
  const { kernel, stride, dilation, padding } = geometry;
  const edges = [h, w].map((n, a) => pads(n, kernel[a]!, stride[a]!, dilation[a]!, padding, a));
  const [rows, cols] = [h, w].map((n, a) => {
    const room = n + edges[a]![0] + edges[a]![1] - (kernel[a]! - 1) * dilation[a]! - 1;
    return Math.floor(room / stride[a]!) + 1;
  }) as [number, number];
  const pixel = (i: number, j: number): number[] | undefined => {
    if (padding === "circular") return pixel0(((i % h) + h) % h, ((j % w) + w) % w);
    return i < 0 || j < 0 || i >= h || j >= w ? undefined : pixel0(i, j);
  };
  const pixel0 = (i: number, j: number) => Array.from({ length: c }, (_, k) => data[(i * w + j) * c + k]!);
  const windows: (number[] | undefined)[][] = [];
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < cols; x++) {
      const window: (number[] | undefined)[] = [];
      for (let i = 0; i < kernel[0]; i++) {
        for (let j = 0; j < kernel[1]; j++) {
          window.push(
            pixel(
              y * stride[0] + i * dilation[0] - edges[0]![0],
              x * stride[1] + j * dilation[1] - edges[1]![0],
            ),
          );
        }
      }
      windows.push(window);
    }
  }
  return { rows, cols, windows };
}

/** A convolution with theta [O, I], columns ordered (rows, columns, channels) and the bias last. */
export function plainConv(
  image: Image,
  geometry: Geometry,
  theta: ArrayLike<number>,
  { channels, groups, weight, bias }: { channels: number; groups: number; weight: number; bias: number },
): number[] {
  const { windows } = plainWindows(image, geometry);
  const perGroup = image.shape[2] / groups;
  const places = geometry.kernel[0] * geometry.kernel[1];
  const columns = places * perGroup + (bias > 0 ? 1 : 0);
  return windows.flatMap((window) =>
    Array.from({ length: channels }, (_, o) => {
      const group = Math.floor(o / (channels / groups));
      let sum = bias > 0 ? bias * theta[(o + 1) * columns - 1]! : 0;
      for (const [place, values] of window.entries()) {
        if (!values) continue;
        for (let k = 0; k < perGroup; k++) {
          sum += weight * theta[o * columns + place * perGroup + k]! * values[group * perGroup + k]!;
        }
      }
      return sum;
    }),
  );
}
