import { appendFileSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { type Attempt, attemptsOf, beginAttempt, hopeless } from "../../../experiments/slurm/attempts.ts";

const start = { job: "1_0", node: "n1", began: 1, state: "", step: 0 };

test("starts and ends are kept; a line that a kill cut short is not", () => {
  const path = mkdtempSync(join(tmpdir(), "distillery-attempts-"));
  expect(attemptsOf(path, "run", 0)).toEqual([]);
  beginAttempt([path, "run", 0], start)({ outcome: "stopped" });
  beginAttempt([path, "run", 0], { ...start, began: 2 });
  appendFileSync(join(path, "attempts", "run-0.jsonl"), '{"outc');
  const attempts = attemptsOf(path, "run", 0);
  expect(attempts).toMatchObject([{ began: 1, outcome: "stopped" }, { began: 2 }]);
  expect(attempts[1]!.outcome).toBeUndefined();
  expect(attemptsOf(path, "run", 1)).toEqual([]);
});

const limit: Attempt = { ...start, outcome: "limit" };
const stopped: Attempt = { ...start, outcome: "stopped" };

test.each<[string, Attempt[], RegExp | undefined]>([
  ["a first start", [], undefined],
  ["two kills", [start, start], undefined],
  ["three kills at the same state", [start, start, start], /killed 3 times .* --mem/],
  ["three time limits at the same state", [limit, limit, limit], /time limit ended it 3 times .* --time/],
  ["any number of pre-emptions", Array.from({ length: 9 }, () => stopped), undefined],
  [
    "kills after each of which it came further",
    [0, 1, 2, 3].map((i) => ({ ...start, state: String(i) })),
    undefined,
  ],
])("%s", (_, attempts, reason) => {
  const said = hopeless(attempts, "");
  if (reason === undefined) expect(said).toBeUndefined();
  else expect(said).toMatch(reason);
});
