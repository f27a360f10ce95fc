import * as cpu from "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "@jest/globals";
import { TfjsEngine } from "../../src/engines/tfjs/index.ts";
import { describeOps } from "../contract/engineLaws.ts";
import { engines, exactEngine } from "../support/engines.ts";

// TensorFlow's native library is seldom installed. TensorFlow.js's plain JavaScript backend has kernels of the same names
// and attributes, among them the convolution gradients that WebAssembly lacks.
const exact = exactEngine(await engines());
// Otherwise it advertises the native library on the console.
tf.enableProdMode();
await tf.setBackend("cpu");
const engine = new TfjsEngine({ name: "tfjs-node", description: `TensorFlow.js ${cpu.version_cpu}`, tf });

test("the engine does not take itself for WebAssembly", () => {
  expect(tf.getBackend()).toBe("cpu");
  expect(engine.isWasm).toBe(false);
});

describeOps(engine, exact);
