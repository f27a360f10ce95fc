import type { KernelErrors } from "../../src/evaluation/frequencyErrors.ts";
import { digits, textTable } from "../bench/table.ts";
import { pluralOf } from "../report/labels.ts";
import type { Diagnosis } from "./diagnose.ts";

/** Of more classes only all together are shown. */
const MOST_CLASSES = 20;

/** A diagnosis as a table in plain text, with what its numbers are. */
export function diagnosisText(
  { discrepancy, highFrequency }: Diagnosis,
  classNames: readonly string[],
): string {
  const { network, networks, testImages, factors, synthetic, real } = discrepancy;
  const base = factors.indexOf(1);
  const row = (
    name: string,
    own: readonly number[] | null,
    of: readonly number[] | null,
    energy: number,
  ): string[] => [
    name,
    ...factors.map((_, i) => digits(own?.[i])),
    own && of ? digits(own[base]! / of[base]!) : "",
    Number.isFinite(energy) ? digits(energy) : "",
  ];
  const shown = classNames.length > MOST_CLASSES ? [] : classNames;
  const [least, most] = [Math.min(...testImages), Math.max(...testImages)];
  const counted = least === most ? pluralOf(most, "held-out image") : `${least} to ${most} held-out images`;
  return [
    `Squared MMD to ${counted} of each class, on features of ${pluralOf(networks, "random network")} ${network},`,
    "under Gaussian kernels of ½, 1 and 2 median distances; at 1 also over that of as many random real images.",
    "Energy is that of frequencies above half of the finest grating’s, over that of real images.",
    "",
    textTable(
      ["", ...factors.map((factor) => (factor === 0.5 ? "½" : String(factor))), "× random", "× energy"],
      [
        row("all classes", synthetic.overall, real.overall, highFrequency.overall),
        ...shown.map((name, label) =>
          row(name, synthetic.classes[label]!, real.classes[label]!, highFrequency.classes[label]!),
        ),
        row("random real images", real.overall, null, NaN),
      ],
    ),
  ].join("\n");
}

/** Errors by the number of frequencies as a table in plain text, with what they are. */
export function frequencyText(kernels: readonly KernelErrors[]): string {
  return [
    "Relative error of the spectral estimate of the squared MMD to held-out images, at M frequencies: root of the mean square",
    "over classes and draws; in parentheses what independent frequencies have in theory, which falls as 1/√M.",
    "",
    textTable(
      ["M", ...kernels.map(({ kernel }) => kernel)],
      kernels[0]!.counts.map((count, i) => [
        String(count),
        ...kernels.map(({ errors, expected }) => `${digits(errors[i])} (${digits(expected[i])})`),
      ]),
    ),
  ].join("\n");
}
