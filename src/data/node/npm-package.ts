/**
 * @file Files of an npm package, from the registry that npm is set up for, without installing it.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { InputError } from "../../error.ts";
import { addressFault, collect, download, type DownloadOptions, verified } from "./fetch.ts";
import { eachTarEntry, type TarEntry } from "./tar.ts";

const PUBLIC_REGISTRY = "https://registry.npmjs.org/";

/** A mirror may fetch the package itself before it answers. */
const CONNECT_TIMEOUT = 30_000;

/** The most bytes of a registry's answer about one version of a package. */
const ABOUT_LIMIT = 2 ** 20;

/**
 * The registry: npm_config_registry, else what npm says, else (`undefined` in npm's words) the public one. Ends in a
 * slash.
 * @throws InputError when it is set to something other than an http or https address: a user who chose a registry does not
 * want another one asked.
 */
export async function npmRegistry(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const set = env.npm_config_registry || env.NPM_CONFIG_REGISTRY || (await askNpm());
  const registry = set === "undefined" ? PUBLIC_REGISTRY : set;
  const fault = addressFault(registry);
  if (fault !== undefined) {
    throw new InputError(`npm_config_registry: wanted an address of http or https, got ${fault}`);
  }
  return registry.replace(/\/*$/, "/");
}

async function askNpm(): Promise<string> {
  try {
    // npm is a script on Windows, which takes a shell.
    const options = { timeout: 10_000, shell: process.platform === "win32" };
    const { stdout } = await promisify(execFile)("npm", ["config", "get", "registry"], options);
    return stdout.trim();
  } catch {
    return PUBLIC_REGISTRY;
  }
}

/** A package at a version, and where to get it. */
export type NpmPackage = { readonly name: string; readonly version: string; readonly registry?: string };

/**
 * Hands the files of a package (`package/index.js`, ...) to `take`, and verifies the registry's checksum at the end.
 * @throws Error when the package cannot be had whole.
 */
export async function eachPackageFile(
  { name, version, registry }: NpmPackage,
  take: (entry: TarEntry) => void | Promise<void>,
  { progress, ...timeouts }: DownloadOptions = {},
): Promise<void> {
  const patient = { connectTimeout: CONNECT_TIMEOUT, ...timeouts };
  const base = registry ?? (await npmRegistry());
  const about = await collect(download(`${base}${name}/${version}`, { ...patient, limit: ABOUT_LIMIT }));
  const { tarball, sha512 } = distribution(Buffer.from(about).toString());
  const expected = Buffer.from(sha512, "base64").toString("hex");
  await eachTarEntry(verified(download(tarball, { ...patient, progress }), "sha512", expected), take);
}

/**
 * The part of a registry's answer that says where the package is.
 * @throws Error when it says no such thing.
 */
function distribution(text: string): { tarball: string; sha512: string } {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    // The parser's message quotes the answer, so it is left out.
    throw new Error("an answer that is no JSON");
  }
  const dist = (answer as { dist?: { tarball?: unknown; integrity?: unknown } } | null)?.dist;
  const { tarball, integrity } = dist ?? {};
  const sha512 = typeof integrity === "string" ? /sha512-(\S+)/.exec(integrity)?.[1] : undefined;
  if (typeof tarball !== "string" || sha512 === undefined)
    throw new Error("no tarball with a sha512 checksum");
  return { tarball, sha512 };
}
