import { check } from "../core/errors.ts";
import type { Rng } from "../core/rng.ts";
import { sizeOf } from "../core/shape.ts";
import { normalized } from "../datasets/dataset.ts";
import type { Tensor } from "../engines/index.ts";
import { imagesAtOnce } from "../networks/network.ts";
import { type Expert, expertOf } from "./experts.ts";
import type { Preparation, Source } from "./objective.ts";

/** Who looks for images that start a run, and what fills up a class of which too few are found. */
export interface Search {
  /** Experts whose final parameters are kept. */
  readonly experts: Preparation;
  /** How many of them, from the first on, go through a class's images in turn until there are enough. */
  readonly turns: number;
  /** Other images of the class, in random order; or those that were found, once more, and noise where none was. */
  readonly rest: "others" | "repeated";
}

/**
 * Real images that experts classify correctly after their training, as DATM starts from (Guo et al., ICLR 2024; from its
 * code). Each expert goes through the class's images in the same random order; none is taken twice. Networks with batch norm
 * normalize by the images that they see at once.
 *
 * @returns normalized, class-major, [classes · imagesPerClass, h, w, c].
 * @throws InputError for mosaics: networks see their cells alone.
 */
export function correctImages(source: Source, search: Search, rng: Rng): Tensor {
  const { engine, real, classes, imagesPerClass, partition } = source;
  check(
    !partition,
    () =>
      "objective.initialImages: expected run for images that are mosaics, got correct: experts classify whole images",
  );
  const size = imagesPerClass * sizeOf(real.imageShape);
  const pixels = new Float32Array(classes.length * size);
  classes.forEach((positions, label) => {
    const dice = rng.stream(`${label}`);
    const order = dice.stream("order").permutation(positions.length);
    const inOrder = Array.from(order, (at) => positions[at]!);
    const found = foundBy(source, search, { label, inOrder });
    const others = inOrder.filter((position) => !found.has(position));
    const chosen = [...found, ...(search.rest === "others" ? others : [])];
    const into = pixels.subarray(label * size, (label + 1) * size);
    if (chosen.length === 0) dice.stream("noise").fillNormal(into);
    else normalized(real, cyclically(chosen, imagesPerClass), into);
  });
  return engine.tensor([classes.length * imagesPerClass, ...real.imageShape], pixels);
}

/** A class and its images in the order in which experts see them. */
interface ClassInOrder {
  readonly label: number;
  readonly inOrder: readonly number[];
}

/** Positions of a class's images that experts classify correctly: as many as are wanted, or fewer. */
function foundBy(source: Source, { experts, turns }: Search, ofClass: ClassInOrder): Set<number> {
  const found = new Set<number>();
  for (let turn = 0; turn < turns && found.size < source.imagesPerClass; turn++) {
    source.engine.scope(() => {
      for (const position of correctBy(source, expertOf(source, experts, turn), ofClass)) {
        found.add(position);
        if (found.size === source.imagesPerClass) break;
      }
      return null;
    });
  }
  return found;
}

/** Positions of a class's images that an expert classifies correctly, one after another as they are asked for. */
function* correctBy(
  { engine, real }: Source,
  expert: Expert,
  { label, inOrder }: ClassInOrder,
): Generator<number> {
  const parameters = expert.final();
  const atOnce = imagesAtOnce(expert.network);
  for (let from = 0; from < inOrder.length; from += atOnce) {
    const block = inOrder.slice(from, from + atOnce);
    const predicted = engine.scope(() => {
      const images = engine.tensor([block.length, ...real.imageShape], normalized(real, block));
      return engine.noGrad(() => Array.from(expert.network.logits(parameters, images).argmax(1).values()));
    });
    yield* block.filter((_, i) => predicted[i] === label);
  }
}

const cyclically = (positions: readonly number[], count: number): number[] =>
  Array.from({ length: count }, (_, i) => positions[i % positions.length]!);
