import { z } from "zod";
import type { RunDefaults } from "./objective.ts";

/** Options that all methods of the family share. */
export const trajectoryOptions = z.strictObject({
  studentSteps: z
    .int()
    .min(1)
    .default(20)
    .describe("N, the steps of gradient descent by which a student trains on the synthetic images"),
  expertEpochs: z
    .int()
    .min(1)
    .default(2)
    .describe("M, the expert's epochs on the real images whose way the student shall go"),
  batchSize: z
    .int()
    .min(1)
    .optional()
    .describe("Synthetic images in each of the student's steps; by default all of them"),
  stepSize: z
    .strictObject({
      initial: z.number().positive().default(0.01).describe("β at the first update"),
      learningRate: z.number().min(0).default(1e-5).describe("Of β, by SGD; 0 holds it"),
      momentum: z.number().min(0).lt(1).default(0.5).describe("Of that SGD"),
      floor: z
        .number()
        .positive()
        .optional()
        .describe(
          "β is held at this or above, which the published codes do not; without, a run stops where β is no longer positive",
        ),
    })
    .prefault({})
    .describe("β, the student's learning rate, which is learned with the images and evaluates them"),
  shortest: z
    .number()
    .min(0)
    .default(1e-8)
    .describe("A segment of less squared length, ‖θ₀ − θ*‖², is skipped: the loss is in units of it"),
});

/** Ways to take the gradient of a trajectory's loss. */
export const gradients = ["exact", "tesla", "unrolled"] as const;

/** How the gradient of a trajectory's loss is taken. */
export const gradientOption = z.enum(gradients);

/** What the option says of itself. */
export const gradientText =
  "exact, the loss's own, step by step in the memory of one; tesla, with every θᵢ held constant, as TESLA's code does; " +
  "unrolled, the exact one by differentiating all steps at once: a fifth less time, while there is memory for all their graphs";

/** What a run of the family has where its config says nothing else, by the rate of its images. */
export function publishedTrajectoryRun(learningRate: number): () => RunDefaults {
  return () => ({ optimizer: { name: "sgd", learningRate, momentum: 0.5 } });
}
