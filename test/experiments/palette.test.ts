import { expect, test } from "@jest/globals";
import {
  classLook,
  classPalettes,
  methodSlug,
  palettes,
  seriesOf,
} from "../../experiments/report/palette.ts";
import { summarize } from "../../experiments/report/summarize.ts";
import { row } from "./rows.ts";

const methods = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
const look = seriesOf(
  summarize(methods.map((objective) => row({ objective, steps: objective === "c" ? 0 : 9 }))),
);

test("the method that learns nothing is gray, and no other", () => {
  expect(methods.filter((method) => look(method).className === "s0")).toEqual(["c"]);
});

test("no two methods look the same, not even where colors repeat", () => {
  const looks = methods.map(look);
  expect(new Set(looks.map(({ color, shape }) => `${color} ${shape}`)).size).toBe(methods.length);
  expect(new Set(looks.map(({ color, dash }) => `${color} ${dash.join()}`)).size).toBe(methods.length);
});

test("no two of twenty classes look the same, and of ten each has a color of its own", () => {
  const looks = Array.from({ length: 20 }, (_, label) => classLook(label));
  expect(new Set(looks.map(({ color, shape }) => `${color} ${shape}`)).size).toBe(20);
  expect(new Set(looks.slice(0, 10).map(({ color }) => color)).size).toBe(10);
  for (const colors of Object.values(classPalettes)) expect(new Set(colors).size).toBe(10);
});

test("every color stands out from its page by 3 : 1, as WCAG 2.2 asks of graphics", () => {
  const luminance = (color: string): number => {
    const [r, g, b] = [1, 3, 5].map((at) => {
      const c = parseInt(color.slice(at, at + 2), 16) / 255;
      return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    }) as [number, number, number];
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a: string, b: string): number => {
    const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
    return (high + 0.05) / (low + 0.05);
  };
  for (const color of [...palettes.light, ...classPalettes.light])
    expect(contrast(color, "#ffffff")).toBeGreaterThan(3);
  for (const color of [...palettes.dark, ...classPalettes.dark])
    expect(contrast(color, "#1c1f25")).toBeGreaterThan(3);
});

test("a method's name becomes a class", () => {
  expect(methodSlug("csdm + difficultyCorrection")).toBe("csdm-difficultycorrection");
});
