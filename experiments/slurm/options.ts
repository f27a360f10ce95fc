import { z } from "zod";

const word = z.string().regex(/^[^\s"'\\]+$/, "expected one word without quotes");
/** A number may stand for its text, as YAML reads `time: 90`. */
const text = <S extends z.ZodType>(schema: S) =>
  z.preprocess((value) => (typeof value === "number" ? String(value) : value), schema);
const line = z.string().regex(/^[^\n\r]+$/, "expected one line");

/** What a job asks Slurm for, by the names of sbatch's own options. Strict, as part of a sweep file. */
export const slurmSchema = z.strictObject({
  partition: word.optional().describe("Partition, or several with commas"),
  time: text(
    z.string().regex(/^(\d+-)?\d+(:\d+){0,2}$/, "expected minutes, H:M:S or D-H:M:S, as in 2-12:00:00"),
  )
    .optional()
    .describe("Time limit of a task; one that needs longer goes on after it, from its checkpoint"),
  gpus: z
    .union([z.int().min(0), word])
    .optional()
    .describe("GPUs of a task, as in 1 or a100:1"),
  cpus: z.int().min(1).optional().describe("CPU cores of a task"),
  mem: z
    .union([z.int().min(1), word])
    .optional()
    .describe("Memory of a task: megabytes, or as in 16G"),
  throttle: z.int().min(1).optional().describe("How many tasks run at once at most"),
  requeue: z
    .boolean()
    .default(true)
    .describe("Whether a task that was stopped or killed goes back to the queue by itself"),
  account: word.optional().describe("Account that is charged"),
  qos: word.optional().describe("Quality of service"),
  constraint: z
    .string()
    .regex(/^[^\s"\\]+$/, "expected one word")
    .optional()
    .describe("Features that a node must have, as in a100|h100"),
  exclude: word.optional().describe("Nodes to stay away from"),
  signal: z
    .int()
    .min(10)
    .max(3600)
    .default(120)
    .describe("Seconds before the time limit at which a task is told to save and make room"),
  report: z
    .boolean()
    .default(true)
    .describe("Whether a last small job gathers the rows and writes the report"),
  setup: z.array(line).default([]).describe("Lines of shell before the work, as in module load cuda"),
  sbatch: z
    .array(line.regex(/^-/, "expected an option of sbatch, as in --mail-type=END"))
    .default([])
    .describe("Any other options of sbatch, as in --gres=shard:1"),
});

/** Options of Slurm with every default. */
export type SlurmOptions = z.infer<typeof slurmSchema>;
