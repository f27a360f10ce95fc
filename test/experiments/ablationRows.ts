import { seeded } from "../../src/core/rng.ts";
import type { Row } from "../../experiments/results.ts";
import { convNet } from "./richRows.ts";
import { row } from "./rows.ts";

/** A cell of a sweep: a method, what is varied, and what accuracy it comes to. */
interface Cell {
  readonly objective: string;
  readonly imbalance?: number;
  readonly options: Readonly<Record<string, string | number>>;
  readonly accuracy: number;
}

/** Rows of a sweep's cells: two seeds of three networks each, always the same. */
export function rowsOfCells(cells: readonly Cell[], { seeds = 2, networks = 3 } = {}): Row[] {
  return cells.flatMap(({ objective, imbalance = 200, options, accuracy }) => {
    const text = Object.entries(options)
      .map(([path, value]) => `${path}=${value}`)
      .sort()
      .join(";");
    return range(seeds).flatMap((distillSeed) =>
      range(networks).map((evaluationSeed) => {
        const rng = seeded(4).stream([objective, imbalance, text, distillSeed, evaluationSeed].join("/"));
        return row({
          experiment: `${objective}_${imbalance}_${text.replace(/[^\w.]+/g, "-")}`,
          objective,
          imbalance,
          options: text,
          network: convNet,
          evaluationNetwork: convNet,
          protocol: "quick",
          steps: 300,
          distillSeed,
          evaluationSeed,
          accuracy: accuracy + 0.006 * rng.normal(),
        });
      }),
    );
  });
}

const kernels = ["gaussian", "laplacian", "matern32", "rationalQuadratic"];
const scales = [0.1, 0.25, 0.5, 1, 2, 4, 10];

/** Accuracy is best at scale 1, and falls off faster under one method than under the other. */
const atScale = (scale: number, kernel: number, narrow: number): number =>
  0.36 - 0.012 * kernel - narrow * Math.log10(scale * (1 + 0.2 * kernel)) ** 2;

/** Kernel × scale under two methods, one of which also has a kernel without any scale. */
export const kernelScaleRows = (): Row[] =>
  rowsOfCells([
    ...kernels.flatMap((kernel, i) =>
      scales.flatMap((scale) =>
        ["csdm", "mmd"].map((objective) => ({
          objective,
          options: {
            "objective.kernel.name": kernel,
            "objective.kernel.scale": scale,
            ...(kernel === "rationalQuadratic" && { "objective.kernel.alpha": 1 }),
          },
          accuracy: atScale(scale, i, objective === "mmd" ? 0.07 : 0.03),
        })),
      ),
    ),
    { objective: "mmd", options: { "objective.kernel.name": "linear" }, accuracy: 0.315 },
  ]);

/** Kernel × imbalance. */
export const kernelImbalanceRows = (): Row[] =>
  rowsOfCells(
    kernels.flatMap((kernel, i) =>
      [10, 50, 100, 200].map((imbalance) => ({
        objective: "csdm",
        imbalance,
        options: { "objective.kernel.name": kernel, "objective.kernel.scale": 1 },
        accuracy: 0.44 - 0.04 * Math.log10(imbalance) - 0.01 * i,
      })),
    ),
  );

/** Head weight × imbalance. */
export const alphaImbalanceRows = (): Row[] =>
  rowsOfCells(
    [0.1, 0.3, 0.5, 0.7, 0.9].flatMap((alphaHead) =>
      [10, 100, 200].map((imbalance) => ({
        objective: "csdm",
        imbalance,
        options: { "objective.weighting.alphaHead": alphaHead },
        accuracy: 0.42 - 0.04 * Math.log10(imbalance) - 0.1 * (alphaHead - 0.5 - imbalance / 1000) ** 2,
      })),
    ),
  );

/** Two weights from 0 on. */
export const weightRows = (): Row[] =>
  rowsOfCells(
    [0, 0.01, 0.1, 1].flatMap((centralization) =>
      [0, 0.01, 0.1, 1].map((covariance) => ({
        objective: "iid",
        options: {
          "objective.terms.classCentralization.weight": centralization,
          "objective.terms.covarianceMatching.weight": covariance,
        },
        accuracy:
          0.36 +
          0.02 * Math.sqrt(centralization) -
          0.03 * centralization +
          0.015 * covariance * (1 - covariance),
      })),
    ),
  );

/** Head weight × kernel × scale, three factors at once. */
export const threeFactorRows = (): Row[] =>
  rowsOfCells(
    [0.5, 0.7, 0.9].flatMap((alphaHead) =>
      kernels.slice(0, 3).flatMap((kernel, i) =>
        [0.5, 1].map((scale) => ({
          objective: "csdm",
          imbalance: 100,
          options: {
            "objective.kernel.name": kernel,
            "objective.kernel.scale": scale,
            "objective.weighting.alphaHead": alphaHead,
          },
          accuracy: atScale(scale, i, 0.03) - 0.1 * (alphaHead - 0.8) ** 2,
        })),
      ),
    ),
  );

const range = (length: number): number[] => Array.from({ length }, (_, i) => i);
