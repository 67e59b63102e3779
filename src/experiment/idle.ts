/**
 * @file Options that were set and have no effect beside the others. They are refused (conflicts.ts) where they can only be a
 * mistake, and reported where that depends on the plan of the run, or where a script may pass them to every run.
 */
import type { Fisher, Solver } from "../fisher/index.ts";
import { defaultOf, type Config, type OptionName } from "./config.ts";
import type { NoticeEvent } from "./events.ts";
import { dataSeedOf } from "./identity.ts";

/** Options of conjugate gradients. */
const CG_OPTIONS = ["cg_tolerance", "cg_max_iterations", "preconditioner_rank"] as const;

/** A notice about an option without effect. */
export type IdleOption = Pick<NoticeEvent, "message" | "remedies">;

/**
 * One notice per option that differs from its default and changes nothing with these methods and the solver of the plan.
 */
export function idleOptions(
  config: Config,
  methods: readonly Fisher[],
  solver: Solver | undefined,
): IdleOption[] {
  const set = (name: OptionName): boolean => config[name] !== defaultOf(name);
  const notices: IdleOption[] = [];
  if (config.architecture === "mlp" && config.n_layers === 1 && set("width")) {
    notices.push({ message: "width: no effect with n_layers 1, which has no hidden layer" });
  }
  if (set("random_seed") && !draws(config, methods)) {
    notices.push({
      message: `random_seed: no effect with ${config.model === undefined ? "init_weights_dir" : "model"}, and nothing else is drawn by it`,
    });
  }
  for (const name of CG_OPTIONS) {
    if (solver === "gram" && set(name)) {
      const message = `${name}: no effect here, as the Gram fits into memory and is factored`;
      notices.push({ message, remedies: [{ option: "solver", value: "cg" }] });
    }
  }
  return notices;
}

/** Whether `random_seed` draws anything: weights, data, mini-batches, or the single units of infinite width. */
const draws = (config: Config, methods: readonly Fisher[]): boolean =>
  (config.init_weights_dir === undefined && (config.model === undefined || config.head !== undefined)) ||
  config.batch_size !== undefined ||
  (config.data_seed === undefined && dataSeedOf(config) !== undefined) ||
  (methods.some(({ needs }) => needs === "units") &&
    config.kernel_path === undefined &&
    ["analytic", "both"].includes(config.kernel));
