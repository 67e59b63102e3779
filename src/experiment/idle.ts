/**
 * @file Options that were set and have no effect beside the others. An option that can only be a mistake is refused
 * (config.ts); one that depends on the plan of the run, or is harmless in a script that passes it to every run, is
 * reported.
 */
import type { Fisher, Solver } from "../fisher/index.ts";
import { defaultOf, type Config } from "./config.ts";
import { dataSeedOf } from "./identity.ts";

/** Options of conjugate gradients. */
const CG_OPTIONS = ["cg_tolerance", "cg_max_iterations", "preconditioner_rank"] as const;

/** One line for each option that differs from its default and changes nothing, beside these methods and the solver of the plan. */
export function idleOptions(
  config: Config,
  methods: readonly Fisher[],
  solver: Solver | undefined,
): string[] {
  const set = (name: keyof Config): boolean => config[name] !== defaultOf(name);
  const lines: string[] = [];
  if (config.n_layers === 1 && set("width")) {
    lines.push(`width: no effect with n_layers 1, which has no hidden layer`);
  }
  if (set("random_seed") && !draws(config, methods)) {
    lines.push("random_seed: no effect with init_weights_dir, and nothing else is drawn by it");
  }
  for (const name of CG_OPTIONS) {
    if (solver === "gram" && set(name)) {
      lines.push(`${name}: no effect here, the Gram fits into memory; --solver cg iterates`);
    }
  }
  return lines;
}

/** Whether `random_seed` draws anything: weights, data, mini-batches, or the single units of infinite width. */
const draws = (config: Config, methods: readonly Fisher[]): boolean =>
  config.init_weights_dir === undefined ||
  config.batch_size !== undefined ||
  (config.data_seed === undefined && dataSeedOf(config) !== undefined) ||
  (methods.some(({ needs }) => needs === "units") &&
    config.kernel_path === undefined &&
    ["analytic", "both"].includes(config.kernel));
