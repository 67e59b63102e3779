/**
 * @file Removes what was compiled before: a module that is gone from src/ must not stay in the package.
 */
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

rmSync(fileURLToPath(new URL("../dist", import.meta.url)), { recursive: true, force: true });
