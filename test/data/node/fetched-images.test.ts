/** @file A small dataset that is fetched, cached, damaged and fetched again. */
import { readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { mse } from "../../../src/loss/index.ts";
import type { Selection } from "../../../src/data/dataset.ts";
import { collect, download } from "../../../src/data/node/fetch.ts";
import type { Edition, FetchedImages, ImageSource } from "../../../src/data/node/fetch-store.ts";
import { cachedImages, fetchedDataset, fetchImages } from "../../../src/data/node/fetched-images.ts";
import { type LabelledImages, storeSize } from "../../../src/data/node/image-store.ts";
import { digestOf, fillPlainly, nobody, serve, temporaryFolder } from "./support.ts";

const SHAPE = { train: 40, test: 20, inputs: 8 };
const SELECTION: Selection = { targetClasses: [1, 2], trainSize: 8, testSize: 4, loss: mse };

const fillOtherwise = (into: LabelledImages): void => {
  fillPlainly(into);
  into.images[0]! ^= 1;
};

/** A source that counts how often it is asked. */
function source(name: string, fill: ImageSource["fill"] = async (into) => fillPlainly(into)) {
  const counted = {
    name,
    times: 0,
    fill: async (...args: Parameters<ImageSource["fill"]>) => {
      counted.times++;
      await fill(...args);
    },
  };
  return counted;
}

const broken = (name: string, reason: string) => source(name, () => Promise.reject(new Error(reason)));

const dataset = (sources: ImageSource[], ...others: Edition[]): FetchedImages => ({
  ...SHAPE,
  name: "toys",
  hint: "put toys.zip into FOLDER",
  editions: [{ digest: digestOf(SHAPE, fillPlainly), sources }, ...others],
});

const secondEdition = (sources: ImageSource[]): Edition => ({
  digest: digestOf(SHAPE, fillOtherwise),
  notice: "not the real toys",
  sources,
});

describe("a dataset that is fetched", () => {
  it("is fetched once, and leaves one file behind", async () => {
    const folder = await temporaryFolder();
    const shop = source("shop");
    const first = await fetchedDataset(dataset([shop]), SELECTION, { folder });
    const second = await fetchedDataset(dataset([shop]), SELECTION, { folder });
    expect(shop.times).toBe(1);
    expect(second).toEqual(first);
    expect(first.xTrain).toMatchObject({ rows: 8, cols: 8 });
    expect(await readdir(folder)).toEqual(["toys.images"]);
  });

  it("comes from the first source that has it", async () => {
    const folder = await temporaryFolder();
    const sources = [
      broken("closed", "HTTP 503"),
      source("forger", async (into) => fillOtherwise(into)),
      source("cut", async (into) => fillPlainly({ ...into, images: into.images.subarray(0, 400) })),
      source("shop"),
      source("later"),
    ];
    const { path, store } = await fetchImages(dataset(sources), { folder });
    expect(sources.map(({ times }) => times)).toEqual([1, 1, 1, 1, 0]);
    expect(path).toBe(join(folder, "toys.images"));
    expect([...store.test.labels.subarray(0, 3)]).toEqual([0, 1, 2]);
    expect([...(await store.test.read(Uint32Array.of(1)))!]).toEqual([41, 42, 43, 44, 45, 46, 47, 48]);
  });

  it("is asked for in one line when no source has it", async () => {
    const folder = await temporaryFolder();
    const address = await nobody();
    const away = source("away.org", async () => void (await collect(download(address))));
    const absent = { ...source("hand", async () => void (await readFile(join(folder, "no")))), byHand: true };
    const closed = broken("npm toys", "HTTP 404");
    await expect(fetchedDataset(dataset([absent, away, closed]), SELECTION, { folder })).rejects.toThrow(
      `toys: wanted the images from away.org or npm toys, got ECONNREFUSED, HTTP 404; ` +
        `put toys.zip into ${folder} or set NATGRAD_CACHE`,
    );
    expect(await readdir(folder)).toEqual([]);
  });

  it("tells how much has come", async () => {
    const folder = await temporaryFolder();
    const address = await serve({ "/toys": Buffer.alloc(1000) });
    const server = source("server", async (into, _, options) => {
      await collect(download(`${address}toys`, options));
      fillPlainly(into);
    });
    const seen: number[] = [];
    await fetchImages(dataset([server]), { folder, progress: (received) => seen.push(received) });
    expect([seen[0], seen.at(-1)]).toEqual([0, 1000]);
  });

  it("is not fetched for a selection that cannot be", async () => {
    const folder = await temporaryFolder();
    const shop = source("shop");
    const nothing = fetchedDataset(dataset([shop]), { ...SELECTION, trainSize: 0 }, { folder });
    await expect(nothing).rejects.toThrow("trainSize: wanted a whole number above 0, got 0");
    expect(shop.times).toBe(0);
  });

  it("names a cache folder that cannot be", async () => {
    const folder = join(await temporaryFolder(), "file", "folder");
    await writeFile(join(folder, ".."), "");
    await expect(fetchImages(dataset([source("shop")]), { folder })).rejects.toThrow(
      /folder: wanted a writable cache folder \(NATGRAD_CACHE\), got (ENOTDIR|EEXIST)$/,
    );
  });
});

describe("a cache file", () => {
  const imageAt = (i: number): number => storeSize(SHAPE) - (60 - i) * 8;
  const damages: [string, (path: string) => Promise<void>][] = [
    ["is cut short", (path) => truncate(path, 200)],
    ["is empty", (path) => truncate(path, 0)],
    ["has a flipped bit in a label", (path) => flip(path, 33)],
    ["has a flipped bit in a checksum", (path) => flip(path, 32 + 60 + 7)],
    ["has a flipped bit in an image that is read", (path) => flip(path, imageAt(1))],
    ["holds something else of the same size", (path) => writeFile(path, Buffer.alloc(storeSize(SHAPE)))],
  ];
  async function flip(path: string, at: number) {
    const bytes = await readFile(path);
    bytes[at]! ^= 4;
    await writeFile(path, bytes);
  }

  it.each(damages)("that %s is fetched again when it is used", async (_, damage) => {
    const folder = await temporaryFolder();
    const shop = source("shop");
    const before = await fetchedDataset(dataset([shop]), SELECTION, { folder });
    await damage(join(folder, "toys.images"));
    expect(await fetchedDataset(dataset([shop]), SELECTION, { folder })).toEqual(before);
    expect(shop.times).toBe(2);
    expect(await readdir(folder)).toEqual(["toys.images"]);
  });

  it("with a flipped bit in any image is fetched again when that is asked for", async () => {
    const folder = await temporaryFolder();
    const shop = source("shop");
    const { path } = await fetchImages(dataset([shop]), { folder });
    await flip(path, imageAt(59));
    await fetchedDataset(dataset([shop]), SELECTION, { folder }); // Reads other images.
    expect(shop.times).toBe(1);
    await fetchImages(dataset([shop]), { folder });
    expect(shop.times).toBe(2);
  });

  it("that is damaged when nothing can be fetched ends in an error", async () => {
    const folder = await temporaryFolder();
    const { path } = await fetchImages(dataset([source("shop")]), { folder });
    await flip(path, imageAt(1));
    const closed = fetchedDataset(dataset([broken("shop", "ENOTFOUND")]), SELECTION, { folder });
    await expect(closed).rejects.toThrow(
      "toys: wanted the images from shop, got ENOTFOUND; put toys.zip into",
    );
  });
});

describe("a second edition", () => {
  const second = (): ImageSource => source("attic", async (into) => fillOtherwise(into));

  it("is used, with a notice each time, when the first cannot be had", async () => {
    const folder = await temporaryFolder();
    const toys = dataset([broken("shop", "ENOTFOUND")], secondEdition([second()]));
    const notices: string[] = [];
    const options = { folder, notice: (line: string) => void notices.push(line) };
    await fetchedDataset(toys, SELECTION, options);
    await fetchedDataset(toys, SELECTION, options);
    expect(notices).toEqual(["toys: not the real toys", "toys: not the real toys"]);
  });

  it("stays when the first is asked for again in vain, and goes when it comes", async () => {
    const folder = await temporaryFolder();
    const attic = second();
    await fetchImages(dataset([broken("shop", "ENOTFOUND")], secondEdition([attic])), { folder });
    const still = await fetchImages(dataset([broken("shop", "ENOTFOUND")], secondEdition([attic])), {
      folder,
    });
    expect(still.edition.notice).toBe("not the real toys");
    const toys = dataset([source("shop")], secondEdition([attic]));
    expect((await cachedImages(toys, folder))?.edition.notice).toBe("not the real toys");
    await fetchImages(toys, { folder });
    expect((await cachedImages(toys, folder))?.edition).toBe(toys.editions[0]);
  });

  it("is mended from its own sources only, for a run that has begun with it", async () => {
    const folder = await temporaryFolder();
    const attic = second();
    const { path } = await fetchImages(dataset([], secondEdition([attic])), { folder });
    const bytes = await readFile(path);
    bytes[storeSize(SHAPE) - 59 * 8]! ^= 1;
    await writeFile(path, bytes);
    const shop = source("shop");
    await fetchedDataset(dataset([shop], secondEdition([attic])), SELECTION, { folder });
    expect(shop.times).toBe(0);
  });
});
