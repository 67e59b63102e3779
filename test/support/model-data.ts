/**
 * @file Datasets of three classes on the input of a model, in files.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeNpz } from "../../src/linalg/npz.ts";
import { randomState } from "../../src/random/random-state.ts";

/** Models among the fixtures. */
export const modelFile = (name: string): string => `test/fixtures/onnx/${name}.onnx`;

const count = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** Samples with their first axis, the channels, at the end. */
function channelsLast(data: Float64Array, [channels = 1, ...rest]: readonly number[]): Float64Array {
  const pixels = count(rest);
  return data.map((_, k) => {
    const [n, at] = [Math.floor(k / (channels * pixels)), k % (channels * pixels)];
    return data[n * channels * pixels + (at % channels) * pixels + Math.floor(at / channels)]!;
  });
}

/**
 * Writes a dataset of 12 training and 6 test samples.
 * @param shape of a sample, channels first
 * @returns the options of a command line that train on it
 */
export function writeSamples(
  folder: string,
  shape: readonly number[],
  { last = false, classes = 3 }: { last?: boolean; classes?: number } = {},
): string {
  const random = randomState(7);
  const split = (n: number) => {
    const drawn = random
      .normalsInto(new Float64Array(n * count(shape)))
      .map((x) => x / Math.sqrt(count(shape)));
    const labels = Float64Array.from({ length: n * classes }, (_, k) =>
      Math.floor(k / classes) % classes === k % classes ? 1 : 0,
    );
    const axes = last ? [...shape.slice(1), shape[0]!] : shape;
    return [
      { shape: [n, ...axes], data: last ? channelsLast(drawn, shape) : drawn },
      { shape: [n, classes], data: labels },
    ] as const;
  };
  const [xTrain, yTrain] = split(12);
  const [xTest, yTest] = split(6);
  const arrays = {
    arr_0: xTrain,
    arr_1: yTrain,
    arr_2: xTest,
    arr_3: yTest,
    arr_4: { shape: [classes], data: Float64Array.from({ length: classes }, (_, c) => c) },
  };
  const path = join(folder, `samples${shape.join("x")}-${last ? "last" : "first"}-${classes}.npz`);
  writeFileSync(path, writeNpz(arrays));
  return `--dataset_path ${path} --train_size 12 --test_size 6`;
}
