import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/experiment/parse-config.ts";
import type { ConfigEvent, DoneEvent, StepEvent } from "../../src/experiment/events.ts";
import { csvWriter, jsonlWriter, tableWriter } from "../../src/report/writers.ts";

const configEvent = (
  options: Record<string, unknown> = {},
  more: Partial<ConfigEvent> = {},
): ConfigEvent => ({
  event: "config",
  config: parseConfig({ natural_gradient_type: "kfac", ...options }),
  widths: [784, 4096, 4096, 1],
  n_classes: 2,
  target_classes: [0, 1],
  learning_rate: 1 / 201,
  plan: { bytes: 260e6 },
  ...more,
});

const metrics = { train_accuracy: 0.5, train_loss: 1 / 3, test_accuracy: 1, test_loss: 1e-9 };
const step: StepEvent = { event: "step", step: 3, ...metrics, predict: { ...metrics, train_loss: 0.25 } };
const bad: StepEvent = { ...step, train_loss: NaN, test_loss: Infinity };

const done: DoneEvent = {
  event: "done",
  diverged: false,
  seconds: 1.234567,
  peak_rss_bytes: 265 * 2 ** 20,
  timings: { weights: 0.1, kernel: 0.02, loop: 0.3 },
};

describe("jsonlWriter", () => {
  it("writes one object per line that reads back as the event", () => {
    for (const event of [step, done]) {
      const text = jsonlWriter(event);
      expect(text).toMatch(/^\{.*\}\n$/);
      expect(JSON.parse(text)).toEqual(event);
    }
  });

  it("writes the options beside what followed from them", () => {
    const written = JSON.parse(jsonlWriter(configEvent({ width: 64 }))) as Record<string, unknown>;
    expect(written).toMatchObject({ event: "config", width: 64, damping: 0, learning_rate: 1 / 201 });
    expect(written).toMatchObject({ widths: [784, 4096, 4096, 1], target_classes: [0, 1] });
    expect(written).not.toHaveProperty("config");
    expect(Object.keys(written)[0]).toBe("event");
  });

  it("writes numbers that JSON has not as strings", () => {
    expect(JSON.parse(jsonlWriter(bad))).toMatchObject({ train_loss: "NaN", test_loss: "Infinity" });
  });
});

describe("csvWriter", () => {
  it("writes a heading, and as many cells per row, with all digits", () => {
    const heading = csvWriter(configEvent()).trimEnd().split(",");
    const row = csvWriter(step).trimEnd().split(",").map(Number);
    expect(heading).toEqual([
      "step",
      "train_accuracy",
      "train_loss",
      "test_accuracy",
      "test_loss",
      "predict_train_accuracy",
      "predict_train_loss",
      "predict_test_accuracy",
      "predict_test_loss",
    ]);
    expect(row).toEqual([3, 0.5, 1 / 3, 1, 1e-9, 0.5, 0.25, 1, 1e-9]);
  });

  it("writes nothing at the end", () => {
    expect(csvWriter(done)).toBe("");
  });
});

