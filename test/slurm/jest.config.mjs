import shared from "../../jest.config.mjs";

/** Tests on a real Slurm, which they start on this machine: `npm run test:slurm`. */
export default {
  ...shared,
  rootDir: "../..",
  roots: ["<rootDir>/test/slurm"],
  testPathIgnorePatterns: ["/node_modules/"],
  testTimeout: 240_000,
};
