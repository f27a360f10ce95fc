import { describe, expect, test } from "@jest/globals";
import { type Facts, packagesCurrent, planOf } from "../../experiments/setup/plan.mjs";

/** A fresh Debian container: root, apt-get, and nothing else. */
const fresh: Facts = {
  packagesCurrent: false,
  addonBuilt: false,
  unchangedSince: undefined,
  again: false,
  compiler: false,
  torch: false,
  referenceBlas: false,
  root: true,
  apt: true,
  aptAllowed: true,
};

describe("the plan", () => {
  test("for a fresh Debian as root installs packages, compiler and libtorch, then compiles", () => {
    expect(planOf(fresh)).toEqual({
      steps: [
        { do: "packages" },
        { do: "apt", install: ["g++", "libtorch-dev", "libopenblas0-openmp"] },
        { do: "build" },
      ],
      note: undefined,
    });
  });

  test("for a machine that is ready is empty", () => {
    expect(planOf({ ...fresh, packagesCurrent: true, addonBuilt: true })).toEqual({
      steps: [],
      note: undefined,
    });
  });

  test("installs only what is missing", () => {
    const facts = { ...fresh, packagesCurrent: true };
    expect(planOf({ ...facts, compiler: true }).steps[0]).toEqual({
      do: "apt",
      install: ["libtorch-dev", "libopenblas0-openmp"],
    });
    expect(planOf({ ...facts, torch: true }).steps[0]).toEqual({ do: "apt", install: ["g++"] });
    expect(planOf({ ...facts, compiler: true, torch: true }).steps).toEqual([{ do: "build" }]);
  });

  test("brings a fast BLAS to Debian's libtorch where it may, and compiles without one where it may not", () => {
    const facts = { ...fresh, packagesCurrent: true, compiler: true, torch: true, referenceBlas: true };
    expect(planOf(facts).steps).toEqual([{ do: "apt", install: ["libopenblas0-openmp"] }, { do: "build" }]);
    expect(planOf({ ...facts, root: false })).toEqual({ steps: [{ do: "build" }], note: undefined });
  });

  test.each([{ root: false }, { aptAllowed: false }])(
    "leaves apt-get alone with %j, and says what to install",
    (facts) => {
      expect(planOf({ ...fresh, ...facts })).toEqual({
        steps: [{ do: "packages" }],
        note:
          "a C++ compiler and libtorch not found: apt-get install g++ libtorch-dev as root, " +
          "or set LIBTORCH to an unpacked libtorch",
      });
    },
  );

  test("without apt-get names other ways", () => {
    expect(planOf({ ...fresh, apt: false, compiler: true }).note).toBe(
      "libtorch not found: pip install torch, or set LIBTORCH to an unpacked libtorch",
    );
    expect(planOf({ ...fresh, apt: false, torch: true }).note).toBe("a C++ compiler not found: install g++");
  });

  test("does not repeat what failed while nothing changed, unless asked to", () => {
    const failed = { ...fresh, packagesCurrent: true, unchangedSince: "the torch engine did not compile" };
    expect(planOf(failed)).toEqual({
      steps: [],
      note: "the torch engine did not compile; npm run setup tries again",
    });
    expect(planOf({ ...failed, again: true }).steps.at(-1)).toEqual({ do: "build" });
  });
});

describe("packages are current", () => {
  const lock = {
    packages: {
      "": { version: "1.0.0" },
      "node_modules/a": { version: "1.2.3", integrity: "sha512-a" },
      "node_modules/b": { version: "2.0.0", integrity: "sha512-b", optional: true },
    },
  };
  const installed = { packages: { "node_modules/a": { version: "1.2.3", integrity: "sha512-a" } } };

  test("where every one that is not optional is there in the asked version", () => {
    expect(packagesCurrent(lock, installed)).toBe(true);
  });

  test("but not where one is absent, older, different, or nothing is installed", () => {
    expect(packagesCurrent(lock, undefined)).toBe(false);
    expect(packagesCurrent(lock, { packages: {} })).toBe(false);
    const with_ = (change: object): boolean =>
      packagesCurrent(lock, {
        packages: { "node_modules/a": { ...installed.packages["node_modules/a"], ...change } },
      });
    expect(with_({ version: "1.2.2" })).toBe(false);
    expect(with_({ integrity: "sha512-c" })).toBe(false);
  });
});
