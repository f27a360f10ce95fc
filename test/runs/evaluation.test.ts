import { expect, test } from "@jest/globals";
import {
  convNet,
  datasetOf,
  type Dataset,
  distillationOf,
  evaluationOf,
  InputError,
  mean,
  protocols,
  sampleStandardDeviation,
  selectEngine,
} from "../../src/index.ts";
import { toyDataset } from "../support/toy.ts";

const { engine } = await selectEngine("tfjs-wasm");
const real = toyDataset();
const synthetic = distillationOf(real, {
  engine,
  network: { name: "convNet", depth: 1, width: 4 },
  imagesPerClass: 2,
  steps: 0,
}).synthetic();
const training = { ...protocols.quick.training, epochs: 30 };
const protocol = { id: "short", version: 1, description: "A short one.", training };

test("networks are trained from seeds of their own, and their accuracies summed up", () => {
  const { accuracy, deviation, networks } = evaluationOf(synthetic, real, {
    engine,
    protocol,
    networks: 3,
  }).finish();
  const accuracies = networks.map((network) => network.accuracy);
  expect(accuracies).toHaveLength(3);
  expect(accuracy).toBeCloseTo(mean(accuracies), 12);
  expect(deviation).toBeCloseTo(sampleStandardDeviation(accuracies), 12);
  expect(accuracy).toBeGreaterThan(0.6); // classes of different colors
  expect(networks[0]).toMatchObject({ protocol: "short", training: { epochs: 30 } });
  expect(networks[0]!.perClass).toHaveLength(3);
});

test("each epoch is reported, and a loop that is left early is taken up again at the network it was at", () => {
  const whole = evaluationOf(synthetic, real, { engine, protocol, networks: 2 }).finish();
  const run = evaluationOf(synthetic, real, { engine, protocol, networks: 2 });
  const before = engine.liveTensors();
  for (const { network, epoch, epochs } of run) {
    expect(epochs).toBe(30);
    if (network === 1 && epoch === 10) break;
  }
  expect(engine.liveTensors()).toBe(before);
  expect([...run].map(({ network, epoch }) => `${network}/${epoch}`)).toEqual(
    Array.from({ length: 30 }, (_, epoch) => `1/${epoch + 1}`),
  );
  expect(run.finish()).toEqual(whole);
});

test("another architecture than the matching one can be trained, chosen or the caller's own", () => {
  const own = convNet({ depth: 1, width: 8 }, { imageShape: [8, 8, 3], classes: 3 });
  const networks = 1;
  const chosen = evaluationOf(synthetic, real, {
    engine,
    protocol,
    networks,
    network: { name: "convNet", depth: 1, width: 8 },
  });
  expect(evaluationOf(synthetic, real, { engine, protocol, networks, network: own }).finish()).toEqual(
    chosen.finish(),
  );
});

test.each<[string, Partial<Dataset>, string]>([
  [
    "shape",
    { imageShape: [4, 16, 3] },
    "evaluationOf: expected test images with imageShape [8,8,3], as the synthetic set has it, got [4,16,3]",
  ],
  [
    "classes",
    { classNames: ["a", "b", "c"] },
    'evaluationOf: expected test images with classNames ["class 0","class 1","class 2"], as the synthetic set has it, ' +
      'got ["a","b","c"]',
  ],
])("test images of another %s are refused", (_, change, message) => {
  const attempt = (): unknown => evaluationOf(synthetic, { ...real, ...change }, { engine });
  expect(attempt).toThrow(new InputError(message));
});

test("test images are normalized as the synthetic ones are, whatever their own constants", () => {
  const judged = (test: Dataset): unknown =>
    evaluationOf(synthetic, test, { engine, protocol, networks: 1 }).finish();
  expect(judged({ ...real, mean: [0.1, 0.2, 0.3], std: [1, 1, 1] })).toEqual(judged(real));
});

test("soft labels and a learning rate that were learned take the place of the labels and the protocol's rate", () => {
  const swapped = { networks: 1, engine, protocol };
  const { labels, classNames } = synthetic;
  const rows = (label: (given: number) => number): Float32Array =>
    Float32Array.from(
      Array.from(labels).flatMap((given) => classNames.map((_, c) => (c === label(given) ? 1 : 0))),
    );
  const hard = evaluationOf(synthetic, real, swapped).finish();
  const right = evaluationOf({ ...synthetic, softLabels: rows((given) => given) }, real, swapped).finish();
  const wrong = evaluationOf(
    { ...synthetic, softLabels: rows((given) => (given + 1) % 3) },
    real,
    swapped,
  ).finish();
  expect(right.accuracy).toBeCloseTo(hard.accuracy, 6);
  expect(wrong.accuracy).toBeLessThan(0.4);
  const slow = evaluationOf({ ...synthetic, learningRate: 1e-6 }, real, swapped).finish();
  expect(slow.networks[0]!.training.learningRate).toBe(1e-6);
});

test("an unknown protocol is named with those there are", () => {
  const attempt = (): unknown => evaluationOf(synthetic, real, { engine, protocol: "dm" as never });
  expect(attempt).toThrow(/evaluationOf: protocol: .*"dm-1000".*got "dm"/);
});

test("images of the caller's own go all the way", () => {
  const pixels = Float32Array.from(real.pixels, (byte) => byte / 255);
  const train = datasetOf({ pixels, imageShape: [8, 8, 3], labels: real.labels });
  const { mean, std } = train;
  const run = distillationOf(train, {
    engine,
    objective: "dm",
    network: { name: "convNet", depth: 1, width: 4 },
    imagesPerClass: 1,
    steps: 2,
  });
  const test = datasetOf({ pixels, imageShape: [8, 8, 3], labels: real.labels, mean, std });
  const { accuracy } = evaluationOf(run.finish(), test, { engine, protocol, networks: 1 }).finish();
  expect(accuracy).toBeGreaterThan(0.5);
});
