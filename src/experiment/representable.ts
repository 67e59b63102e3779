/**
 * @file Which option is to blame where the initial network, chosen by options and data alone, has numbers that its precision
 * cannot hold. Through L layers of ReLU the mean square of a signal grows from |x|^2 / M_0 by weight_variance / 2 per layer,
 * and every layer adds bias_variance. The error names the largest of these.
 */
import type { Dataset } from "../data/dataset.ts";
import { NotFiniteError } from "../error.ts";
import { isFiniteKernel, type Kernel } from "../kernel/kernel.ts";
import type { Floats, Matrix } from "../linalg/matrix.ts";
import type { Config } from "./config.ts";
import { OptionError } from "./remedy.ts";

/** What {@link unrepresentable} looks at. */
export type Blamable = Pick<
  Config,
  "weight_variance" | "bias_variance" | "n_layers" | "init_weights_dir" | "dataset_path" | "precision"
>;

/** The error of an initial network whose `what` is not finite: it names an option and its value. */
export function unrepresentable(what: string, config: Blamable, dataset: Dataset): OptionError {
  const { precision, n_layers, weight_variance, bias_variance, init_weights_dir } = config;
  const inputs = Math.max(largest(dataset.xTrain), largest(dataset.xTest));
  const labels = Math.max(largest(dataset.yTrain), largest(dataset.yTest));
  const growths = [
    {
      size: 2 * Math.log(Math.max(inputs, labels)),
      option: config.dataset_path === undefined ? "dataset" : "dataset_path",
      got: `inputs of up to ${short(inputs)} and labels of up to ${short(labels)}`,
      hints: ["inputs of about unit norm"],
    },
    init_weights_dir === undefined
      ? {
          size: n_layers * Math.log(weight_variance / 2),
          option: "weight_variance",
          got: `${short(weight_variance)} in ${n_layers} ${n_layers === 1 ? "layer" : "layers"}`,
          hints: ["a weight_variance near 2", "fewer layers"],
        }
      : {
          size: 0,
          option: "init_weights_dir",
          got: `the weights in ${init_weights_dir}`,
          hints: ["other weights"],
        },
    {
      size: Math.log(bias_variance),
      option: "bias_variance",
      got: short(bias_variance),
      hints: ["a smaller bias_variance"],
    },
  ];
  const { option, got, hints } = growths.reduce((a, b) => (b.size > a.size ? b : a));
  return new OptionError(
    `${option}: wanted an initial network whose ${what} ${precision} can hold, got ${got}`,
    precision === "float32" ? [...hints, { option: "precision", value: "float64" }] : hints,
  );
}

const short = (x: number): string => (x < 1e6 ? String(Number(x.toPrecision(3))) : x.toExponential(1));

/**
 * Kernels of the initial network that `work` makes.
 * @throws the error of {@link unrepresentable} where one has numbers that are not finite.
 */
export async function finiteKernels<T>(
  work: () => Promise<T>,
  kernelsIn: (made: T) => Iterable<Kernel>,
  config: Blamable,
  dataset: Dataset,
): Promise<T> {
  const made = await work().catch((error: unknown) => {
    throw error instanceof NotFiniteError ? unrepresentable("kernel", config, dataset) : error;
  });
  for (const kernel of kernelsIn(made)) {
    if (!(await isFiniteKernel(kernel))) throw unrepresentable("kernel", config, dataset);
  }
  return made;
}

/** Largest absolute entry. */
function largest({ data }: Matrix<Floats>): number {
  let most = 0;
  for (let i = 0; i < data.length; i++) most = Math.max(most, Math.abs(data[i]!));
  return most;
}
