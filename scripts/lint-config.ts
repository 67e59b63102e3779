/**
 * @file Writes `.oxlintrc.json`. The house has one direction for data to flow: each folder of `src/` imports
 * only from the folders before it in {@link FLOORS}, and only the upper floors touch `node:` modules. With `--check`,
 * compares instead of writing.
 */
import { readFileSync, writeFileSync } from "node:fs";

const FLOORS = [
  "error",
  "fields",
  "breathe",
  "ort",
  "engine",
  "linalg",
  "loss",
  "random",
  "data",
  "onnx",
  "ops",
  "network",
  "jacobian",
  "kernel",
  "fisher",
  "dynamics",
  "experiment",
  "report",
  "cli",
  "entry",
];

/** Those of them that are single files. */
const FILES = ["error", "fields", "breathe", "ort"];

/** Folders that run in the browser too: no `node:` import, but in a `node/` of their own. */
const BROWSER = FLOORS.slice(0, FLOORS.indexOf("experiment"));

const restrict = (groups: { group: string[]; message: string }[]) => ({
  "no-restricted-imports": ["error", { patterns: groups }],
});

const upward = (floor: number) => ({
  group: FLOORS.slice(floor + 1).flatMap((name) =>
    FILES.includes(name) ? [`**/${name}.ts`] : [`**/${name}`, `**/${name}/**`],
  ),
  message: `src/${FLOORS[floor]} must not import from a folder below it in the layout (docs/architecture.md).`,
});

const NODE = {
  group: ["node:*"],
  message: "This folder runs in the browser too: keep node: modules out of it.",
};
const ORT = {
  group: ["onnxruntime-*", "#ort"],
  message: "Only src/ort.ts may import ONNX Runtime.",
};

const overrides = FLOORS.map((name, i) => ({
  files: [FILES.includes(name) ? `src/${name}.ts` : `src/${name}/**/*.ts`],
  rules: restrict([
    ...(i < FLOORS.length - 1 ? [upward(i)] : []),
    ...(BROWSER.includes(name) ? [NODE] : []),
    ...(name === "ort" ? [] : [ORT]),
  ]),
}));
for (const name of ["engine", "data", "onnx"]) {
  overrides.push({
    files: [`src/${name}/node/**/*.ts`],
    rules: restrict([upward(FLOORS.indexOf(name)), ORT]),
  });
}

const config = {
  $schema: "./node_modules/oxlint/configuration_schema.json",
  plugins: ["typescript", "unicorn", "oxc", "import"],
  categories: { correctness: "error", suspicious: "error", perf: "error" },
  rules: {
    "typescript/no-explicit-any": "error",
    "typescript/no-non-null-assertion": "off",
    // Nothing here has a `this`: objects are records of closures.
    "typescript/unbound-method": "off",
    "import/no-default-export": "error",
    "import/no-cycle": ["error", { ignoreTypes: false }],
    "no-await-in-loop": "off",
    "no-shadow": "off",
    "no-underscore-dangle": "off",
    "import/no-unassigned-import": "off",
    "import/no-named-as-default-member": "off",
    "oxc/no-map-spread": "off",
    "unicorn/consistent-function-scoping": "off",
    "typescript/no-unsafe-type-assertion": "off",
    // It calls needed what the compiler then misses (`at(-1)!` of typed arrays).
    "typescript/no-unnecessary-type-assertion": "off",
    "typescript/consistent-return": "off",
    "unicorn/no-array-sort": "off",
    "unicorn/prefer-set-has": "off",
  },
  ignorePatterns: ["dist", "src/**/assembly", "**/*.wasm.ts"],
  overrides: [...overrides, { files: ["vitest.config.ts"], rules: { "import/no-default-export": "off" } }],
};

const text = `${JSON.stringify(config, null, 2)}\n`;
if (!process.argv.includes("--check")) writeFileSync(".oxlintrc.json", text);
else if (readFileSync(".oxlintrc.json", "utf8") !== text) {
  console.error(
    ".oxlintrc.json: wanted what scripts/lint-config.ts writes (npm run lint:config:write), got another text",
  );
  process.exitCode = 1;
}
