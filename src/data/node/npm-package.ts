/**
 * @file Files of an npm package, from the registry that npm is set up for, without installing it.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { collect, download, type DownloadOptions, verified } from "./fetch.ts";
import { eachTarEntry, type TarEntry } from "./tar.ts";

const PUBLIC_REGISTRY = "https://registry.npmjs.org/";

/** A mirror may fetch the package itself before it answers. */
const CONNECT_TIMEOUT = 30_000;

/** The registry: npm_config_registry, else what npm says, else the public one. Ends in a slash. */
export async function npmRegistry(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const registry = env.npm_config_registry ?? env.NPM_CONFIG_REGISTRY ?? (await askNpm());
  return /^https?:\/\//.test(registry) ? registry.replace(/\/*$/, "/") : PUBLIC_REGISTRY;
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
  const about = await collect(download(`${base}${name}/${version}`, patient));
  const { dist } = JSON.parse(Buffer.from(about).toString()) as { dist?: Distribution };
  const sha512 = dist?.integrity?.match(/sha512-(\S+)/)?.[1];
  if (!dist?.tarball || !sha512) throw new Error("no tarball with a sha512 checksum");
  const expected = Buffer.from(sha512, "base64").toString("hex");
  await eachTarEntry(verified(download(dist.tarball, { ...patient, progress }), "sha512", expected), take);
}

/** The part of a registry's answer that says where the package is. */
type Distribution = { tarball?: string; integrity?: string };
