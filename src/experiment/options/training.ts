/**
 * @file Options about the method, the loss and the steps, and how systems are solved.
 */
import { z } from "zod";
import { DAMPING_SCHEDULES } from "../../dynamics/damping.ts";
import { NATURAL_GRADIENTS, SINGULAR } from "../../fisher/index.ts";
import { LOSS_NAMES } from "../../loss/index.ts";
import { aboutIn } from "./about.ts";
import { choice, choiceOrOwn, notNegative, number, positive, whole, type Reader } from "./values.ts";

const about = aboutIn("Training");

/** Methods by the names that options have for them; gradient descent is the one without a name. */
export const METHODS = NATURAL_GRADIENTS.map(({ name }) => name);

const readMethod: Reader<string | undefined> = (v) => (v === "none" ? undefined : v);

export const TRAINING_OPTIONS = {
  natural_gradient_type: z
    .preprocess(readMethod, choiceOrOwn(METHODS).optional())
    .optional()
    .meta(
      about(
        "<name|file>",
        "Fisher matrix of the natural gradient, or a module that exports yours as fisher; without it, gradient descent",
      ),
    ),
  loss_type: choiceOrOwn(LOSS_NAMES)
    .default(LOSS_NAMES[0]!)
    .meta(about("<name|file>", "loss to minimise, or a module that exports yours as loss")),
  n_steps: whole(0).default(2).meta(about("<n>", "steps")),
  batch_size: whole(1)
    .optional()
    .meta(
      about("<n>", "take every step on so many training samples, each once per epoch (default: all of them)"),
    ),
  log_every: whole(1).default(1).meta(about("<n>", "print a row every so many steps, and after the last")),
  learning_rate: positive()
    .optional()
    .meta(about("<x>", "learning rate, eta (default 1/alpha of the theory; none for gradient descent)")),
  lr_factor: positive().optional().meta(about("<x>", "multiplies the learning rate (default 1)")),
  damping: notNegative().default(0).meta(about("<x>", "rho, added to the Fisher matrix: F + rho I")),
  damping_schedule: choice(DAMPING_SCHEDULES)
    .default("constant")
    .meta(about("<name>", "keep rho, or adapt it by the reduction ratio of every step")),
  singular: choice(SINGULAR)
    .default("refuse")
    .meta(
      about(
        "<name>",
        "a Gram without an inverse: an error, or the least-norm step by its inverse on the numerical range",
      ),
    ),
  solver: choice(["auto", "gram", "cg"])
    .default("auto")
    .meta(
      about(
        "<name>",
        "exact NGD by a Cholesky factor of the NTK, or by conjugate gradients that never form it; auto: what fits",
      ),
    ),
  cg_tolerance: number("a number from 1e-30 to below 1", (x) => x >= 1e-30 && x < 1)
    .default(1e-4)
    .meta(about("<x>", "relative residual at which conjugate gradients end")),
  cg_max_iterations: whole(1).default(200).meta(about("<n>", "most iterations of conjugate gradients")),
  preconditioner_rank: whole(0)
    .optional()
    .meta(
      about(
        "<n>",
        "rank of the preconditioner of conjugate gradients (default N C / 4, at most 2000; 0: none)",
      ),
    ),
};
