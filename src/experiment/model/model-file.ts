/**
 * @file An ONNX model as the network of an experiment: read with its weights, and what it takes and gives checked against data and loss.
 */
import { externalDataOf } from "../../onnx/node/external-data.ts";
import { readWhole } from "../../data/node/files.ts";
import { InputError } from "../../error.ts";
import { readOnnx } from "../../network/onnx/read.ts";
import type { Network } from "../../network/network.ts";
import { digest } from "../digest.ts";
import { OptionError } from "../remedy.ts";
import { headed } from "./head.ts";
import { isModel, readOf, type HeadOption, type ModelFile, type ReadModel } from "./model-option.ts";

/**
 * Options whose model, where they have one, has been read.
 * @throws InputError naming the file: it cannot be read, is no model, or one that natgrad cannot differentiate.
 */
export async function withModel<
  Options extends { readonly architecture: unknown; readonly memory_limit?: number | undefined },
>(options: Options): Promise<Options> {
  const { architecture, memory_limit: limit } = options;
  if (!isModel(architecture) || architecture.read) return options;
  return { ...options, architecture: { ...architecture, read: await readModel(architecture.model, limit) } };
}

async function readModel(file: string, limit: number | undefined): Promise<ReadModel> {
  const bytes = await readWhole(file, limit === undefined ? {} : { limit });
  const digests = [digest([bytes])];
  const beside = externalDataOf(file);
  try {
    const model = await readOnnx(bytes, {
      async external(range) {
        const data = await beside(range);
        digests.push(digest([data]));
        return data;
      },
    });
    return { ...model, sha256: digests.length === 1 ? digests[0]! : digest([Buffer.from(digests.join())]) };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(`${file}: ${error.message}`, { cause: error });
  }
}

/** What an experiment has before and behind a network. */
type Ends = { readonly inputs: number; readonly outputs: number };

/**
 * The network of a model on samples of so many numbers, for so many outputs.
 * @param head where the last layer is a new one
 * @throws InputError where it takes or gives others.
 */
export function modelNetwork(
  file: ModelFile,
  { inputs, outputs }: Ends,
  head: HeadOption | undefined,
): Network {
  const { network } = readOf(file);
  if (network.inputs !== inputs) {
    throw new InputError(
      `model: wanted one that takes ${inputs} numbers (the samples), got one that takes [${network.shapes[0]!.join(", ")}] (${file.model})`,
    );
  }
  if (head === outputs || head === "auto") return headed(network, outputs).network;
  if (head !== undefined) {
    throw new InputError(`head: wanted ${outputs} (the outputs of this loss and these classes), got ${head}`);
  }
  if (network.outputs === outputs) return network;
  throw new OptionError(
    `model: wanted one of ${outputs} outputs (of this loss and these classes), got one of ${network.outputs} (${file.model})`,
    [{ option: "head", value: "auto" }],
  );
}
