/**
 * @file The network that an experiment asks for: one with a name, a list of layers, or a model. It begins with a sample as the dataset has it, and
 * ends with the outputs that loss and classes want.
 */
import { InputError } from "../../error.ts";
import { sequence, serial, type Layer } from "../../network/layers.ts";
import { createBuilder, type Network } from "../../network/network.ts";
import { dense } from "../../ops/dense.ts";
import type { Role } from "../../ops/parameterization.ts";
import { transpose } from "../../ops/transpose.ts";
import { modelNetwork } from "../model/model-file.ts";
import { isModel } from "../model/model-option.ts";
import type { LayerList } from "./layer-file.ts";
import { endsInDense, lastPath, layersOf } from "./layer-list.ts";
import { NAMED, type Ends, type Named, type NetworkOptions } from "./named.ts";
import type { Surroundings } from "./kinds.ts";

/** The network with a name; undefined where the layers are listed, or those of a model. */
export const namedOf = ({ architecture }: Pick<NetworkOptions, "architecture">): Named | undefined =>
  typeof architecture === "string" ? NAMED[architecture] : undefined;

/**
 * The network of options between such ends.
 * @throws InputError for what does not fit the samples, naming the layer where it is one of a file.
 */
export function buildNetwork(options: NetworkOptions, ends: Ends): Network {
  const { architecture } = options;
  if (isModel(architecture)) return modelNetwork(architecture, ends, options.head);
  try {
    return typeof architecture === "string"
      ? NAMED[architecture].build(options, ends)
      : listedNetwork(architecture, options, ends);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new InputError(`architecture: ${error.message}`, { cause: error });
  }
}

/**
 * Checks the layers of a list, where it is one, as far as they can be without samples.
 * @throws InputError naming the layer.
 */
export function checkLayers(options: NetworkOptions): void {
  const { architecture } = options;
  if (typeof architecture === "string" || isModel(architecture)) return;
  layersOf(architecture, surroundings(options, 1));
}

function listedNetwork(list: LayerList, options: NetworkOptions, { inputs, sample, outputs }: Ends): Network {
  const around = surroundings(options, outputs);
  const layers = layersOf(list, around);
  const shape = sample?.shape ?? [inputs];
  const start: Layer[] = sample?.channelsFirst
    ? [transpose(...shape.map((_, i) => (i + 1) % shape.length))]
    : [];
  if (endsInDense(list)) {
    const network = serial(shape, ...start, ...layers);
    if (network.outputs === outputs) return network;
    throw new InputError(
      `${lastPath(list)}.dense.width: wanted ${outputs} (the outputs of this loss and these classes), got ${network.outputs}`,
    );
  }
  const b = createBuilder(shape);
  const [value = 0, ...others] = sequence(...start, ...layers).append(b, [0]);
  const axes = b.shape(value);
  if (others.length > 0 || axes.length !== 1) {
    throw new InputError(
      `${lastPath(list)}: wanted values of one axis before the outputs (flatten, or a global pool), got [${axes.join(", ")}]`,
    );
  }
  return b.finish(b.apply(dense(outputs, { ...around.weights(), role: "output" }), [value]));
}

/** What layers find around them: the first one with weights is the input layer. */
function surroundings(
  { weight_variance, bias_variance, parameterization }: NetworkOptions,
  outputs: number,
): Surroundings {
  let role: Role = "input";
  return {
    outputs,
    weights() {
      const own = { weightVariance: weight_variance, biasVariance: bias_variance, parameterization, role };
      role = "hidden";
      return own;
    },
  };
}
