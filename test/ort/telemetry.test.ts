/**
 * @file ONNX Runtime's native build reports its use to its maker, unless it is told not to: it writes a device id and a
 * database into the user's cache folder and a log into the temporary one, and opens a connection after some seconds.
 * natgrad does none of that, whichever way the library comes to be loaded. Each claim has a control beside it, ONNX Runtime
 * alone, without which it would prove nothing.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createGraph } from "../../src/engine/graph.ts";
import { relu } from "../../src/engine/ops.ts";
import { compileInto, ROOT } from "../support/checkout.ts";
import { startNode, type Started } from "../support/children.ts";

const root = mkdtempSync(join(tmpdir(), "natgrad-telemetry-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const USER_FOLDERS = {
  HOME: "home",
  USERPROFILE: "home",
  LOCALAPPDATA: "local",
  TMPDIR: "tmp",
  TEMP: "tmp",
  TMP: "tmp",
  XDG_CACHE_HOME: "cache",
  XDG_CONFIG_HOME: "config",
  XDG_DATA_HOME: "data",
  XDG_STATE_HOME: "state",
  XDG_RUNTIME_DIR: "runtime",
} as const;

/** An environment of a user who has nothing yet, and what has come to lie in their folders since. */
function newUser(name: string): { env: Record<string, string>; found: () => string[] } {
  const home = join(root, name);
  for (const folder of new Set(Object.values(USER_FOLDERS)))
    mkdirSync(join(home, folder), { recursive: true });
  const places = Object.entries(USER_FOLDERS).map(([key, folder]) => [key, join(home, folder)] as const);
  return {
    env: {
      ...Object.fromEntries(places),
      PATH: process.env.PATH ?? "",
      SYSTEMROOT: process.env.SYSTEMROOT ?? "",
    },
    found: () =>
      [...new Set(Object.values(USER_FOLDERS))]
        .flatMap((folder) => readdirSync(join(home, folder), { recursive: true }).map(String))
        .toSorted(),
  };
}

const file = (name: string, text: string | Uint8Array): string => {
  const path = join(root, name);
  writeFileSync(path, text);
  return path;
};

/** A program that runs a network on an engine of each kind, and stays for as long as its input is open. */
const libraryScript = (library: string, libraryInNode: string): string => `
  const { createEngine, createLinearizer, createWeights, initialise, matrix, mlp } =
    await import(${library});
  const { createWorkerEngine } = await import(${libraryInNode});
  for (const open of [createEngine, createWorkerEngine]) {
    const engine = await open({ threads: 1 });
    const network = mlp(3, { width: 8, depth: 2 });
    const linearizer = await createLinearizer(engine, network);
    const weights = createWeights(network, initialise(engine, network, 1));
    await linearizer.forward(weights, matrix(2, 3, new Float64Array(6)));
    if (process.argv[2] !== "stay") await engine.release();
  }
  console.log("ran");
  if (process.argv[2] === "stay") process.stdin.resume().on("end", () => process.exit());
`;

/** A program that starts a worker thread of its own which opens an engine; natgrad is imported before, or not. */
const workerScript = (library: string): string => `
  import { isMainThread, Worker } from "node:worker_threads";
  if (isMainThread && process.argv[2] === "imported") await import(${library});
  if (isMainThread) new Worker(new URL(import.meta.url), { argv: process.argv.slice(2) });
  else {
    const { createEngine, createLinearizer, mlp } = await import(${library});
    const engine = await createEngine({ threads: 1 });
    await createLinearizer(engine, mlp(3, { width: 8, depth: 2 }));
    console.log(engine.runtime);
  }
`;

/** ONNX Runtime without natgrad. */
const CONTROL_SCRIPT = `
  const ort = require(${JSON.stringify(join(ROOT, "node_modules/onnxruntime-node"))});
  (async () => {
    const session = await ort.InferenceSession.create(process.argv[2]);
    await session.run({ x: new ort.Tensor("float32", [1], [1]) });
    process.stdin.resume().on("end", () => process.exit());
  })();
`;

