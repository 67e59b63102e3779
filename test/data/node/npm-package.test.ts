/** @file Files from gzipped tar archives, and from packages of a registry on this machine. */
import { describe, expect, it } from "vitest";
import { failure } from "../../../src/data/node/fetch.ts";
import { eachPackageFile, npmRegistry } from "../../../src/data/node/npm-package.ts";
import { eachTarEntry } from "../../../src/data/node/tar.ts";
import { registryOf, serve, tarGz } from "./support.ts";

const FILES = { "package/a.txt": "alpha", "package/empty": "", "package/b.bin": Buffer.alloc(100_000, 7) };

async function* inPieces(bytes: Uint8Array, size = 1000) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const reasonOf = (work: Promise<unknown>): Promise<string> => work.then(() => "none", failure);

describe("eachTarEntry", () => {
  it("hands out every file with its name", async () => {
    const found: Record<string, Buffer> = {};
    await eachTarEntry(inPieces(tarGz(FILES)), ({ name, bytes }) => void (found[name] = Buffer.from(bytes)));
    expect(Object.keys(found)).toEqual(Object.keys(FILES));
    for (const [name, content] of Object.entries(FILES))
      expect(found[name]!.equals(Buffer.from(content))).toBe(true);
  });

  it("refuses an archive that is cut short, damaged or something else", async () => {
    const whole = tarGz(FILES);
    const nothing = (): void => {};
    expect(await reasonOf(eachTarEntry(inPieces(whole.subarray(0, 150)), nothing))).toBe("Z_BUF_ERROR");
    const damaged = Buffer.from(whole);
    damaged[damaged.length - 6]! ^= 1;
    expect(await reasonOf(eachTarEntry(inPieces(damaged), nothing))).toBe("Z_DATA_ERROR");
    expect(await reasonOf(eachTarEntry(inPieces(Buffer.from("<html>")), nothing))).toBe("Z_DATA_ERROR");
  });
});

describe("eachPackageFile", () => {
  it("hands out the files of a package as the registry describes it", async () => {
    const { routes, at } = registryOf("some", FILES);
    const registry = await serve(routes);
    at(registry);
    const names: string[] = [];
    const progress: number[] = [];
    await eachPackageFile({ name: "some", version: "1.0.0", registry }, ({ name }) => void names.push(name), {
      progress: (received) => progress.push(received),
    });
    expect(names).toEqual(Object.keys(FILES));
    expect(progress.at(-1)).toBe(tarGz(FILES).length);
  });

  it("ends in an error when the package is not the one described", async () => {
    const { routes, at } = registryOf("some", FILES);
    const registry = await serve({ ...routes, "/some.tgz": tarGz({ ...FILES, "package/a.txt": "other" }) });
    at(registry);
    const source = { name: "some", version: "1.0.0", registry };
    expect(await reasonOf(eachPackageFile(source, () => {}))).toMatch(/^sha512 /);
    expect(await reasonOf(eachPackageFile({ ...source, version: "2.0.0" }, () => {}))).toBe("HTTP 404");
  });
});

describe("npmRegistry", () => {
  it("is the one that npm is set up for, with a slash at its end", async () => {
    expect(await npmRegistry({ npm_config_registry: "https://example.org/npm" })).toBe(
      "https://example.org/npm/",
    );
    expect(await npmRegistry({ npm_config_registry: "undefined" })).toBe("https://registry.npmjs.org/");
  });
});
