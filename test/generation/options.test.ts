import { describe, expect, test } from "@jest/globals";
import { checkGeneration, generationOptions, type GenerationOptions } from "../../src/generation/index.ts";

const checked = (given: GenerationOptions): void => {
  checkGeneration("pool", generationOptions.parse(given));
};

describe("options of a pool that do not fit each other are refused", () => {
  test.each<[string, GenerationOptions, RegExp]>([
    [
      "more sampling steps than times",
      { schedule: { times: 20 }, sampling: { steps: 21 } },
      /^pool: sampling\.steps: expected at most the 20 times of the schedule, got 21$/,
    ],
    [
      "guidance without a training that leaves classes out",
      { training: { labelDropout: 0 } },
      /^pool: training\.labelDropout: expected more than 0 and less than 1 for a sampling\.guidance of 2.*got 0;/,
    ],
    [
      "classes that no training has shown",
      { training: { labelDropout: 1 }, sampling: { guidance: 1 } },
      /^pool: training\.labelDropout: .*got 1;/,
    ],
    [
      "a fine-tuning without classes",
      { minimax: { labelDropout: 1 } },
      /^pool: minimax\.labelDropout: .*got 1;/,
    ],
    [
      "an encoder that nothing looks by",
      { minimax: { center: "classMean", encoder: {} } },
      /^pool: minimax\.encoder: expected none beside center classMean/,
    ],
    [
      "times beyond the last",
      { schedule: { times: 50 }, minimax: { tMax: 51 } },
      /^pool: minimax\.tMax: expected at most the 50 times of the schedule, got 51$/,
    ],
  ])("%s", (_, given, message) => {
    expect(() => {
      checked(given);
    }).toThrow(message);
  });

  test("and others taken", () => {
    checked({ training: { labelDropout: 0 }, sampling: { guidance: 1 } });
    checked({ minimax: { center: "encoder", encoder: {}, tMax: 1000 } });
    expect(() => {
      checked({});
    }).not.toThrow();
  });
});