let natgrad: string;
let script: string;
let ownWorker: string;
let control: string[];
beforeAll(async () => {
  const { bin, library, libraryInNode } = await compileInto(join(root, "natgrad"), {
    packages: ["onnxruntime-node"],
  });
  natgrad = bin;
  script = file("library.mjs", libraryScript(library, libraryInNode));
  ownWorker = file("worker.mjs", workerScript(library));
  const g = createGraph("float32");
  g.output("y", relu(g, g.input("x", [1])), [1]);
  control = [file("control.cjs", CONTROL_SCRIPT), file("model.onnx", g.toModel())];
});

const SMALL = "--dataset synthetic --width 16 --train_size 8 --test_size 4 --threads 1 --quiet";

describe("the folders of the user", () => {
  it.each([
    ["gradient descent", () => [natgrad, ...`train --learning_rate 1 ${SMALL}`.split(" ")]],
    [
      "a natural gradient with workers",
      () => [natgrad, ...`train --natural_gradient_type exact ${SMALL} --workers 2`.split(" ")],
    ],
    ["a diagnosis", () => [natgrad, ...`kernel --natural_gradient_type kfac ${SMALL}`.split(" ")]],
    ["a list of the data", () => [natgrad, "data", "list"]],
    ["a script on the library", () => [script]],
  ])("stay empty after %s", async (name, args) => {
    const { env, found } = newUser(name);
    const { exitCode, stdout, stderr } = await startNode(args(), { cwd: ROOT, env }).ended;
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).not.toBe("");
    expect(found()).toEqual([]);
  });

  it("stay empty after a worker thread of a program that has natgrad there alone", async () => {
    const [before, after] = [newUser("imported before"), newUser("imported there")];
    const runs = [
      startNode([ownWorker, "imported"], { cwd: ROOT, env: before.env }).ended,
      startNode([ownWorker], { cwd: ROOT, env: after.env }).ended,
    ];
    const [native, wasm] = await Promise.all(runs);
    expect(native).toEqual({ exitCode: 0, stdout: "native\n", stderr: "" });
    // Its copy of the environment is not where native code looks.
    expect(wasm).toMatchObject({ exitCode: 0, stdout: "wasm\n" });
    expect(wasm!.stderr).toMatch(
      /^natgrad: ONNX Runtime's reports [^\n]+ import natgrad in the main thread of Node before\n$/,
    );
    expect([before.found(), after.found()]).toEqual([[], []]);
  });

  it("do not after ONNX Runtime alone", async () => {
    const { env, found } = newUser("control");
    const { child, ended } = startNode(control, { cwd: ROOT, env });
    child.stdin!.end();
    expect((await ended).exitCode).toBe(0);
    expect(found().length).toBeGreaterThan(0);
  });
});

describe("connections", () => {
  const servers: Server[] = [];
  const running: Started[] = [];
  afterAll(() => {
    for (const { child } of running) child.kill();
    for (const server of servers) server.close();
  });

  /** A proxy for all that the process might say, which hangs up; `first` is told of the first caller. */
  async function proxy(): Promise<{
    env: Record<string, string>;
    calls: () => number;
    first: Promise<void>;
  }> {
    let calls = 0;
    let tell = () => {};
    const first = new Promise<void>((resolve) => (tell = resolve));
    const server = createServer((socket) => {
      calls++;
      tell();
      socket.on("error", () => {});
      socket.destroy();
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const names = ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];
    return { env: Object.fromEntries(names.map((name) => [name, address])), calls: () => calls, first };
  }

  const seconds = (n: number) => new Promise<void>((resolve) => setTimeout(resolve, 1000 * n));

  it("are none in the time in which ONNX Runtime alone calls home, and some more", async (context) => {
    const [ours, theirs] = [await proxy(), await proxy()];
    const start = (args: string[], name: string, env: Record<string, string>): Started => {
      const started = startNode(args, { cwd: ROOT, env: { ...newUser(name).env, ...env } });
      running.push(started);
      return started;
    };
    const alone = start(control, "connected control", theirs.env);
    const ourselves = start([script, "stay"], "connected", ours.env);
    await Promise.race([theirs.first, seconds(45)]);
    if (theirs.calls() === 0) return context.skip("ONNX Runtime alone makes no connection on this machine");
    await seconds(3);
    for (const { child } of [alone, ourselves]) child.stdin!.end();
    expect(await ourselves.ended).toEqual({ exitCode: 0, stdout: "ran\n", stderr: "" });
    await alone.ended;
    expect(ours.calls()).toBe(0);
  });
});
