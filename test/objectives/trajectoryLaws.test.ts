import { afterAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { seeded } from "../../src/core/rng.ts";
import { sizeOf } from "../../src/core/shape.ts";
import { isTensor, type Tensor } from "../../src/engines/index.ts";
import { torchEngine } from "../../src/engines/torch/index.ts";
import {
  type StudentBatch,
  type Synthetic,
  trajectoryLoss,
  type TrajectoryOptions,
} from "../../src/objectives/trajectory.ts";
import { trajectoryGradient } from "../../src/objectives/trajectoryGradient.ts";
import { peakElements } from "../support/memory.ts";
import { norm, randomStudent, type StudentSetting, type Task, unrolled } from "./randomStudent.ts";

/** Laws of the gradient of trajectory matching, in float64. */

const engine = torchEngine({ dtype: "float64", threads: 1 });
afterAll(() => engine.close());

/** Gradients in images, step size and, where they are soft, labels. */
function gradientsOf({ trajectory, synthetic }: Task, options: TrajectoryOptions = {}): Tensor[] {
  const { images, stepSize, labels } = trajectoryGradient(trajectory, synthetic, options).gradients;
  return [images, stepSize, ...(labels ? [labels] : [])];
}

/** Largest difference, as a share of the largest element of the second. */
function apart(a: Tensor, b: Tensor): number {
  const largest = b.abs().max().item();
  expect(largest).toBeGreaterThan(0);
  return a.sub(b).abs().max().item() / largest;
}

/** Students whose mini-batches have sizes of their own. */
const students = fc
  .record({
    batch: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 9 }),
    soft: fc.boolean(),
    augmented: fc.boolean(),
    seed: fc.integer({ min: 0, max: 1000 }),
  })
  .map((setting): StudentSetting => ({ ...setting, steps: setting.batch.length }));

test("exact gradients are those of the unroll, for any steps, sizes of mini-batches and λ", () => {
  fc.assert(
    fc.property(students, fc.constantFrom(0, 0.002, 0.2, 3), (setting, weight) => {
      engine.scope(() => {
        const task = randomStudent(engine, setting);
        const options = weight > 0 ? { penalty: norm(weight) } : {};
        const full = unrolled(task, options).gradients;
        gradientsOf(task, options).forEach((part, i) => {
          expect(apart(part, full[i]!)).toBeLessThan(1e-10);
        });
      });
    }),
    { numRuns: 12, seed: 1 },
  );
});

test("TESLA's gradients are the exact ones for one step, and others for more", () => {
  fc.assert(
    fc.property(students, (setting) => {
      engine.scope(() => {
        const task = randomStudent(engine, setting);
        const exact = gradientsOf(task);
        gradientsOf(task, { throughPath: false }).forEach((part, i) => {
          const difference = apart(part, exact[i]!);
          if (setting.steps === 1) expect(difference).toBe(0);
          else expect(difference).toBeGreaterThan(1e-4);
        });
      });
    }),
    { numRuns: 8, seed: 2, examples: [[{ steps: 1, batch: [4], soft: true, augmented: true, seed: 3 }]] },
  );
});

test("a student that stays where it is has loss 1, and gradients in the step size alone", () => {
  fc.assert(
    fc.property(students, fc.boolean(), (setting, throughPath) => {
      engine.scope(() => {
        const task = randomStudent(engine, setting);
        const synthetic = { ...task.synthetic, stepSize: engine.fill([1], 0) };
        const still = trajectoryGradient(task.trajectory, synthetic, { throughPath });
        expect(still.value.item()).toBe(1);
        expect(still.gradients.images.abs().max().item()).toBe(0);
        expect(Math.abs(still.gradients.stepSize.item())).toBeGreaterThan(0);
      });
    }),
    { numRuns: 5, seed: 3 },
  );
});

