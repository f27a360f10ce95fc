import type { BenchCase } from "../benchCase.ts";
import { testCase, trainCase } from "./evaluation.ts";
import { gradientMatchingCase } from "./gradientMatching.ts";
import { csdmCase, dmCase, memoryCase } from "./matching.ts";
import { additionCase, chainCase, chainGradientCase } from "./operations.ts";
import { spectralCase } from "./spectral.ts";
import { exactCase, teslaCase, trajectoryCase, unrollCase } from "./trajectory.ts";

/** What can be measured, by name. peer/worker.py has a class of the same name for each with a peer. */
export const benchCases = {
  dm: dmCase,
  csdm: csdmCase,
  gm: gradientMatchingCase,
  trajectory: trajectoryCase,
  "trajectory-exact": exactCase,
  "trajectory-tesla": teslaCase,
  "trajectory-unroll": unrollCase,
  train: trainCase,
  test: testCase,
  ops: additionCase,
  "ops-forward": chainCase,
  "ops-gradient": chainGradientCase,
  spectral: spectralCase,
  memory: memoryCase,
} as const satisfies Record<string, BenchCase>;

/** The case of a name among them. */
export const benchCaseNamed = (name: string): BenchCase => benchCases[name as keyof typeof benchCases];
