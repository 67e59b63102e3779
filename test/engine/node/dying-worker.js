/**
 * @file A worker that gets ready, and ends in the way that its index says on the first request: 0 exits, others throw.
 */
import { parentPort, workerData } from "node:worker_threads";

const port = parentPort;
port.on("message", ({ kind }) => {
  if (kind === "close") return port.close();
  if (workerData.index === 0) process.exit(3);
  throw new Error("out of luck");
});
port.postMessage({ results: {} });
