import { check, wholeNumber } from "../core/errors.ts";
import type { Pixels } from "./dataset.ts";

/** Mean and standard deviation of pixel/255 in each channel, of numbers those of the pixels themselves. */
export interface ChannelStatistics {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/**
 * Mean and standard deviation over all pixels of each channel:
 *
 *     mean_c = E[x_c],   std_c = √(E[x_c²] − mean_c²),   x = pixel/255, or pixel where pixels are numbers
 *
 * Sums over bytes are of whole numbers, hence exact.
 *
 * @param pixels channels last.
 * @returns one number per channel; of bytes both in [0, 1].
 * @throws InputError unless there is at least one pixel, and `pixels` divides into `channels`.
 */
export function channelStatistics(pixels: Pixels, channels: number): ChannelStatistics {
  wholeNumber("channelStatistics: channels", channels, 1);
  const count = pixels.length / channels;
  check(
    Number.isInteger(count) && count > 0,
    () => `channelStatistics: expected a multiple of ${channels} pixel values, got ${pixels.length}`,
  );
  if (pixels instanceof Float32Array) return statisticsOfNumbers(pixels, channels);
  const sums = new Array<number>(channels).fill(0);
  const squares = new Array<number>(channels).fill(0);
  for (let p = 0; p < pixels.length; p += channels) {
    for (let c = 0; c < channels; c++) {
      const byte = pixels[p + c]!;
      sums[c]! += byte;
      squares[c]! += byte * byte;
    }
  }
  const mean = sums.map((sum) => sum / count / 255);
  const std = squares.map(
    (square, c) => Math.sqrt(Math.max(0, square / count - (sums[c]! / count) ** 2)) / 255,
  );
  return { mean, std };
}

/** In two passes, since the mean of squares would lose the digits of a variance that is small beside it. */
function statisticsOfNumbers(pixels: Float32Array, channels: number): ChannelStatistics {
  const count = pixels.length / channels;
  const mean = new Array<number>(channels).fill(0);
  pixels.forEach((pixel, p) => (mean[p % channels]! += pixel / count));
  const variance = new Array<number>(channels).fill(0);
  pixels.forEach((pixel, p) => (variance[p % channels]! += (pixel - mean[p % channels]!) ** 2 / count));
  return { mean, std: variance.map(Math.sqrt) };
}

/**
 * The same, as constants to normalize by.
 *
 * @throws InputError where a channel has one value everywhere: nothing can be scaled by its deviation.
 */
export function normalization(name: string, pixels: Pixels, channels: number): ChannelStatistics {
  const statistics = channelStatistics(pixels, channels);
  statistics.std.forEach((std, c) =>
    check(
      std > 0,
      () =>
        `${name}: channel ${c}: expected pixels that vary, got ` +
        `${pixels instanceof Uint8Array ? Math.round(statistics.mean[c]! * 255) : statistics.mean[c]!} everywhere`,
    ),
  );
  return statistics;
}
