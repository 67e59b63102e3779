import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    pool: "forks",
    // Half of the time of a file is spent on processes that it waits for. (The default of two cores is one.)
    maxWorkers: 2,
    include: ["test/**/*.test.ts"],
    setupFiles: ["test/setup.ts"],
    // Full-width golden runs share two cores with the other files.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
