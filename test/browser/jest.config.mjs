import base from "../../jest.config.mjs";

/** As all tests, but in a browser, and none of those: npm run test:browser. */
export default {
  ...base,
  rootDir: "../..",
  roots: ["<rootDir>/test/browser"],
  testPathIgnorePatterns: ["/node_modules/"],
  testTimeout: 60_000, // milliseconds
};
