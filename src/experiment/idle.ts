/**
 * @file Options that were set and have no effect beside the others. An option that can only be a mistake is refused
 * (config.ts); one that depends on the plan of the run, or is harmless in a script that passes it to every run, is
 * reported.
 */
import type { Solver } from "../fisher/index.ts";
import { defaultOf, type Config } from "./config.ts";

/** Options of conjugate gradients. */
const CG_OPTIONS = ["cg_tolerance", "cg_max_iterations", "preconditioner_rank"] as const;

/** One line for each option that differs from its default and changes nothing, beside the solver of the plan. */
export function idleOptions(config: Config, solver: Solver | undefined): string[] {
  const set = (name: keyof Config): boolean => config[name] !== defaultOf(name);
  const lines: string[] = [];
  if (config.n_layers === 1 && set("width")) {
    lines.push(`width: no effect with n_layers 1, which has no hidden layer`);
  }
  for (const name of CG_OPTIONS) {
    if (solver === "gram" && set(name)) {
      lines.push(`${name}: no effect here, the Gram fits into memory; --solver cg iterates`);
    }
  }
  return lines;
}
