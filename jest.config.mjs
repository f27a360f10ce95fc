import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { findTorch, isBuilt } from "./native/build.mjs";

/** Files whose tests need float64, which the torch engine alone has. Where it cannot be, they are left out by name. */
const exact = readdirSync("test", { recursive: true })
  .filter((file) => file.endsWith(".test.ts"))
  .filter((file) => readFileSync(join("test", file), "utf8").includes("torchEngine("));
const skipped = isBuilt() || findTorch().torch ? [] : exact;
if (skipped.length > 0)
  console.warn(`no torch engine here (npm run setup says why); skipped: ${skipped.join(", ")}`);

/** Tests are TypeScript modules; swc strips the types, tsc checks them. */
export default {
  testEnvironment: "<rootDir>/test/support/environment.mjs",
  // TensorFlow.js keeps its engine on the global object and still uses it while Jest clears that.
  testEnvironmentOptions: { globalsCleanup: "off" },
  // The process that hands out the files only waits: it needs no core of its own.
  maxWorkers: Math.max(2, availableParallelism() - 1),
  // Time on a busy machine says nothing of the code.
  testTimeout: 240_000, // milliseconds
  roots: ["<rootDir>/test"],
  // Tests of pages need a browser, those on a real Slurm take minutes: npm run test:browser, npm run test:slurm.
  testPathIgnorePatterns: [
    "/node_modules/",
    "<rootDir>/test/browser/",
    "<rootDir>/test/slurm/",
    ...skipped.map((file) => join("<rootDir>/test", file)),
  ],
  extensionsToTreatAsEsm: [".ts"],
  transform: {
    "^.+\\.ts$": [
      "@swc/jest",
      { jsc: { target: "es2022", parser: { syntax: "typescript" } }, module: { type: "es6" } },
    ],
  },
};
