import { describe, expect, test } from "@jest/globals";
import { z } from "zod";
import { check, InputError, nearest, oneOf, positive, shown, wholeNumber } from "../../src/core/errors.ts";
import { choice } from "../../src/core/options.ts";
import { bind, sizeOf } from "../../src/core/shape.ts";

describe("errors", () => {
  test("build their message only when they are thrown", () => {
    check(true, () => {
      throw new Error("built");
    });
    expect(() => check(false, () => "here: expected this, got that")).toThrow(
      new InputError("here: expected this, got that"),
    );
  });

  test.each([0, -1, NaN, Infinity])("%d is no positive number", (value) => {
    expect(() => positive("gaussian.scale", value)).toThrow(
      `gaussian.scale: expected a number > 0, got ${value}`,
    );
  });

  test("a whole number keeps its least value", () => {
    expect(wholeNumber("steps", 3, 3)).toBe(3);
    expect(() => wholeNumber("steps", 2, 3)).toThrow("steps: expected a whole number >= 3, got 2");
  });

  test("an unknown name lists the known ones and suggests the nearest", () => {
    const table = { gaussian: 1, matern32: 2 };
    expect(oneOf("kernel", table, "matern32")).toBe(2);
    expect(() => oneOf("kernel", table, "gausian")).toThrow(
      'kernel: expected one of gaussian, matern32, got "gausian"; did you mean gaussian?',
    );
    expect(() => oneOf("kernel", table, "toString")).toThrow(
      'kernel: expected one of gaussian, matern32, got "toString"',
    );
  });

  test("show any value", () => {
    const values = [undefined, null, NaN, "a", true, Symbol("s"), 5n, () => 1, {}, Object.create(null)];
    expect(values.map((value) => shown(value))).toEqual([
      ...[
        "undefined",
        "null",
        "NaN",
        '"a"',
        "true",
        "Symbol(s)",
        "5n",
        "a function",
        "an object",
        "an object",
      ],
    ]);
    const nested: unknown[] = [1, [2, [3]]];
    nested.push(nested);
    expect(shown(nested)).toBe("[1, [2, […]], [1, […], […]]]");
    expect(shown(Array(9).fill(0))).toBe("[0, 0, 0, 0, 0, 0, 0, 0, …]");
    expect(() => positive("here", Symbol("s") as never)).toThrow(
      "here: expected a number > 0, got Symbol(s)",
    );
    expect(() => oneOf("here", { a: 1 }, undefined as never)).toThrow(
      "here: expected one of a, got undefined",
    );
  });

  test.each([
    ["cdsm", "csdm"],
    ["Width", "width"],
    ["frequencis", "frequencies"],
    ["zzzzzz", undefined],
  ])("the nearest word to %s is %s", (word, expected) => {
    expect(nearest(word, ["dm", "csdm", "width", "frequencies"])).toBe(expected);
  });
});

describe("named dimensions", () => {
  const shaped = (...shape: number[]): { shape: number[] } => ({ shape });

  test("are bound across arrays and returned", () => {
    expect(bind("here", [shaped(4, 5), "n d"], [shaped(5, 3), "d _"])).toEqual({ n: 4, d: 5 });
  });

  test("that disagree are named with both lengths", () => {
    expect(() => bind("covariance", [shaped(4, 128), "n d"], [shaped(64), "d"])).toThrow(
      "covariance: d is both 128 and 64",
    );
  });

  test("must be as many as the array has, and of the length where that is fixed", () => {
    expect(() => bind("here", [shaped(4), "n d"])).toThrow("here: expected 2 axes (n, d), got shape [4]");
    expect(() => bind("here", [shaped(4, 2), "n 3"])).toThrow("here: expected length 3 along axis 1, got 2");
  });

  test("multiply to the size, of a scalar 1", () => {
    expect(sizeOf([2, 3, 4])).toBe(24);
    expect(sizeOf([])).toBe(1);
  });
});

describe("a choice", () => {
  const table = {
    gaussian: { options: z.strictObject({ scale: z.number().default(1) }) },
    matern: { options: z.strictObject({ smoothness: z.number() }) },
  };

  test("is a name alone, or a name with options", () => {
    const schema = choice(table);
    expect(schema.parse("gaussian")).toEqual({ name: "gaussian", scale: 1 });
    expect(schema.parse({ name: "matern", smoothness: 2 })).toEqual({ name: "matern", smoothness: 2 });
  });

  test("refuses options of another entry, and nothing where nothing is preferred", () => {
    expect(choice(table).safeParse({ name: "gaussian", smoothness: 2 }).success).toBe(false);
    expect(choice(table).safeParse(undefined).success).toBe(false);
  });

  test("completes what is preferred where no name is given", () => {
    const schema = choice(table, { name: "matern", smoothness: 1.5 });
    expect(schema.parse(undefined)).toEqual({ name: "matern", smoothness: 1.5 });
    expect(schema.parse({ smoothness: 3 })).toEqual({ name: "matern", smoothness: 3 });
    expect(schema.parse("gaussian")).toEqual({ name: "gaussian", scale: 1 });
  });
});
