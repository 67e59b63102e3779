/**
 * @file Downloads as streams of bytes that end in an error when the server is too slow, or sends too few bytes or other bytes
 * than were published. Nothing is written to disk here: the bytes are unpacked as they come, and kept once the content has
 * been verified.
 */
import { createHash } from "node:crypto";

/**
 * Called with the number of bytes that have come, and of how many where the server says so; starts again at 0 for another
 * address.
 */
export type FetchProgress = (received: number, total: number | undefined) => void;

/** How to download. */
export type DownloadOptions = {
  readonly progress?: FetchProgress | undefined;
  /** Milliseconds until the server must have answered. */
  readonly connectTimeout?: number;
  /** Milliseconds without a byte after which the server is given up. */
  readonly stallTimeout?: number;
  /** Bytes at most (default 512 MiB): a server may send without end. */
  readonly limit?: number;
};

const LIMIT = 2 ** 29;

/** A stream of bytes. */
export type Bytes = AsyncIterable<Uint8Array>;

/**
 * What `address` (http or https, a user name and password may be in it) answers, as it comes. Redirects are followed, to
 * http and https alone; another host gets no password.
 * @throws Error whose {@link failure} is ENOTFOUND, `HTTP 404`, `no answer in 4 s`, ...
 */
export async function* download(
  address: string,
  { progress, connectTimeout = 4000, stallTimeout = 20_000, limit = LIMIT }: DownloadOptions = {},
): AsyncGenerator<Uint8Array> {
  const controller = new AbortController();
  const giveUp = (after: number, reason: string): NodeJS.Timeout =>
    setTimeout(() => controller.abort(new Error(`${reason} in ${after / 1000} s`)), after);
  let timer = giveUp(connectTimeout, "no answer");
  try {
    const response = await fetch(...request(address, controller.signal));
    if (!response.ok || !response.body) throw new Error(`HTTP ${response.status}`);
    const length = Number(response.headers.get("content-length") ?? Number.NaN);
    const total = Number.isNaN(length) ? undefined : length;
    let received = 0;
    progress?.(0, total);
    const reader = response.body.getReader();
    for (;;) {
      clearTimeout(timer);
      timer = giveUp(stallTimeout, "no more bytes");
      const { done, value } = await reader.read();
      clearTimeout(timer); // The reader may be slow: only the time of the server counts.
      if (done) break;
      received += value.length;
      checkSize(received, limit);
      progress?.(received, total);
      yield value;
    }
  } finally {
    clearTimeout(timer);
    controller.abort();
  }
}

/** `bytes`, and at their end an error unless their `algorithm` digest is `expected` (hexadecimal). */
export async function* verified(
  bytes: Bytes,
  algorithm: string,
  expected: string,
): AsyncGenerator<Uint8Array> {
  const hash = createHash(algorithm);
  for await (const chunk of bytes) {
    hash.update(chunk);
    yield chunk;
  }
  const got = hash.digest("hex");
  if (got !== expected) throw new Error(`${algorithm} ${got.slice(0, 12)}...`);
}

/** `bytes`, and an error as soon as there are more than `limit` of them. */
export async function* limited(bytes: Bytes, limit: number): AsyncGenerator<Uint8Array> {
  let received = 0;
  for await (const chunk of bytes) {
    received += chunk.length;
    checkSize(received, limit);
    yield chunk;
  }
}

function checkSize(received: number, limit: number): void {
  if (received > limit) throw new Error(`more than ${limit} bytes`);
}

/** All of `bytes` in one piece. */
export async function collect(bytes: Bytes): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The cause of a failed download or archive, in a few words. */
export function failure(error: unknown): string {
  const { cause, code, message } = error as NodeJS.ErrnoException & { cause?: NodeJS.ErrnoException };
  return (cause?.code ?? code ?? cause?.message ?? message ?? String(error)).replaceAll(/\s+/g, " ");
}

/**
 * Checks that an address begins with http or https; `fetch` also takes others, as `data:`.
 * @returns the reason why not, without a password that may be in it
 */
export function addressFault(address: string): string | undefined {
  if (!URL.canParse(address)) return "no address";
  const { protocol } = new URL(address);
  return ["http:", "https:"].includes(protocol) ? undefined : `an address of ${protocol}`;
}

/**
 * No compression in transit, which would change the bytes that the checksum is of; passwords go into a header, as `fetch`
 * takes none in an address.
 */
function request(address: string, signal: AbortSignal): [url: URL, init: RequestInit] {
  const fault = addressFault(address);
  if (fault !== undefined) throw new Error(`${fault}, not http or https`);
  const url = new URL(address);
  const headers: Record<string, string> = { "accept-encoding": "identity" };
  if (url.username) {
    const user = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    headers.authorization = `Basic ${Buffer.from(user).toString("base64")}`;
    url.username = url.password = "";
  }
  return [url, { headers, signal }];
}
