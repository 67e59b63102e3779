/**
 * @file Data of your own: makes a dataset of arrays, saves it in the layout of the paper's programs, reads it back, and
 * trains on the file.
 *
 *     npx tsx examples/datasets.ts
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { matrix, mse, type Matrix } from "natgrad";
import { randomState } from "natgrad/data";
import { loadDataset, parseConfig, run, saveDataset } from "natgrad/node";

// Two noisy rings, each point on the unit sphere in three dimensions. Labels +-1/2 share one output.
const { normalsInto } = randomState(5);
function rings(samples: number): { x: Matrix; y: Matrix } {
  const noise = normalsInto(new Float64Array(3 * samples));
  const x = matrix(samples, 3, new Float64Array(3 * samples));
  const y = matrix(samples, 1, new Float64Array(samples));
  for (let n = 0; n < samples; n++) {
    const angle = (2 * Math.PI * n) / samples;
    const height = n % 2 === 0 ? 0.4 : -0.4;
    const point = [Math.cos(angle), Math.sin(angle), height].map((v, i) => v + 0.1 * noise[3 * n + i]!);
    const length = Math.hypot(...point);
    for (const [i, v] of point.entries()) x.data[3 * n + i] = v / length;
    y.data[n] = n % 2 === 0 ? 0.5 : -0.5;
  }
  return { x, y };
}
const [train, test] = [rings(80), rings(40)];

const folder = await mkdtemp(join(tmpdir(), "natgrad-"));
try {
  const path = join(folder, "rings.npz");
  await saveDataset(path, {
    xTrain: train.x,
    yTrain: train.y,
    xTest: test.x,
    yTest: test.y,
    targetClasses: [0, 1],
  });

  const { xTrain, targetClasses } = await loadDataset(path, { loss: mse });
  console.log(
    `${xTrain.rows} training samples of ${xTrain.cols} inputs, classes ${targetClasses.join(" and ")}`,
  );

  const config = parseConfig({
    dataset_path: path,
    train_size: 80,
    test_size: 40,
    natural_gradient_type: "exact",
    bias_variance: 0.1,
    damping: 1e-4,
    width: 1024,
    n_steps: 3,
  });
  for await (const event of run(config)) {
    if (event.event !== "step") continue;
    const { step, train_loss, test_accuracy, predict } = event;
    console.log(
      `step ${step}: training loss ${train_loss.toPrecision(3)} (predicted ${predict?.train_loss.toPrecision(3)}),`,
      `test accuracy ${test_accuracy}`,
    );
  }
} finally {
  await rm(folder, { recursive: true });
}
