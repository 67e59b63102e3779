/**
 * @file What counts as agreement with a golden table.
 */
import { expect } from "vitest";
import type { Metrics } from "../../src/experiment/events.ts";
import { TOLERANCE } from "./tolerance.ts";

/** Accuracies exactly; losses to a relative 1e-3 while above 1e-6 (float32 noise below). */
export function agree(got: Metrics, wanted: Metrics, where: string): void {
  for (const name of ["train_accuracy", "test_accuracy"] as const) {
    expect(got[name], `${name} of ${where}`).toBeCloseTo(wanted[name], 12);
  }
  for (const name of ["train_loss", "test_loss"] as const) {
    if (wanted[name] < TOLERANCE.goldenFloor) expect(got[name], `${name} of ${where}`).toBeLessThan(1e-5);
    else {
      expect(Math.abs(got[name] / wanted[name] - 1), `${name} of ${where}`).toBeLessThan(TOLERANCE.golden);
    }
  }
}

/** Holds the rows of the default run of exact NGD (MNIST 0 and 1, width 4096) to the known table. */
export function agreeWithDefaultRun(rows: readonly (Metrics & { predict?: Metrics })[]): void {
  const start = { train_accuracy: 0.44, train_loss: 0.132521, test_accuracy: 0.38, test_loss: 0.128394 };
  agree(rows[0]!, start, "row 0");
  agree(rows[0]!.predict!, start, "row 0, predict");
  const after = { train_accuracy: 1, train_loss: 2.31e-4, test_accuracy: 1, test_loss: 3.788e-3 };
  agree(rows[1]!, after, "row 1");
  expect(rows[1]!.predict!.test_loss).toBeCloseTo(3.169e-3, 5);
  expect(rows[1]!.predict!.train_loss).toBeLessThan(1e-15);
}
