import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    pool: "forks",
    include: ["test/**/*.test.ts"],
    setupFiles: ["test/setup.ts"],
    // Full-width golden runs share two cores with the other files.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
