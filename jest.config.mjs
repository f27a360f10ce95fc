/** Tests are TypeScript modules; swc strips the types, tsc checks them. */
export default {
  testEnvironment: "node",
  // TensorFlow.js keeps its engine on the global object and still uses it while Jest clears that.
  testEnvironmentOptions: { globalsCleanup: "off" },
  roots: ["<rootDir>/test"],
  extensionsToTreatAsEsm: [".ts"],
  transform: {
    "^.+\\.ts$": [
      "@swc/jest",
      { jsc: { target: "es2022", parser: { syntax: "typescript" } }, module: { type: "es6" } },
    ],
  },
};
