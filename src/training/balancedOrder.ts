import { check, wholeNumber } from "../core/errors.ts";
import type { Rng } from "../core/rng.ts";
import type { EpochOrder } from "./train.ts";

/**
 * An order of epochs in which all classes come equally often, however many images they have (the class-aware sampling of
 * LAD's second stage, Zhao et al., CVPR 2025; from its code): the classes take turns in a random order, a new one each
 * time round, and at its turn a class gives its next `consecutive` images. Each goes through its own images in a random
 * order, a new one each time round. An epoch has as many images as if all classes were as large as the largest.
 *
 * @param classes positions of each class's images.
 * @param consecutive images at a turn; the epoch's last turns may be cut off.
 * @throws InputError if a class has no images.
 *
 * Every epoch begins anew, where that code goes on through a class where the last epoch left it.
 */
export function balancedOrder(classes: readonly Int32Array[], consecutive: number): EpochOrder {
  wholeNumber("balancedOrder.consecutive", consecutive, 1);
  classes.forEach(({ length }, c) =>
    check(length > 0, () => `balancedOrder: class ${c}: expected at least 1 image, got none`),
  );
  const count = Math.max(...classes.map(({ length }) => length)) * classes.length;
  return (rng) => {
    const turns = cycle(classes.length, rng.stream("classes"));
    const members = classes.map(({ length }, c) => cycle(length, rng.stream(`class/${c}`)));
    const order = new Int32Array(count);
    let label = 0;
    for (let i = 0; i < count; i++) {
      if (i % consecutive === 0) label = turns();
      order[i] = classes[label]![members[label]!()]!;
    }
    return order;
  };
}

/** 0, …, count − 1 in a random order, then in another, and so on: one at each call. */
function cycle(count: number, rng: Rng): () => number {
  let order = rng.permutation(count);
  let next = 0;
  return () => {
    if (next === count) {
      order = rng.permutation(count);
      next = 0;
    }
    return order[next++]!;
  };
}
