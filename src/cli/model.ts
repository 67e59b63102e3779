/**
 * @file `natgrad model FILE`: what an ONNX model holds, and whether natgrad has its ops.
 */
import { Command, Option } from "commander";
import { readWhole } from "../data/node/files.ts";
import { InputError } from "../error.ts";
import { describeOnnx } from "../network/onnx/describe.ts";
import { externalDataOf } from "../onnx/node/external-data.ts";
import { MODEL_WRITERS } from "../report/model.ts";
import type { Terminal } from "./terminal.ts";

const HELP = `
A model that natgrad can differentiate is a network: one block for each kernel
with its bias, gain with its shift, table, or other parameter, named as in the
file. A weight that is used twice is one block. docs/onnx.md says what is read.

Examples:
  natgrad model resnet18.onnx
  natgrad model gpt.onnx --sizes sequence=16
  natgrad model two_heads.onnx --output_name logits --format jsonl

Exit codes: 0 a network, 1 a fault of natgrad, 2 bad input, or a model that is
no network (it is described, and the reason is printed).`;

type Flags = { readonly output_name?: string; readonly sizes?: string; readonly format?: string };

/** The command. */
export const modelCommand = ({ stdout }: Terminal): Command =>
  new Command("model")
    .description(
      "Describe an ONNX model: inputs, outputs, blocks of parameters, ops and whether each is known.",
    )
    .argument("<file>", "a .onnx file; external data beside it are read")
    .addOption(
      new Option("--output_name <name>", "the output that is the network's, of a model that has several"),
    )
    .addOption(new Option("--sizes <name=size,...>", "sizes of open dimensions other than the batch"))
    .addOption(new Option("--format <name>", `how to print (${FORMATS.join(" | ")}; default table)`))
    .addHelpOption(new Option("-h, --help", "print this"))
    .addHelpText("after", HELP)
    .allowExcessArguments(false)
    .action(async (file: string, { output_name: output, sizes = "", format = "table" }: Flags) => {
      const known = FORMATS.find((name) => name === format);
      if (!known)
        throw new InputError({ what: "format", wanted: `one of ${FORMATS.join(", ")}`, got: format || '""' });
      const model = await describeOnnx(await readWhole(file), {
        external: externalDataOf(file),
        sizes: readSizes(sizes),
        ...(output === undefined ? {} : { output }),
      });
      stdout.write(MODEL_WRITERS[known](model));
      if (model.fault) throw model.fault;
    });

const FORMATS = Object.keys(MODEL_WRITERS) as (keyof typeof MODEL_WRITERS)[];

/** `a=1,b=2`. */
function readSizes(text: string): Record<string, number> {
  const pairs = text.split(",").filter((pair) => pair !== "");
  return Object.fromEntries(
    pairs.map((pair) => {
      const [, name, size] = /^(.+)=([1-9]\d{0,8})$/.exec(pair) ?? [];
      if (name === undefined)
        throw new InputError({ what: "sizes", wanted: "name=size, as sequence=16", got: pair });
      return [name, Number(size)] as const;
    }),
  );
}
