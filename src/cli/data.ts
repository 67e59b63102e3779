/**
 * @file `natgrad data`: lists the datasets of images, and fetches them before they are needed.
 */
import { Command, Option } from "commander";
import { CATALOGUE, type CatalogueEntry, type LocalDataset } from "../data/node/catalogue.ts";
import { InputError } from "../error.ts";
import { createProgress } from "./progress.ts";
import type { Terminal } from "./terminal.ts";

const HELP = `
Datasets: ${CATALOGUE.map(({ name }) => name).join(", ")}
They are kept in NATGRAD_CACHE, else in natgrad's folder of the platform's cache (XDG_CACHE_HOME, ~/.cache,
~/Library/Caches, %LOCALAPPDATA%). What is there is checked, and fetched again when it is damaged.

Examples:
  natgrad data list
  natgrad data fetch cifar10
  NATGRAD_CACHE=/data/natgrad natgrad data fetch fashion_mnist`;

/** The command. */
export function dataCommand({ stdout, stderr }: Terminal): Command {
  const command = new Command("data").description("List the datasets of images, and fetch them.");
  command
    .command("list", { isDefault: true })
    .description("what there is, where, how large and under which terms (the default)")
    .allowExcessArguments()
    .action(async (_options, { args }: Command) => {
      if (args.length > 0)
        throw new InputError(`data: wanted list or fetch <name>, got ${args.join(" ") || '""'}`);
      for (const entry of CATALOGUE) {
        const local = await entry.find().catch(() => undefined);
        stdout.write(`${describe(entry, local)}\n`);
      }
    });
  command
    .command("fetch")
    .description("download a dataset, or check the copy in the cache")
    .argument("<name>", CATALOGUE.map(({ name }) => name).join(", "))
    .addOption(new Option("--quiet", "no progress on stderr"))
    .allowExcessArguments(false)
    .action((name: string, { quiet }: { quiet?: true }) =>
      fetchDataset(name, quiet === true, { stdout, stderr }),
    );
  return command.addHelpText("after", HELP);
}

async function fetchDataset(name: string, quiet: boolean, { stdout, stderr }: Terminal): Promise<void> {
  const entry = CATALOGUE.find((entry) => entry.name === name.replaceAll("-", "_"));
  if (!entry) {
    const names = CATALOGUE.map(({ name }) => name).join(", ");
    throw new InputError(`dataset: wanted one of ${names}, got ${name || '""'}`);
  }
  const line = createProgress(stderr, { quiet });
  try {
    const local = await entry.fetch({
      progress: (received, total = entry.download) => {
        const part = Math.min(1, received / total);
        line.show(`${name} ${bar(part)} MB`, Math.round(received / 1e6), Math.round(total / 1e6));
      },
    });
    line.clear();
    if (local.notice) stderr.write(`natgrad: ${name}: ${local.notice}\n`);
    stdout.write(`${entry.name}: ${local.path} (${megabytes(local.bytes)}), ${imagesOf(entry)}\n`);
  } finally {
    line.clear();
  }
}

function describe(entry: CatalogueEntry, local: LocalDataset | undefined): string {
  const state = local
    ? `${local.path} (${megabytes(local.bytes)})`
    : `not here: natgrad data fetch ${entry.name} (at most ${megabytes(entry.download)})`;
  const lines = [
    state,
    imagesOf(entry),
    entry.license,
    entry.source,
    ...(local?.notice ? [local.notice] : []),
  ];
  return lines.map((line, i) => `${(i === 0 ? entry.name : "").padEnd(15)}${line}`).join("\n");
}

const imagesOf = ({ train, test, shape }: CatalogueEntry): string =>
  `${train} training and ${test} test images of ${shape}`;

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

const WIDTH = 24;
const bar = (part: number): string => {
  const done = Math.round(part * WIDTH);
  return `[${"#".repeat(done)}${"-".repeat(WIDTH - done)}]`;
};