describe.each(["relu", "swish"] as const)("central differences under %s agree", (activation) => {
  const setting = { steps: 7, batch: [6, 2, 5, 1, 6, 3, 4], soft: true, network: { activation } } as const;
  const task = randomStudent(engine, setting);
  const penalty = norm(0.2);
  const [images, stepSize, labels] = gradientsOf(task, { penalty });
  /** So small a step that no unit passes 0 on the way. */
  const h = 1e-7;
  /** Slope of the loss along a change of what is learned. */
  const slopeOf = (moved: (by: number) => Partial<Synthetic>): number => {
    const at = (by: number): number =>
      engine.scope(() =>
        trajectoryLoss(task.trajectory, { ...task.synthetic, ...moved(by) }, { penalty }).item(),
      );
    return (at(h) - at(-h)) / (2 * h);
  };
  const expectSlope = (found: number, slope: number): void => {
    expect(Math.abs(found)).toBeGreaterThan(1e-3);
    expect(Math.abs(found - slope)).toBeLessThan(2e-6 * Math.max(1, Math.abs(slope)));
  };
  /** A direction in which a tensor may be moved. */
  const towards = ({ shape }: Tensor): Tensor =>
    engine.tensor(shape, seeded(4).fillNormal(new Float64Array(sizeOf(shape))));

  test("with dL/dβ", () => {
    expectSlope(
      stepSize!.item(),
      slopeOf((by) => ({ stepSize: task.synthetic.stepSize.add(by) })),
    );
  });

  test("with the gradient in the images", () => {
    const direction = towards(images!);
    expectSlope(
      images!.mul(direction).sum().item(),
      slopeOf((by) => ({ images: task.synthetic.images.add(direction.mul(by)) })),
    );
  });

  test("with the gradient in soft labels", () => {
    const { labels: at } = task.synthetic;
    if (!isTensor(at)) throw new Error("expected soft labels");
    const direction = towards(labels!);
    expectSlope(
      labels!.mul(direction).sum().item(),
      slopeOf((by) => ({ labels: at.add(direction.mul(by)) })),
    );
  });
});

describe("memory", () => {
  const sizeOfAll = (tensors: readonly Tensor[]): number =>
    tensors.reduce((total, { shape }) => total + sizeOf(shape), 0);
  /** Steps that are alike, so that none of them sets the peak by itself. */
  const taskOf = (steps: number): Task => {
    const setting = { steps: 1, batch: 4, soft: true, augmented: true, seed: 5 };
    const { trajectory, synthetic } = randomStudent(engine, setting);
    const batches = new Array<StudentBatch>(steps).fill(trajectory.batches[0]!);
    return { trajectory: { ...trajectory, batches }, synthetic };
  };
  const lengths = [3, 6, 12];
  const peaks = (of: (task: Task) => void): number[] =>
    lengths.map((steps) => {
      const task = taskOf(steps);
      return peakElements(engine, () => {
        of(task);
      });
    });
  const parameters = sizeOfAll(taskOf(1).trajectory.start);

  test.each([
    ["exact", true],
    ["TESLA's", false],
  ])(
    "of %s gradients grows by the parameters of each further step, and by nothing else",
    (_, throughPath) => {
      for (const penalty of [undefined, norm(0.1)]) {
        const found = peaks(({ trajectory, synthetic }) => {
          trajectoryGradient(trajectory, synthetic, { throughPath, penalty });
        });
        const beyond = found.map((peak, i) => peak - lengths[i]! * parameters);
        expect(new Set(beyond).size).toBe(1);
      }
    },
  );

  test("of the unroll grows by the whole graph of each further step", () => {
    const found = peaks((task) => {
      unrolled(task);
    });
    const each = (found[2]! - found[1]!) / (lengths[2]! - lengths[1]!);
    expect(each).toBeGreaterThan(10 * parameters);
  });

  test("of mini-batches that go through the network in chunks grows by their gradients, too", () => {
    const found = peaks(({ trajectory, synthetic }) => {
      const network = { ...trajectory.network, largest: 2 ** 26 / 2 };
      trajectoryGradient({ ...trajectory, network }, synthetic);
    });
    expect(found[2]! - found[1]!).toBe(2 * parameters * (lengths[2]! - lengths[1]!));
  });
});
