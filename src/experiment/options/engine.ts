/**
 * @file Options about what computes, and with how much memory.
 */
import { DEVICES } from "../../engine/engine.ts";
import { aboutIn } from "./about.ts";
import { bytes, choice, flag, number, whole } from "./values.ts";

const about = aboutIn("Engine");

export const ENGINE_OPTIONS = {
  device: choice(DEVICES).default("cpu").meta(about("<name>", "where the network runs")),
  precision: choice(["float32", "float64"])
    .default("float32")
    .meta(about("<name>", "precision of the network; Grams are always solved in float64")),
  threads: whole(1, 1024)
    .optional()
    .meta(
      about("<n>", "threads of the engine, or of each worker (default one per core, shared among workers)"),
    ),
  workers: whole(1, 64)
    .default(1)
    .meta(
      about(
        "<n>",
        "worker threads that share the tiles of kernels and passes, for machines of many cores; same bits for any number where threads is given",
      ),
    ),
  memory_limit: bytes()
    .optional()
    .meta(about("<size>", "memory that a run may take, as 6GB (default 90 % of what is free)")),
  device_count: number("1, or -1 for all there are", (x) => x === 1 || x === -1)
    .optional()
    .meta(about("<n>", "devices to use, at most 1; accepted for the sake of the JAX program")),
  store_on_device: flag()
    .default(true)
    .meta(about("[bool]", "no effect, kernels are kept on the host; accepted for the same reason")),
};
