/**
 * @file A model among the options of an experiment: its file, and what was read of it.
 */
import { InputError } from "../../error.ts";
import type { OnnxNetwork } from "../../network/onnx/read.ts";

/** A model in place of an architecture. */
export type ModelFile = {
  /** The path of the file. */
  readonly model: string;
  /** What it holds, once it was read. */
  readonly read?: ReadModel;
};

/** What was read of a model. */
export type ReadModel = OnnxNetwork & {
  /** Digest of the file and of its external data. */
  readonly sha256: string;
};

/** Whether the network of options is a model. */
export const isModel = (architecture: unknown): architecture is ModelFile =>
  typeof architecture === "object" && architecture !== null && "model" in architecture;

/** How many outputs a new last layer has; `auto`: those of loss and classes. */
export type HeadOption = number | "auto";

/**
 * What was read of a model.
 * @throws InputError where nothing was.
 */
export function readOf({ model, read }: ModelFile): ReadModel {
  if (read) return read;
  throw new InputError(`model: wanted a network that is made here, got ${model}`);
}
