/** @file Downloads from a server on this machine, well-behaved and not. */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { collect, download, failure, verified } from "../../../src/data/node/fetch.ts";
import { nobody, serve } from "./support.ts";

const reasonOf = (work: Promise<unknown>): Promise<string> => work.then(() => "none", failure);

describe("download", () => {
  it("hands on every byte and tells how many have come of how many", async () => {
    const content = Buffer.alloc(300_000, "abc");
    const address = await serve({ "/file": content });
    const seen: [number, number | undefined][] = [];
    const bytes = await collect(download(`${address}file`, { progress: (...now) => seen.push(now) }));
    expect(content.equals(bytes)).toBe(true);
    expect(seen[0]).toEqual([0, 300_000]);
    expect(seen.at(-1)).toEqual([300_000, 300_000]);
  });

  it("tells no total where the server does not", async () => {
    const address = await serve({ "/file": (response) => void response.write("abc", () => response.end()) });
    const totals = new Set<number | undefined>();
    await collect(download(`${address}file`, { progress: (_, total) => totals.add(total) }));
    expect([...totals]).toEqual([undefined]);
  });

  it("sends the user name and password of an address in a header", async () => {
    const address = await serve({
      "/file": (response, headers) => response.end((headers as { authorization?: string }).authorization),
    });
    const bytes = await collect(download(`${address.replace("//", "//me:p%40ss@")}file`));
    expect(Buffer.from(bytes).toString()).toBe(`Basic ${Buffer.from("me:p@ss").toString("base64")}`);
  });

  it("says in a word what went wrong", async () => {
    const address = await serve({
      "/silent": () => {},
      "/stalled": (response) => void response.write("abc"),
      "/cut": (response) => {
        response.writeHead(200, { "content-length": 10 });
        response.write("abc", () => response.destroy());
      },
    });
    const get = (url: string) =>
      reasonOf(collect(download(url, { connectTimeout: 1000, stallTimeout: 500 })));
    expect(await get(`${address}none`)).toBe("HTTP 404");
    expect(await get(`${address}silent`)).toBe("no answer in 1 s");
    expect(await get(`${address}stalled`)).toBe("no more bytes in 0.5 s");
    expect(await get(`${address}cut`)).toBe("UND_ERR_SOCKET");
    expect(await get(await nobody())).toBe("ECONNREFUSED");
  });

  it("lets whoever takes the bytes take longer than a stalled server may", async () => {
    const address = await serve({ "/file": Buffer.alloc(500_000) });
    let received = 0;
    for await (const chunk of download(`${address}file`, { stallTimeout: 400 })) {
      if (received === 0) await new Promise((done) => setTimeout(done, 600));
      received += chunk.length;
    }
    expect(received).toBe(500_000);
  });
});

describe("verified", () => {
  it("passes bytes with the right digest and ends in an error for others", async () => {
    const content = [Buffer.from("some"), Buffer.from("thing")];
    const stream = async function* () {
      yield* content;
    };
    const md5 = createHash("md5").update("something").digest("hex");
    expect(Buffer.from(await collect(verified(stream(), "md5", md5))).toString()).toBe("something");
    content[1] = Buffer.from("thinG");
    expect(await reasonOf(collect(verified(stream(), "md5", md5)))).toMatch(/^md5 [0-9a-f]{12}\.\.\.$/);
  });
});
