import { expect, test } from "@jest/globals";
import type { Unfinished } from "../../../experiments/report/page/pageData.ts";
import { pace } from "../../../experiments/watch/pace.ts";

/** A run at a step, some seconds after the epoch. */
const at = (seconds: number, step: number, change: Partial<Unfinished> = {}): Unfinished => ({
  ...{ experiment: "e", method: "dm", dataset: "cifar10", seed: 0, steps: 100, metrics: [], busy: true },
  step,
  updated: new Date(1000 * seconds).toISOString(),
  ...change,
});

test("time left comes from the steps since a run was first seen", () => {
  const left = pace();
  expect(left(at(1000, 40)).secondsLeft).toBeUndefined();
  expect(left(at(1020, 50)).secondsLeft).toBeCloseTo(100); // 2 s a step, 50 left
  expect(left(at(1020, 50)).secondsLeft).toBeCloseTo(100);
  expect(left(at(1040, 60)).secondsLeft).toBeCloseTo(80);
});

test("runs are told apart, and one that starts anew begins anew", () => {
  const left = pace();
  left(at(1000, 40));
  expect(left(at(1020, 50, { seed: 1 })).secondsLeft).toBeUndefined();
  expect(left(at(1020, 10)).secondsLeft).toBeUndefined();
  expect(left(at(1030, 20)).secondsLeft).toBeCloseTo(80);
});

test("a run that waits has no time left", () => {
  const left = pace();
  left(at(1000, 40));
  expect(left(at(1020, 50, { busy: false })).secondsLeft).toBeUndefined();
});
