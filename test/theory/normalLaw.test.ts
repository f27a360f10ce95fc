import { expect, test } from "@jest/globals";
import { normalDensity, normalTail, normalTailInverse } from "../../src/theory/normalLaw.ts";

/** ½ − H(x) by its series φ(x)(x + x³/3 + x⁵/15 + …), which has no cancellation. */
function bySeries(x: number): number {
  let [term, sum] = [x, x];
  for (let k = 1; term > 1e-18 * sum; k++) {
    term *= (x * x) / (2 * k + 1);
    sum += term;
  }
  return normalDensity(x) * sum;
}

test("the normal law is that of its series, to 1e-15", () => {
  for (let x = 0.05; x < 6; x += 0.05) {
    expect(Math.abs(normalTail(-x) - 0.5 - bySeries(x))).toBeLessThan(1e-15);
    expect(Math.abs(normalTail(x) - 0.5 + bySeries(x))).toBeLessThan(1e-15);
  }
  expect(normalTail(0)).toBeCloseTo(0.5, 15);
});

test("far tails are those of tables", () => {
  // Abramowitz and Stegun, table 26.2: −log₁₀ H(x).
  expect(-Math.log10(normalTail(5))).toBeCloseTo(6.54265, 5);
  expect(-Math.log10(normalTail(10))).toBeCloseTo(23.11805, 5);
  expect(-Math.log10(normalTail(20))).toBeCloseTo(88.5601, 5);
  expect(normalTail(40)).toBe(0);
  expect(normalTail(-40)).toBe(1);
});

test("the inverse takes the tail back, to 1e-12", () => {
  for (const p of [1e-6, 1e-3, 0.0123, 0.1, 0.25, 0.4999, 0.5, 0.5001, 0.9, 0.999]) {
    const x = normalTailInverse(p);
    expect(Math.abs(normalTail(x) / p - 1)).toBeLessThan(1e-12);
    expect(normalTailInverse(1 - p)).toBeCloseTo(-x, 9);
  }
  expect(normalTailInverse(0.025)).toBeCloseTo(1.959963984540054, 13);
  expect(normalTailInverse(0)).toBe(Infinity);
  expect(normalTailInverse(1)).toBe(-Infinity);
  expect(() => normalTailInverse(1.5)).toThrow("expected a probability, 0 to 1, got 1.5");
});
