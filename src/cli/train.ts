/**
 * @file `natgrad train`: trains a network and prints beside every step what the kernel predicted.
 */
import type { Command } from "commander";
import { InputError, printable } from "../error.ts";
import { LAYER_NAMES } from "../experiment/architecture/layer-list.ts";
import { NETWORK_NAMES } from "../experiment/architecture/named.ts";
import { OPTIONS } from "../experiment/config.ts";
import { explain } from "../experiment/explain.ts";
import { parseFlags } from "../experiment/parse-config.ts";
import { withModules } from "../experiment/modules.ts";
import { run } from "../experiment/run.ts";
import { EXPLANATION_WRITERS } from "../report/explanation.ts";
import { WRITERS } from "../report/writers.ts";
import { withAdvice } from "./advice.ts";
import { checkPlaces } from "./preflight.ts";
import { interruption } from "./interrupt.ts";
import { experimentCommand, withProgress, type Printing } from "./options.ts";
import type { Terminal } from "./terminal.ts";

const DESCRIPTION = `Train a wide network by gradient descent or by a natural gradient, and print what its kernel predicts.`;

const HELP = `
Row t is the network after t steps, row 0 the initial one. Beside each number,
"predict" is what the kernel predicted for it: training in function space, from
the same initial outputs. With --kernel both there are two predictions, with
--kernel none there is no prediction and no isotropy.

Examples:
  natgrad train --natural_gradient_type exact
      exact NGD on MNIST, digits 0 and 1: the training loss is gone in a step or two
  natgrad train --natural_gradient_type kfac --n_steps 5
      K-FAC, at its own default learning rate 1/alpha
  natgrad train --learning_rate 1 --n_steps 5
      gradient descent, beside its prediction in continuous time
  natgrad train --natural_gradient_type block_diagonal --damping 1e-3 --kernel empirical
      one Fisher block per layer, damped, predicted by the network's own kernel
  natgrad train --natural_gradient_type unit_wise --damping 1e-8 --kernel both --width 1024
      one Fisher block per unit, beside two predictions
  natgrad train --natural_gradient_type exact --loss_type cross_entropy --damping 1e-6
      cross-entropy; its curvature is taken anew at every step
  natgrad train --natural_gradient_type exact --n_classes 10 --width 1024 --format jsonl
      ten outputs; one JSON object per line
  natgrad train --natural_gradient_type exact --dataset cifar10 --target_classes 3,5
      cats and dogs, fetched the first time
  natgrad train --natural_gradient_type exact --target_classes 0+2+4+6+8,1+3+5+7+9 --train_size 500
      even against odd digits
  natgrad train --learning_rate 100 --train_size all --test_size all --width 512 --kernel none
      all of digits 0 and 1, without a prediction
  natgrad train --natural_gradient_type exact --train_size all --damping 1e-6 --kernel none --memory_limit 3GB
      exact NGD on all of them; what does not fit as a Gram goes by conjugate gradients
  natgrad train --natural_gradient_type kfac --damping 1e-6 --train_size 1000 --batch_size 200 --n_steps 10
      mini-batches, each step predicted
  natgrad train --natural_gradient_type exact --damping 1e-4 --architecture cnn --n_layers 3 --width 32
      a convolutional network on images, predicted by its own kernel
  natgrad train --natural_gradient_type kfac --damping 1e-3 --architecture net.yaml --dataset cifar10
      layers of a file
  natgrad train --natural_gradient_type exact --damping 1e-3 --model net.onnx --dataset_path images.npz
      an ONNX model from its own weights, on data that it takes
  natgrad train --natural_gradient_type kfac --damping 1e-2 --model net.onnx --head auto --dataset_path images.npz
      the same with a new last layer, for classes of your own
  natgrad train --natural_gradient_type exact --damping 1e-2 --blocks layer3
      the last layer alone
  natgrad train --natural_gradient_type kfac --architecture cnn --n_steps 5 --save_model cnn.onnx
      the trained network as an ONNX model, for any runtime
  natgrad train --natural_gradient_type exact --activation gelu --bias_variance 0.5 --damping 1e-4
      another activation; ./own.mjs in place of its name is a module of yours
      that exports it as activation (a method as fisher, a loss as loss)
  natgrad train --natural_gradient_type kfac --architecture myrtle --dataset cifar10 --explain
      how the Jacobian of each layer is kept and why, and what the run would take

Networks: --architecture takes a name (${NETWORK_NAMES.join(", ")}), with --n_layers,
--width and --activation, or a file of layers in YAML or JSON. A layer is a name, or a name and what it takes:
  - conv: {channels: 32, size: 3, padding: same}
  - relu
  - residual: [relu, conv: {channels: 32, size: 3, padding: same}]
  - parallel: [[relu, dense: 8], []]        branches are added; [] is the input itself
  - global_average_pool
  - dense                                   the outputs; left out, it is added
Layers: ${LAYER_NAMES.join(", ").replaceAll(/(.{60,90}), /g, "$1,\n  ")}.

Options may be written with dashes (--n-steps 5) and with = (--n_steps=5).
[bool] is true or false; left out it is true.
Exit codes: 0 done, 1 a fault of natgrad, 2 bad input or an output that cannot
be written, 3 training diverged (something is no finite number any more, or the
training loss ended above ten times the larger of its start and that of zero
outputs), 130 interrupted.`;

/** The command. Its action calls `finish` when the exit code is not 0 though nothing was thrown. */
export const trainCommand = (terminal: Terminal, finish: (exitCode: number) => void): Command =>
  experimentCommand(
    {
      name: "train",
      description: DESCRIPTION,
      help: HELP,
      options: OPTIONS,
      formats: FORMATS,
      flags: { explain: "print what the run would do and take, and stop" },
    },
    async (options, printing) => finish(await train(terminal, printing, options)),
  );

const FORMATS = Object.keys(WRITERS) as (keyof typeof WRITERS)[];

/** Trains and prints; the exit code. */
async function train(
  terminal: Terminal,
  { format, quiet, flags }: Printing<keyof typeof WRITERS>,
  options: Record<string, unknown>,
): Promise<number> {
  const config = parseFlags(await withModules(options));
  if (flags.includes("explain")) {
    if (format === "csv") throw new InputError("format: wanted table or jsonl beside explain, got csv");
    terminal.stdout.write(EXPLANATION_WRITERS[format](await explain(config, { signal: interruption })));
    return 0;
  }
  await checkPlaces(config);
  let reason: string | undefined;
  await withProgress(terminal, quiet, async (progress, notice) => {
    for await (const event of run(config, { progress: progress.show, signal: interruption })) {
      progress.print(terminal.stdout, WRITERS[format](event));
      if (event.event === "notice") notice(withAdvice(event.message, event.remedies));
      if (event.event === "done" && event.diverged) reason = withAdvice(event.reason ?? "", event.remedies);
    }
  });
  if (reason === undefined) return 0;
  terminal.stderr.write(`natgrad: ${printable(reason)}\n`);
  return DIVERGED;
}

/** The exit code of training that diverged. */
const DIVERGED = 3;
