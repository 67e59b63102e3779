/**
 * @file Preflight of a configuration whose sizes may be `all`: what it needs at the least before its data is there, and
 * what it needs once they are known.
 */
import type { Config } from "../experiment/config.ts";
import type { DiagnosisListeners } from "../experiment/diagnose.ts";
import { preflight } from "./preflight.ts";

/**
 * Checks a configuration against this machine, and gives the listener that checks it again if it has to be.
 * @throws InputError naming the option and the figure; so does the listener.
 */
export async function admit(config: Config): Promise<Pick<DiagnosisListeners, "settled">> {
  const { train_size, test_size } = config;
  const least = (size: number): number => (size === Infinity ? 1 : size);
  await preflight({ ...config, train_size: least(train_size), test_size: least(test_size) });
  return train_size === Infinity || test_size === Infinity ? { settled: (known) => preflight(known) } : {};
}
