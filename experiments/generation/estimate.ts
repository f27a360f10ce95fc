import { seeded } from "../../src/core/rng.ts";
import { sizeOf } from "../../src/core/shape.ts";
import { countOf, subset } from "../../src/datasets/dataset.ts";
import { tensorsOf } from "../../src/engines/index.ts";
import { diffusionModel, imagePool, type UNet } from "../../src/generation/index.ts";
import { initialValues } from "../../src/networks/index.ts";
import type { Preparation, Source } from "../../src/objectives/objective.ts";
import { sizeText } from "../disk.ts";
import { hasAllParts, hasPart, type Prepared } from "../preparation.ts";
import { duration } from "../progress.ts";
import { pluralOf } from "../report/labels.ts";
import type { Generation } from "./options.ts";
import type { Stages } from "./stages.ts";

/** Seconds that were measured on a few images, for one of them. Of what is there already nothing is measured: 0. */
export interface UnitTimes {
  /** Of a training step. */
  readonly training: number;
  /** Of a sampler's step, with guidance where that is asked for. */
  readonly sampling: number;
  /** Of an epoch of the judge. */
  readonly judging: number;
}

/** Products of all images that a measurement takes at once, and the least images: seconds of a CPU. */
const PRODUCTS = 1e10;
const FEW = 8;
/** Images of an epoch of the judge that is timed. */
const JUDGED = 256;

/** Measures what is not there yet, on data and networks of the real sizes. */
export function unitTimes(stages: Stages, { training, sampling }: Generation): UnitTimes {
  const { base, source, unet, model, tuned, pool, judge } = stages;
  // A GPU takes a few images no faster than many.
  const few = (images: number): number =>
    source.engine.name.includes("cuda")
      ? images
      : Math.min(images, Math.max(FEW, Math.floor(PRODUCTS / unet.products)));
  const isTrained = hasAllParts(tuned ?? model);
  const [trained, sampled, judged] = [
    few(training.batchSize),
    few(sampling.batchSize),
    Math.min(JUDGED, countOf(source.real)),
  ];
  const short = { ...training, batchSize: trained, steps: 3, continues: undefined };
  const probe = diffusionModel({ ...base, training: short });
  const images = { ...sampling, imagesPerClass: sampled, batchSize: sampled };
  const some = subset(
    source.real,
    Int32Array.from({ length: judged }, (_, i) => i),
  );
  return {
    training: isTrained ? 0 : secondsBetweenReports(probe, source) / trained,
    sampling: hasAllParts(pool)
      ? 0
      : secondsBetweenReports(imagePool(base, probe, { sampling: images, classes: 1 }), untrained(stages)) /
        sampled,
    judging: hasAllParts(judge)
      ? 0
      : secondsBetweenReports(judge.preparation, { ...source, real: some }) / judged,
  };
}

/** Reports until the one whose time counts: by then everything has been allocated and compiled. */
const REPORTS = 3;

/** Seconds that a part takes for its last of three reports, or for fewer where it makes no more. */
function secondsBetweenReports(preparation: Preparation, source: Source): number {
  const run = preparation.part(source, 0, seeded(0));
  let seconds = NaN;
  for (let i = 0; i < REPORTS; i++) {
    const begun = performance.now();
    const next = run.next();
    if (next.done) break;
    tensorsOf(next.value.state)[0]?.values(); // waits for a GPU
    seconds = (performance.now() - begun) / 1000;
  }
  run.return(undefined as never);
  return seconds;
}

/** The source with a fresh model in place of the trained one: a step of it takes the same time. */
function untrained({ source, unet }: Stages): Source {
  const arrays = unet.parameters.map((spec) => [
    `ema/${spec.name}`,
    { shape: spec.shape, data: initialValues(spec, seeded(0)) },
  ]);
  return {
    ...source,
    prepared: () => Object.fromEntries(arrays) as ReturnType<NonNullable<Source["prepared"]>>,
  };
}

/** What making a pool takes, in lines: sizes, and times from those of single images. */
export function planLines(stages: Stages, generation: Generation, times: UnitTimes): string[] {
  const { source, unet, model, tuned, pool, judge } = stages;
  const { training, minimax, sampling, gates } = generation;
  const classes = source.classes.length;
  const guided =
    sampling.guidance === 0 || sampling.guidance === 1 ? "" : ", each seen with and without its class";
  const work = (prepared: Prepared, seconds: number): string => planText(prepared, seconds);
  const perStep = training.batchSize * times.training;
  const left = (training.steps - (training.continues ?? 0)) * perStep;
  return [
    `network: ${unet.name}, ${(parametersOf(unet) / 1e6).toFixed(2)} million parameters, ` +
      `${(unet.products / 1e9).toPrecision(3)} G multiplications and additions an image`,
    `training: ${training.steps} steps of ${training.batchSize} images${stepText(perStep)}, ${work(model, left)}; ` +
      `about ${sizeText(trainingBytes(unet, training.batchSize))} of memory`,
    ...(minimax && tuned
      ? [
          `minimax: ${minimax.steps} steps of ${minimax.batchSize} images, ` +
            work(tuned, minimax.steps * minimax.batchSize * times.training),
        ]
      : []),
    `judge: ${pluralOf(gates.judge.epochs, "epoch")} of ${gates.judge.network.name}, ` +
      work(judge, gates.judge.epochs * countOf(source.real) * times.judging),
    `sampling: ${classes} × ${sampling.imagesPerClass} images in ${sampling.steps} steps${guided}, ` +
      work(pool, classes * sampling.imagesPerClass * sampling.steps * times.sampling),
  ];
}

const stepText = (seconds: number): string => (seconds > 0 ? ` of ${duration(seconds)} each` : "");

/** "about 3 h 20 min", "all there", or with how many parts are there. */
function planText(prepared: Prepared, seconds: number): string {
  if (hasAllParts(prepared)) return "all there";
  const { parts } = prepared.preparation;
  const there = Array.from({ length: parts }, (_, index) => hasPart(prepared, index)).filter(Boolean).length;
  return `about ${duration((seconds * (parts - there)) / parts)}${there > 0 ? `, ${there} of ${parts} parts there` : ""}`;
}

export function parametersOf({ parameters }: UNet): number {
  return parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}

/** Vectors of all parameters that an update holds at its peak: gradient, average, moments, and what it computes between. */
const COPIES = 30;

/** Memory that a training step takes beside the program itself, about. */
function trainingBytes(unet: UNet, batchSize: number): number {
  return 4 * (COPIES * parametersOf(unet) + batchSize * unet.kept);
}
