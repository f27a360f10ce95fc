import { check, wholeNumber } from "../core/errors.ts";

/** Mean and standard deviation of pixel/255 in each channel. */
export interface ChannelStatistics {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/**
 * Mean and standard deviation over all pixels of each channel:
 *
 *     mean_c = E[x_c],   std_c = √(E[x_c²] − mean_c²),   x = pixel/255
 *
 * Sums are of whole numbers, hence exact.
 *
 * @param pixels bytes, channels last.
 * @returns both in [0, 1], one number per channel.
 * @throws InputError unless there is at least one pixel, and `pixels` divides into `channels`.
 */
export function channelStatistics(pixels: Uint8Array, channels: number): ChannelStatistics {
  wholeNumber("channelStatistics: channels", channels, 1);
  const count = pixels.length / channels;
  check(
    Number.isInteger(count) && count > 0,
    () => `channelStatistics: expected a multiple of ${channels} pixel values, got ${pixels.length}`,
  );
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

/**
 * The same, as constants to normalize by.
 *
 * @throws InputError where a channel has one value everywhere: nothing can be scaled by its deviation.
 */
export function normalization(name: string, pixels: Uint8Array, channels: number): ChannelStatistics {
  const statistics = channelStatistics(pixels, channels);
  statistics.std.forEach((std, c) =>
    check(
      std > 0,
      () =>
        `${name}: channel ${c}: expected pixels that vary, got ${Math.round(statistics.mean[c]! * 255)} everywhere`,
    ),
  );
  return statistics;
}
