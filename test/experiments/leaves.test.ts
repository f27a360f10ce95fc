import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { resolveExperiment } from "../../experiments/config.ts";
import { completedOptions, optionsText, parseOptions } from "../../experiments/leaves.ts";

const experiment = (config: object) => resolveExperiment("x", { data: "procedural", ...config });

test("the options of a method are its leaves in alphabetical order, without what has a column", () => {
  const text = optionsText(
    experiment({
      objective: { name: "csdm", kernel: { name: "matern32" } },
      plugins: [{ name: "difficultyCorrection", weight: 0.5 }],
      steps: 2,
    }),
  );
  const options = parseOptions(text);
  expect([...options.keys()]).toEqual([...options.keys()].sort());
  expect(options.get("objective.kernel.name")).toBe("matern32");
  expect(options.get("objective.frequencies")).toBe("1024");
  expect(options.get("plugins.difficultyCorrection.weight")).toBe("0.5");
  expect(options.get("optimizer.learningRate")).toBe("1");
  for (const absent of ["data.name", "data.root", "data.imbalance", "objective.name"]) {
    expect(options.has(absent)).toBe(false);
  }
});

test("where nothing is learned, no optimizer is told", () => {
  expect(optionsText(experiment({ steps: 0 }))).not.toMatch(/optimizer|objective|undefined/);
});

test("options are read as they were written, whatever letters they have", () => {
  fc.assert(
    fc.property(fc.string(), (augmentation) => {
      const text = optionsText({ ...experiment({ objective: "dm", steps: 1 }), augmentation });
      expect(parseOptions(text).get("augmentation")).toBe(augmentation);
      expect(parseOptions(text).get("scarcity")).toBe("duplicate");
    }),
    { seed: 5 },
  );
});

/** What a version without these options would have written. */
const without = (text: string, ...paths: readonly string[]): string =>
  text
    .split(";")
    .filter((part) => !paths.some((path) => part.startsWith(`${path}=`)))
    .join(";");

test("options that did not exist when something was learned are completed by what was done then, the defaults", () => {
  const text = optionsText(experiment({ objective: "dm", steps: 1 }));
  const paths = ["stepping", "schedule.name", "range"];
  expect(without(text, ...paths)).not.toMatch(/stepping|schedule|range/);
  expect(completedOptions(without(text, ...paths))).toBe(text);
  expect(completedOptions(without(text, "range"))).toBe(text);
  expect(completedOptions(text)).toBe(text);
});

test("whether images were whitened is told of all sets, and was no where it was not asked yet", () => {
  for (const config of [{ objective: "dm", steps: 1 }, { steps: 0 }]) {
    const [plain, whitened] = [false, true].map((zca) => optionsText(experiment({ ...config, zca })));
    expect([plain, whitened].map((text) => parseOptions(text!).get("zca"))).toEqual(["false", "true"]);
    expect(completedOptions(without(plain!, "zca"))).toBe(plain);
    expect(completedOptions(whitened!)).toBe(whitened);
  }
  expect(completedOptions("")).toBe("");
});

test("options that were told stay, and where nothing was learned none of updates is added", () => {
  const own = { stepping: "perClass", range: "pixels" };
  const text = optionsText(experiment({ objective: "dm", steps: 1, ...own }));
  expect(completedOptions(without(text, "schedule.name"))).toBe(text);
  const nothing = optionsText(experiment({ steps: 0 }));
  expect(completedOptions(nothing)).toBe(nothing);
});

test("initial images that were told by their name alone are the same as by name and options", () => {
  const text = optionsText(experiment({ steps: 0 }));
  expect(text).toContain("initialization.name=random");
  expect(completedOptions(text.replace("initialization.name=", "initialization="))).toBe(text);
});
