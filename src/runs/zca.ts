import { sizeOf } from "../core/shape.ts";
import { whitenedDataset, type Whitening } from "../datasets/whitening.ts";
import { zcaEpsilon, zcaWhitening } from "../datasets/zca.ts";
import type { NamedArrays } from "../formats/array.ts";
import type { PartReport, Preparation, Source } from "../objectives/objective.ts";

/**
 * The whitening of a data set's training images, fitted before the first step of any run that has the option `zca`, whatever
 * its method and network. Its one part has
 *
 *     mean      [d], d = channels · height · width
 *     matrix    [d, d]
 *     inverse   [d, d]
 */
export function zcaPreparation(): Preparation {
  return {
    name: "zca",
    options: { epsilon: zcaEpsilon },
    network: {},
    parts: 1,
    part: fitted,
    bytes: ({ real }) => arrayBytes(sizeOf(real.imageShape)),
  };
}

/** Of the three arrays in float32. */
const arrayBytes = (d: number): number => 4 * (d + 2 * d * d);

function* fitted({ real, engine }: Source): Generator<PartReport, NamedArrays> {
  const run = zcaWhitening(real, engine);
  try {
    let next = run.next();
    for (; !next.done; next = run.next()) yield { share: next.value };
    const { mean, matrix, inverse } = next.value;
    const d = mean.length;
    return {
      mean: { shape: [d], data: mean },
      matrix: { shape: [d, d], data: matrix },
      inverse: { shape: [d, d], data: inverse },
    };
  } finally {
    run.return(undefined as never); // frees what a fit holds that is left early
  }
}

/** The whitening that a part of `zcaPreparation` holds. */
export function whiteningIn(arrays: NamedArrays): Whitening {
  const values = (name: string): Float32Array => arrays[name]!.data as Float32Array;
  return { mean: values("mean"), matrix: values("matrix"), inverse: values("inverse") };
}

/** The source with its real images whitened: everything that comes of it is in that space. */
export function whitened(source: Source, whitening: Whitening): Source {
  return { ...source, real: whitenedDataset(source.real, whitening, source.engine) };
}
