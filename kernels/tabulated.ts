import { z } from "zod";
import { check, positive } from "../src/core/errors.ts";
import { coordinateProduct, distances } from "./distances.ts";
import { productFrequencies, radialFrequencies } from "./frequencies.ts";
import type { StationaryKernel } from "./kernel.ts";
import { scaleOption } from "./options.ts";
import { elementwise, type Profile, profileOf } from "./profile.ts";
import { gaussLegendre } from "./quadrature.ts";
import { drawnFrequency, meanSquare, type SpectralLaw, spectralLaw } from "./spectralLaw.ts";

export const tabulatedOptions = z.strictObject({
  scale: scaleOption,
  values: z
    .array(z.number())
    .min(2)
    .max(1024)
    .describe("κ(0), κ(Δ), κ(2Δ), … of an even function that is zero beyond; divided by κ(0)"),
  spacing: z.number().positive().describe("Δ, in lengths ℓ"),
  lift: z
    .enum(["product", "sliced"])
    .default("product")
    .describe(
      "From the line to d dimensions: the product of κ over coordinates, or the mean of κ along all directions, which falls " +
        "off over √d times the length",
    ),
});

export type TabulatedOptions = z.infer<typeof tabulatedOptions>;

/** The period of the spectrum over the table's reach on both sides: the wider, the closer the kernel is to the table. */
const PADDING = 8;

/** Laws and profiles depend on the table alone, and a step's kernel differs from the last one's in length alone. */
const known = new WeakMap<
  readonly number[],
  { readonly law: SpectralLaw; readonly profile: () => Profile }
>();

/**
 * A kernel that is given by numbers, κ(t) on a grid, by its spectrum:
 *
 *     product:  k(x, y) = Πₖ κ((xₖ − yₖ)/ℓ),     ωₖ ~ p/ℓ independent,            E‖ω‖² = d E_p t²/ℓ²
 *     sliced:   k(x, y) = E_u κ(⟨u, x − y⟩/ℓ),   ω = t·u/ℓ, t ~ p, u on the sphere, E‖ω‖² = E_p t²/ℓ²
 *
 * p is the density of `spectralDensity`, constant around each of its frequencies, and draws of it are exact. The kernel is
 * that of p, by which `gram` goes too, to 1e-10: at the table's points the table times sin(τ)/τ, which is 1 at t = 0 and at
 * least 0.993 at the table's end, and the band-limited function through them in between. `gram` is computed on the host; the
 * product holds some n·m·d numbers.
 *
 * @throws InputError if κ is not positive definite, which says where its spectrum is negative.
 */
export function tabulated({ scale, values, spacing, lift }: TabulatedOptions): StationaryKernel {
  positive("tabulated.scale", scale);
  const unit = positive("tabulated.spacing", spacing) * scale;
  const { law, profile } = spectrumOf(values);
  const squared = meanSquare(law) / unit ** 2;
  const name = `tabulated(${values.length} values, ${unit}, ${lift})`;
  if (lift === "sliced") {
    return {
      name,
      radial: true,
      gram: (x, y) => {
        const r = distances(x, y).mul(1 / unit);
        return elementwise(r, slices(profile(), x.shape[1]!, r.max().item()));
      },
      frequencies: (count, width, rng, directions) => {
        const omega = radialFrequencies({ count, width, rng, directions }, () => 1);
        for (let i = 0; i < count; i++) {
          const row = omega.subarray(i * width, (i + 1) * width);
          const length = Math.sqrt(row.reduce((sum, z) => sum + z * z, 0));
          const factor = drawnFrequency(law, rng) / (unit * length);
          for (let k = 0; k < width; k++) row[k] = row[k]! * factor;
        }
        return omega;
      },
      meanSquaredFrequency: () => squared,
    };
  }
  return {
    name,
    radial: false,
    gram: (x, y) => coordinateProduct(x, y, (t) => elementwise(t.mul(1 / unit), profile())),
    frequencies: (count, width, rng, directions) =>
      productFrequencies({ count, width, rng, directions }, () => {
        const omega = drawnFrequency(law, rng) / unit;
        return rng.uniform() < 0.5 ? -omega : omega;
      }),
    meanSquaredFrequency: (width) => width * squared,
  };
}

function spectrumOf(values: readonly number[]): {
  readonly law: SpectralLaw;
  readonly profile: () => Profile;
} {
  const before = known.get(values);
  if (before) return before;
  const [first] = values;
  check(
    values.length > 1 && first! > 0 && values.every((value) => Math.abs(value) <= first!),
    () => "tabulated.values: expected κ(0), κ(Δ), … with none further from 0 than κ(0) > 0, and 2 or more",
  );
  const reach = 2 ** Math.ceil(Math.log2(2 * values.length));
  const law = spectralLaw(values, PADDING * reach);
  let profile: Profile | undefined;
  const spectrum = { law, profile: () => (profile ??= profileOf(law)) };
  known.set(values, spectrum);
  return spectrum;
}

/** Beyond, an integral over slices takes too many nodes. */
const MOST_NODES = 2000;

/**
 * The mean of κ along all directions, as a function of the distance:
 *
 *     K(r) = ∫ κ(r cos θ) sin^(d−2) θ dθ / ∫ sin^(d−2) θ dθ,   0 ≤ θ ≤ π
 *
 * @param furthest the largest r that is asked for.
 */
function slices(profile: Profile, width: number, furthest: number): Profile {
  if (width === 1) return profile;
  // Beyond 9 standard deviations of cos θ there is no mass.
  const half = Math.min(Math.PI / 2, 9 / Math.sqrt(Math.max(1, width - 2)));
  const turns = Math.ceil(furthest * Math.PI * Math.sin(half));
  check(
    48 + turns <= MOST_NODES,
    () =>
      `tabulated: expected distances of up to ${Math.floor((MOST_NODES - 48) / (Math.PI * Math.sin(half)))} steps of the table, ` +
      `got ${furthest.toPrecision(4)}; choose a greater scale`,
  );
  const { nodes, weights } = gaussLegendre(48 + turns, Math.PI / 2 - half, Math.PI / 2 + half);
  const masses = weights.map((weight, i) => weight * Math.sin(nodes[i]!) ** (width - 2));
  const total = masses.reduce((sum, mass) => sum + mass, 0);
  const cosines = nodes.map(Math.cos);
  return (r) => {
    let [value, slope, curvature] = [0, 0, 0];
    for (let i = 0; i < nodes.length; i++) {
      const [c, mass] = [cosines[i]!, masses[i]! / total];
      const [k, k1, k2] = profile(r * c);
      value += mass * k;
      slope += mass * c * k1;
      curvature += mass * c * c * k2;
    }
    return [value, slope, curvature];
  };
}
