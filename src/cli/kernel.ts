/**
 * @file `natgrad kernel`: what the kernel of a dataset and an architecture says about training before any step.
 */
import type { Command } from "commander";
import { diagnose } from "../experiment/diagnose.ts";
import { DIAGNOSIS_OPTIONS, parseDiagnosisFlags } from "../experiment/diagnosis.ts";
import { withModules } from "../experiment/modules.ts";
import { FISHERS, PLAIN } from "../fisher/index.ts";
import { LOSS_NAMES } from "../loss/index.ts";
import { DIAGNOSIS_WRITERS } from "../report/diagnosis.ts";
import { inFlags } from "./advice.ts";
import { interruption } from "./interrupt.ts";
import { experimentCommand, withProgress, type Printing } from "./options.ts";
import type { Terminal } from "./terminal.ts";

const DESCRIPTION = `Diagnose the kernel of a dataset and an architecture: spectrum, isotropy of every method, distance from the analytic kernel, posterior.`;

const HELP = `
Theta is the neural tangent kernel on the training samples, analytic (infinite
width) and empirical (this width and seed). Under it a method is the recursion
f <- f - eta G (f - y), as fast as exact NGD where G = alpha I:
  alpha      tr G / n, beside that of the theory
  deviation  |G - alpha I| / |alpha I|
  eta        the default learning rate 1/alpha, and the largest that is stable
For a method that does not exist on a kernel, the reason is printed.

With --loss_type cross_entropy the methods are those of that loss. Its curvature
S S^T is that at the initial outputs (0 for the analytic kernel, the network's
own for the empirical one); alpha, deviation and eta are of S^T G. Spectrum,
times of gradient descent and posterior stay those of a squared error.

Examples:
  natgrad kernel
      MNIST, digits 0 and 1, three layers: every method
  natgrad kernel --width 256 --natural_gradient_type kfac
      how far a narrow network is from the theory of K-FAC
  natgrad kernel --n_layers 5 --damping 1e-6
      why block_tri_diagonal is not there, and what damping costs in isotropy
  natgrad kernel --n_classes 10 --train_size 50 --width 1024 --format jsonl
      ten outputs; one JSON object per line, with all eigenvalues
  natgrad kernel --loss_type cross_entropy --width 1024
      at which learning rates the methods are stable under cross-entropy

Options are those of natgrad train. The damping is also the ridge of the
posterior. Exit codes: 0 done, 1 a fault of natgrad, 2 bad input or an output
that cannot be written, 130 interrupted.`;

/** Gradient descent is called none, as in \`natgrad train\`. */
const METHOD_NAMES = FISHERS.map((fisher) => (fisher === PLAIN ? "none" : fisher.name));

/** Descriptions that differ from those of `natgrad train`. */
const DESCRIPTIONS = {
  natural_gradient_type: `look at this method alone, or at that of a module (${METHOD_NAMES.join(" | ")}; default every one that is quick)`,
  loss_type: `loss that the methods are measured under, or a module with yours (${LOSS_NAMES.join(" | ")}; default ${LOSS_NAMES[0]})`,
};

/** The command. */
export const kernelCommand = (terminal: Terminal): Command =>
  experimentCommand(
    {
      name: "kernel",
      description: DESCRIPTION,
      help: HELP,
      options: DIAGNOSIS_OPTIONS,
      descriptions: DESCRIPTIONS,
      formats: FORMATS,
    },
    (options, printing) => print(terminal, printing, options),
  );

const FORMATS = Object.keys(DIAGNOSIS_WRITERS) as (keyof typeof DIAGNOSIS_WRITERS)[];

async function print(
  terminal: Terminal,
  { format, quiet }: Printing<keyof typeof DIAGNOSIS_WRITERS>,
  options: Record<string, unknown>,
): Promise<void> {
  const write = DIAGNOSIS_WRITERS[format]();
  const diagnosis = parseDiagnosisFlags(await withModules(options));
  await withProgress(terminal, quiet, async (progress, notice) => {
    const listeners = { progress: progress.show, notice, word: inFlags, signal: interruption };
    for await (const event of diagnose(diagnosis, listeners)) {
      const text = write(event);
      if (text !== "") progress.print(terminal.stdout, text);
    }
  });
}
