/** @file Files from gzipped tar archives, and from packages of a registry on this machine. */
import { createHash } from "node:crypto";
import type { ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { InputError } from "../../../src/error.ts";
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

describe("a tar archive that unpacks to much", () => {
  const nothing = (): void => {};

  /** Half a gibibyte of zeros, which end an archive; and how much of their gzip was asked for. */
  function zeros(
    before: Uint8Array = new Uint8Array(),
  ): [bytes: AsyncIterable<Uint8Array>, asked: () => number] {
    const mebibyte = Buffer.alloc(2 ** 20);
    let asked = 0;
    const members = (async function* () {
      yield gzipSync(before);
      for (; asked < 512; asked++) yield gzipSync(mebibyte);
    })();
    return [members, () => asked];
  }

  it("is unpacked as far as it may be", async () => {
    const [bytes, asked] = zeros();
    expect(await reasonOf(eachTarEntry(bytes, nothing, { whole: 2 ** 20 }))).toBe("more than 1048576 bytes");
    expect(asked()).toBeLessThan(64);
  });

  it("has no file that is larger than it may be", async () => {
    const header = Buffer.alloc(512);
    header.write("bomb");
    header.write("77777777777", 124); // 8 GiB
    header.write("        0", 148);
    const sum = header.reduce((sum, byte) => sum + byte, 0);
    header.write(sum.toString(8).padStart(6, "0"), 148);
    const [bytes, asked] = zeros(header);
    expect(await reasonOf(eachTarEntry(bytes, nothing))).toBe(
      "a tar archive with a file of more than 67108864 bytes",
    );
    expect(asked()).toBeLessThan(64);
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

describe("a hostile registry", () => {
  const source = (registry: string) => ({ name: "some", version: "1.0.0", registry });
  const never = (): void => {
    throw new Error("taken");
  };

  /** Answers without end; what was sent counts. */
  const endless =
    (count: (bytes: number) => void, head = "", part: Uint8Array = Buffer.alloc(2 ** 16, "[")) =>
    (response: ServerResponse): void => {
      response.write(head);
      const more = (): void => {
        count(part.length);
        if (response.destroyed) return;
        if (response.write(part)) setImmediate(more);
        else response.once("drain", more);
      };
      more();
    };

  it("that describes a package without end is left", async () => {
    let sent = 0;
    const registry = await serve({ "/some/1.0.0": endless((bytes) => (sent += bytes), '{"dist":') });
    expect(await reasonOf(eachPackageFile(source(registry), never))).toBe("more than 1048576 bytes");
    expect(sent).toBeLessThan(2 ** 25);
  });

  it("that compresses its description is left as well", async () => {
    const packed = gzipSync(Buffer.alloc(2 ** 26, "["));
    const registry = await serve({
      "/some/1.0.0": (response) => response.writeHead(200, { "content-encoding": "gzip" }).end(packed),
    });
    expect(await reasonOf(eachPackageFile(source(registry), never))).toBe("more than 1048576 bytes");
  });

  it("that sends an archive without end is left", async () => {
    let sent = 0;
    const { routes, at } = registryOf("some", FILES);
    const part = gzipSync(Buffer.alloc(0));
    const registry = await serve({ ...routes, "/some.tgz": endless((bytes) => (sent += bytes), "", part) });
    at(registry);
    expect(await reasonOf(eachPackageFile(source(registry), never, { limit: 10_000 }))).toBe(
      "more than 10000 bytes",
    );
    expect(sent).toBeLessThan(2 ** 25);
  });

  it("that says nothing of use is named", async () => {
    const integrity = `sha512-${createHash("sha512").update("x").digest("base64")}`;
    const answers: [string, string][] = [
      ["\u001b[2Jnothing", "an answer that is no JSON"],
      ["null", "no tarball with a sha512 checksum"],
      ["[]", "no tarball with a sha512 checksum"],
      [JSON.stringify({ dist: { tarball: ["http://x"], integrity } }), "no tarball with a sha512 checksum"],
      [JSON.stringify({ dist: { tarball: "http://x", integrity: 5 } }), "no tarball with a sha512 checksum"],
      [JSON.stringify({ dist: { tarball: "data:,x", integrity } }), "an address of data:, not http or https"],
      [
        JSON.stringify({ dist: { tarball: "file:///etc/passwd", integrity } }),
        "an address of file:, not http or https",
      ],
      [JSON.stringify({ dist: { tarball: "some.tgz", integrity } }), "no address, not http or https"],
    ];
    for (const [answer, reason] of answers) {
      const registry = await serve({ "/some/1.0.0": (response) => response.end(answer) });
      expect(await reasonOf(eachPackageFile(source(registry), never))).toBe(reason);
    }
  });

  it("that leads in circles, or away from the web, is left", async () => {
    let visits = 0;
    for (const [location, reason] of [
      ["/some/1.0.0", /redirect/],
      ["file:///etc/passwd", /scheme|protocol/i],
      ["data:application/json,{}", /scheme|protocol/i],
    ] as const) {
      const registry = await serve({
        "/some/1.0.0": (response) => {
          visits++;
          response.writeHead(302, { location }).end();
        },
      });
      expect(await reasonOf(eachPackageFile(source(registry), never))).toMatch(reason);
    }
    expect(visits).toBeLessThan(30);
  });

  it("that leads to another host does not get it the password", async () => {
    const seen: (string | undefined)[] = [];
    const note = (headers: object): void =>
      void seen.push((headers as { authorization?: string }).authorization);
    const other = await serve({
      "/": (response, headers) => {
        note(headers);
        response.end("{}");
      },
    });
    const registry = await serve({
      "/some/1.0.0": (response, headers) => {
        note(headers);
        response.writeHead(302, { location: other }).end();
      },
    });
    const withPassword = registry.replace("//", "//me:secret@");
    expect(await reasonOf(eachPackageFile(source(withPassword), never))).toBe(
      "no tarball with a sha512 checksum",
    );
    expect(seen).toEqual([`Basic ${Buffer.from("me:secret").toString("base64")}`, undefined]);
  });
});

describe("npmRegistry", () => {
  it("is the one that npm is set up for, with a slash at its end", async () => {
    expect(await npmRegistry({ npm_config_registry: "https://example.org/npm" })).toBe(
      "https://example.org/npm/",
    );
    expect(await npmRegistry({ npm_config_registry: "undefined" })).toBe("https://registry.npmjs.org/");
  });

  it.each([
    ["ftp://me:secret@example.org/", "an address of ftp:"],
    ["file:///srv/npm", "an address of file:"],
    ["registry.example.org", "no address"],
  ])("is not replaced where it is set to %s", async (registry, got) => {
    await expect(npmRegistry({ npm_config_registry: registry })).rejects.toThrow(
      new InputError(`npm_config_registry: wanted an address of http or https, got ${got}`),
    );
  });
});
