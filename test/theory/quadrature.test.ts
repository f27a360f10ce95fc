import { expect, test } from "@jest/globals";
import { eachNode, gaussLegendre, panels } from "../../src/theory/quadrature.ts";
import { root } from "../../src/theory/root.ts";

test("n nodes integrate polynomials of degree 2n − 1", () => {
  for (const n of [1, 2, 5, 12, 24]) {
    const { nodes, weights } = gaussLegendre(n);
    expect([...nodes]).toEqual([...nodes].sort((a, b) => a - b));
    for (let degree = 0; degree < 2 * n; degree++) {
      const sum = nodes.reduce((total, x, i) => total + weights[i]! * x ** degree, 0);
      expect(sum).toBeCloseTo(degree % 2 === 0 ? 2 / (degree + 1) : 0, 13);
    }
  }
  // Abramowitz and Stegun, table 25.4.
  expect(gaussLegendre(5).nodes[4]).toBeCloseTo(0.906179845938664, 15);
  expect(gaussLegendre(5).weights[4]).toBeCloseTo(0.236926885056189, 15);
  expect(() => gaussLegendre(0)).toThrow("expected a whole number >= 1, got 0");
});

test("panels end at the breaks between their ends, and are visited left to right", () => {
  expect(panels(0, 2, [3, 1, -1, 0.5, 0, 2])).toEqual([0, 0.5, 1, 2]);
  expect(panels(1, 1, [])).toEqual([]);
  expect(panels(0, Infinity - Infinity, [])).toEqual([]);
  let sum = 0;
  const places: number[] = [];
  eachNode(panels(0, 3, [1]), gaussLegendre(4), (x, weight) => {
    places.push(x);
    sum += weight * Math.abs(x - 1);
  });
  expect(sum).toBeCloseTo(2.5, 14);
  expect(places).toEqual([...places].sort((a, b) => a - b));
});

test("a root is found to the precision asked for, in few steps", () => {
  let calls = 0;
  const cubic = (x: number): number => {
    calls++;
    return (x - Math.SQRT2) * (x * x + 1);
  };
  expect(root(cubic, { from: -10, to: 10, tolerance: 1e-13 })).toBeCloseTo(Math.SQRT2, 13);
  expect(calls).toBeLessThan(20);
  expect(root((x) => x ** 9, { from: -1, to: 2, tolerance: 1e-6 })).toBeCloseTo(0, 5);
  expect(root((x) => (x < 0.3 ? -1 : 1), { from: 0, to: 1, tolerance: 1e-9 })).toBeCloseTo(0.3, 8);
  expect(root((x) => x, { from: 0, to: 1, tolerance: 1e-9 })).toBeCloseTo(0, 8);
  expect(() => root((x) => x * x + 1, { from: -1, to: 1, tolerance: 1e-9 })).toThrow(
    "expected different signs at the ends of the bracket, got f(-1) = 2, f(1) = 2",
  );
});
