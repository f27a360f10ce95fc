import { expect, test } from "@jest/globals";
import { optionLines } from "../../experiments/commands/options.ts";

const lines = optionLines();

test("every option has a line with its default and meaning", () => {
  expect(lines).toContain("steps                              Updates of the images");
  expect(lines.find((line) => line.startsWith("network = convNet"))).toMatch(
    /Architecture that matching draws from$/,
  );
  expect(lines.find((line) => line.trim().startsWith("frequencies = 1024"))).toMatch(/^ {6}frequencies/);
});

test("none is without a description", () => {
  const options = lines.filter((line) => !line.trim().startsWith("- "));
  expect(options.filter((line) => !/^ *\w+( = \S+)? {1,}\S/.test(line))).toEqual([]);
});

test("what several options have in common is listed once", () => {
  const kernels = lines.filter((line) => line.trim().startsWith("- laplacian"));
  expect(kernels.length).toBeLessThan(3);
  const [at] = lines.flatMap((line, i) => (line.trim() === "- as in network" ? [i] : []));
  expect(lines[at! - 1]!.trim()).toMatch(/^network( = \w+)? /);
  for (const line of lines.filter((one) => one.trim().startsWith("- as in "))) {
    const last = line.trim().split(".").at(-1)!.replace("- as in ", "");
    expect(lines.some((one) => one.trim().startsWith(last))).toBe(true);
  }
});

test("a method that brings defaults for other options says so", () => {
  expect(lines).toContain(
    "  - dc, by default with augmentation none, initialization noise, optimizer sgd (learningRate 0.1, momentum 0.5)",
  );
  expect(lines).toContain("  - dm");
});
