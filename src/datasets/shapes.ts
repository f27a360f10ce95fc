/**
 * Signed distance from (x, y) to an outline, negative inside. Exact near the outline, which is all that drawing needs;
 * elsewhere at least of the right sign.
 */
export type Outline = (x: number, y: number) => number;

/** An outline around the origin. */
export interface Figure {
  readonly distance: Outline;
  /** Area inside. */
  readonly area: number;
  /** No point inside is farther from the origin. */
  readonly reach: number;
}

type Point = readonly [x: number, y: number];

/** Exact distance to a simple polygon: to its nearest edge, with the sign by the parity of crossings (even-odd rule). */
function polygon(points: readonly Point[]): Figure {
  const edges = points.map(([x, y], i) => {
    const [nextX, nextY] = points[(i + 1) % points.length]!;
    const dx = nextX - x;
    const dy = nextY - y;
    return { x, y, dx, dy, nextY, squaredLength: dx * dx + dy * dy };
  });
  const distance: Outline = (px, py) => {
    let squared = Infinity;
    let inside = false;
    for (const { x, y, dx, dy, nextY, squaredLength } of edges) {
      const along = Math.min(1, Math.max(0, ((px - x) * dx + (py - y) * dy) / squaredLength));
      const ex = px - x - along * dx;
      const ey = py - y - along * dy;
      squared = Math.min(squared, ex * ex + ey * ey);
      if (y > py !== nextY > py && px < x + ((py - y) / dy) * dx) inside = !inside;
    }
    return inside ? -Math.sqrt(squared) : Math.sqrt(squared);
  };
  const twice = edges.reduce((sum, { x, y, dx, dy }) => sum + x * dy - y * dx, 0); // shoelace formula
  return {
    distance,
    area: Math.abs(twice) / 2,
    reach: Math.max(...points.map(([x, y]) => Math.hypot(x, y))),
  };
}

/** Corners at the given radii in turn, evenly around the origin, the first one on top. */
function corners(count: number, ...radii: readonly number[]): Point[] {
  return Array.from({ length: count }, (_, i) => {
    const angle = (2 * Math.PI * i) / count - Math.PI / 2;
    const radius = radii[i % radii.length]!;
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  });
}

const disk: Figure = { distance: (x, y) => Math.hypot(x, y) - 1, area: Math.PI, reach: 1 };

/** Between two circles. */
function ring(inner: number, outer: number): Figure {
  const middle = (inner + outer) / 2;
  return {
    distance: (x, y) => Math.abs(Math.hypot(x, y) - middle) - (outer - middle),
    area: Math.PI * (outer ** 2 - inner ** 2),
    reach: outer,
  };
}

/** The unit disk less one of radius `bite` about (offset, 0); then moved left by `shift`, towards its middle. */
function crescent(bite: number, offset: number, shift: number): Figure {
  // The two disks share a lens: a circular segment of each on either side of their common chord.
  const chord = (offset ** 2 + 1 - bite ** 2) / (2 * offset);
  const segment = (radius: number, height: number): number =>
    radius ** 2 * Math.acos(height / radius) - height * Math.sqrt(radius ** 2 - height ** 2);
  return {
    distance: (x, y) => Math.max(Math.hypot(x - shift, y) - 1, bite - Math.hypot(x - shift - offset, y)),
    area: Math.PI - segment(1, chord) - segment(bite, offset - chord),
    reach: 1 + Math.abs(shift),
  };
}

/** A square on its corner, with half disks on its two upper sides; moved down by `shift`. */
function heart(shift: number): Figure {
  const half = Math.SQRT1_2; // of the side of the square with corners (±1, 0) and (0, ±1)
  return {
    distance(x, y) {
      const down = y - shift;
      const square = (Math.abs(x) + Math.abs(down)) * Math.SQRT1_2 - half;
      const lobe = Math.hypot(Math.abs(x) - 0.5, down + 0.5) - half;
      return Math.min(square, lobe);
    },
    area: 4 * half ** 2 + Math.PI * half ** 2,
    reach: Math.SQRT1_2 + half + Math.abs(shift),
  };
}

/** The same figure at area π. */
function unitArea({ distance, area, reach }: Figure): Figure {
  const scale = Math.sqrt(Math.PI / area);
  return { distance: (x, y) => scale * distance(x / scale, y / scale), area: Math.PI, reach: scale * reach };
}

/** Kinds of figures, all of area π, so that size tells nothing about the kind. */
export const figures: ReadonlyMap<string, Figure> = new Map(
  Object.entries({
    disk,
    square: polygon(corners(4, 1)),
    triangle: polygon(corners(3, 1)),
    star: polygon(corners(10, 1, 0.42)),
    // prettier-ignore
    cross: polygon([
      [-1, -3], [1, -3], [1, -1], [3, -1], [3, 1], [1, 1], [1, 3], [-1, 3], [-1, 1], [-3, 1], [-3, -1], [-1, -1],
    ]),
    ring: ring(0.6, 1.2),
    crescent: crescent(0.85, 0.5, 0.25),
    heart: heart(0.1),
    // prettier-ignore
    arrow: polygon([[0, -3], [2.4, -0.4], [0.9, -0.4], [0.9, 2.8], [-0.9, 2.8], [-0.9, -0.4], [-2.4, -0.4]]),
    // prettier-ignore
    bolt: polygon([[0.6, -3], [-1.6, 0.5], [-0.2, 0.5], [-0.8, 3], [1.6, -0.8], [0.2, -0.8], [1.4, -3]]),
  }).map(([name, figure]) => [name, unitArea(figure)]),
);