describe("tableWriter", () => {
  it("opens with the options that count", () => {
    const isotropy = { alpha: 200.5, alpha_theory: 201, deviation: 0.0123456789, probes: 100, size: 100 };
    expect(tableWriter(configEvent({}, { isotropy }))).toMatchInlineSnapshot(`
      "==================
      dataset: mnist
      n_classes: 2
      target_classes: [0, 1]
      train_size: 100
      test_size: 50
      n_layers: 3
      width: 4096
      activation: relu
      weight_variance: 2
      bias_variance: 0
      parameterization: ntk
      prng: numpy
      random_seed: 1
      natural_gradient_type: kfac
      loss_type: mse
      n_steps: 2
      log_every: 1
      learning_rate: 0.00497512
      damping: 0
      damping_schedule: constant
      kernel: analytic
      device: cpu
      precision: float32
      workers: 1
      widths: 784 - 4096 - 4096 - 1
      plan: about 260 MB of memory
      alpha: 200.5 (theory: 201)
      isotropy: |G - alpha I| / |alpha I| = 0.0123457
      ==================
      step         train_accuracy  predict      train_loss   predict      test_accuracy  predict      test_loss    predict
      "
    `);
  });

  it("leaves out what a file takes the place of", () => {
    const event = configEvent(
      { dataset_path: "data.npz", kernel_path: "kernel.npz" },
      { target_classes: [7, 2, 5] },
    );
    const text = tableWriter(event);
    expect(text).toContain("dataset_path: data.npz\ntarget_classes: [7, 2, 5]\ntrain_size");
    expect(text).toContain("kernel_path: kernel.npz\ndevice");
  });

  it("says where files go when they are saved", () => {
    const text = tableWriter(configEvent({ save_kernel: true }));
    expect(text).toContain("save_kernel: true\nsave_kernel_dir: ./kernels\n");
    expect(text).not.toContain("save_dataset");
  });

  it("says that an isotropy was estimated", () => {
    const isotropy = { alpha: 1, alpha_theory: null, deviation: 0.5, probes: 256, size: 1000 };
    const text = tableWriter(configEvent({ train_size: 1000 }, { isotropy }));
    expect(text).toContain("alpha: 1\nisotropy: |G - alpha I| / |alpha I| = 0.5 (from 256 random probes)\n");
  });

  it("ends with the time and the memory", () => {
    expect(tableWriter(done)).toBe(
      "done in 1.23 s (weights 0.10 s, kernel 0.02 s, steps 0.30 s), peak memory 265 MiB\n",
    );
    expect(tableWriter({ ...done, diverged: true })).toMatch(/^diverged in 1\.23 s/);
  });

  it("shows numbers that are not finite", () => {
    expect(tableWriter(bad)).toMatch(/nan.*inf/);
  });
});

describe("a run with two predictions and a damping schedule", () => {
  const event = configEvent({ kernel: "both", damping: 0.1, damping_schedule: "levenberg_marquardt" });
  const row: StepEvent = {
    ...step,
    predict_empirical: { ...metrics, train_loss: 0.125 },
    damping: 0.05,
    reduction_ratio: 0.875,
  };

  it("has a column for each in the table, under its heading", () => {
    const lines = (tableWriter(event) + tableWriter(row)).trimEnd().split("\n");
    const [header, values] = lines.slice(-2) as [string, string];
    expect(header.split(/ +/)).toEqual([
      "step",
      ...["train_accuracy", "train_loss", "test_accuracy", "test_loss"].flatMap((name) => [
        name,
        "analytic",
        "empirical",
      ]),
      "damping",
      "ratio",
    ]);
    expect(values.split(/ +/)).toEqual(
      "3 0.5 0.5 0.5 0.333333 0.25 0.125 1 1 1 1e-09 1e-09 1e-09 0.05 0.875".split(" "),
    );
    for (const name of ["analytic", "damping", "ratio"]) expect(values[header.indexOf(name)]).not.toBe(" ");
  });

  it("has them in CSV too, the ratio of the first row empty", () => {
    const [header, values, first] = [event, row, { ...row, reduction_ratio: null }].map((e) =>
      csvWriter(e).trimEnd().split(","),
    );
    expect(values!.length).toBe(header!.length);
    expect(values![header!.indexOf("predict_empirical_train_loss")]).toBe("0.125");
    expect(values![header!.indexOf("reduction_ratio")]).toBe("0.875");
    expect(first!.at(-1)).toBe("");
  });
});

describe("a run without predictions", () => {
  const event = configEvent({ kernel: "none" });
  const { predict: _, ...row } = step;

  it("has the numbers of the network alone", () => {
    expect(tableWriter(event)).toMatch(/\nkernel: none\ndevice: cpu\n/);
    expect(tableWriter(event)).toMatch(/\nstep +train_accuracy +train_loss +test_accuracy +test_loss\n$/);
    expect(tableWriter(row).trim().split(/ +/)).toHaveLength(5);
    expect(csvWriter(event)).toBe("step,train_accuracy,train_loss,test_accuracy,test_loss\n");
    expect(csvWriter(row).split(",")).toHaveLength(5);
    expect(JSON.parse(jsonlWriter(row))).toEqual(row);
  });
});

describe("groups of classes", () => {
  const event = configEvent({ target_classes: "0+2,7" }, { target_classes: [[0, 2], 7] });

  it("are sums in the table and lists in JSON", () => {
    expect(tableWriter(event)).toContain("target_classes: [0+2, 7]\n");
    expect(JSON.parse(jsonlWriter(event))).toMatchObject({ target_classes: [[0, 2], 7] });
  });
});
