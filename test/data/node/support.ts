/** @file A server on this machine, archives and small datasets for the tests of fetching. */
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { onTestFinished } from "vitest";
import {
  emptyStore,
  type LabelledImages,
  sealStore,
  type StoreShape,
} from "../../../src/data/node/image-store.ts";

/** What a path of the server answers with: bytes, or whatever the function does; anything else is a 404. */
export type Routes = Record<string, Uint8Array | ((response: ServerResponse, headers: object) => void)>;

/** Serves `routes` until the test ends; returns the address (with a slash at its end). */
export async function serve(routes: Routes): Promise<string> {
  const server = createServer((request, response) => {
    const answer = routes[request.url ?? ""];
    if (typeof answer === "function") return answer(response, request.headers);
    if (answer) return response.end(answer);
    response.writeHead(404).end();
  });
  await new Promise<void>((done) => void server.listen(0, "127.0.0.1", done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** An address where nobody answers. */
export async function nobody(): Promise<string> {
  const server = createServer();
  await new Promise<void>((done) => void server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => void server.close(done));
  return `http://127.0.0.1:${port}/`;
}

/** A folder that goes when the test ends. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "natgrad-fetch-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

/** A gzipped tar archive. */
export function tarGz(files: Record<string, Uint8Array | string>): Uint8Array {
  const blocks: Uint8Array[] = [];
  for (const [name, content] of Object.entries(files)) {
    const bytes = Buffer.from(content);
    const header = Buffer.alloc(512);
    header.write(name);
    header.write(bytes.length.toString(8).padStart(11, "0"), 124);
    header.write("        0", 148);
    header.write(
      header
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, "0"),
      148,
    );
    blocks.push(header, bytes, Buffer.alloc(-bytes.length & 511));
  }
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}

/** Routes of a registry with one package in it, whose address is filled in when it is known. */
export function registryOf(
  name: string,
  files: Record<string, string | Uint8Array>,
): { routes: Routes; at: (address: string) => void } {
  const tarball = tarGz(files);
  const integrity = `sha512-${createHash("sha512").update(tarball).digest("base64")}`;
  let base = "";
  return {
    routes: {
      [`/${name}/1.0.0`]: (response) =>
        response.end(JSON.stringify({ dist: { tarball: `${base}${name}.tgz`, integrity } })),
      [`/${name}.tgz`]: tarball,
    },
    at: (address) => void (base = address),
  };
}

/** Labels 0, 1, 2, ... and images of the bytes i, i + 1, ... for image i. */
export function fillPlainly({ labels, images }: LabelledImages): void {
  const inputs = images.length / labels.length;
  for (const i of labels.keys()) labels[i] = i % 10;
  for (const i of images.keys()) images[i] = Math.floor(i / inputs) + (i % inputs);
}

/** The digest of a store that is filled by `fill`. */
export function digestOf(shape: StoreShape, fill: (into: LabelledImages) => void): string {
  const store = emptyStore(shape);
  fill(store);
  return sealStore(store);
}
