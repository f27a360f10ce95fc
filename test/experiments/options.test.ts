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
