/**
 * @file The program of {@link file://./device-probe.ts}: tries the device that is its last argument, and prints why it does not
 * work, as JSON. It is started by its name.
 */
import { createEngine, type Device } from "../engine.ts";
import { createGraph } from "../graph.ts";
import { relu } from "../ops.ts";

try {
  const engine = await createEngine({ device: process.argv.at(-1) as Device });
  const g = createGraph(engine.precision);
  g.output("y", relu(g, g.input("x", [1])), [1]);
  await engine.compile(g);
  await engine.release();
  process.stdout.write(JSON.stringify({ works: true }));
} catch (error) {
  process.stdout.write(JSON.stringify({ works: false, message: (error as Error).message }));
}
