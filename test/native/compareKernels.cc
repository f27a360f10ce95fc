// Sends the same images through the block on the CPU and through its CUDA kernels, run by emulated/cuda_runtime.h, and
// prints how far apart they come out: a line for each case and array, the largest difference as a share of the largest
// number (at least 1), and NaN where one has a number and the other has none. A name runs that case alone.
#include "../../native/cuda/normReluPool.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <random>
#include <string>
#include <vector>

using namespace distillery;

using Array = std::vector<float>;

enum class Pixels { normal, whole, oneNaN };

struct Case {
  const char* name;
  int64_t images, height, width, channels;
  float mean = 2;
  Pixels pixels = Pixels::normal;
};

const Case cases[] = {
    {"even sizes", 2, 8, 6, 32},
    {"odd sizes", 2, 7, 5, 8},
    {"an odd height", 1, 5, 4, 3},
    {"one channel", 3, 4, 4, 1},
    {"more channels than lanes", 2, 6, 6, 37},
    {"more positions than warps", 1, 16, 18, 5},
    {"fewer positions than warps", 2, 2, 2, 33},
    {"a mean far from zero", 1, 8, 8, 4, 1000},
    {"equal pixels in a window", 2, 6, 6, 4, 0, Pixels::whole},
    {"NaN in one channel of one image", 2, 5, 6, 4, 0, Pixels::oneNaN},
    {"no images", 0, 4, 4, 3},
};

std::mt19937 random_(7);

Array drawn(int64_t count, float mean) {
  std::normal_distribution<float> normal(mean, 1);
  Array values(count);
  for (float& value : values) value = normal(random_);
  return values;
}

// Filled with a number that none of the results is, so that what is left unwritten shows.
Array blank(int64_t count) { return Array(count, 1e30f); }

// What the three passes write.
struct Results {
  Array pooled, mean, inverse, image, scale, shift, secondImage, secondScale, secondSlope;
  Results(const Case& c, int64_t pooledCount)
      : pooled(blank(pooledCount)),
        mean(blank(c.images * c.channels)),
        inverse(mean),
        image(blank(c.images * c.height * c.width * c.channels)),
        scale(mean),
        shift(mean),
        secondImage(image),
        secondScale(mean),
        secondSlope(pooled) {}
};

void compare(const Case& c, const char* pooling, const char* array, const Array& actual, const Array& expected) {
  float largest = 1, difference = 0;
  for (size_t i = 0; i < expected.size(); i++) {
    const bool same = actual[i] == expected[i] || (std::isnan(actual[i]) && std::isnan(expected[i]));
    if (same) continue;
    if (!std::isfinite(actual[i]) || !std::isfinite(expected[i])) {
      difference = std::numeric_limits<float>::quiet_NaN();
      break;
    }
    largest = std::max(largest, std::abs(expected[i]));
    difference = std::max(difference, std::abs(actual[i] - expected[i]));
  }
  std::printf("%s, %s pooling, %s: %g\n", c.name, pooling, array, difference / largest);
}

void run(const Case& c, Pooling pooling, const char* name) {
  const int64_t pixels = c.height * c.width * c.channels;
  const int64_t pooledPixels = pooledLength(pooling, c.height) * pooledLength(pooling, c.width) * c.channels;
  Array images = drawn(c.images * pixels, c.mean), slope = drawn(c.images * pooledPixels, 0);
  const Array scale = drawn(c.channels, 1), shift = drawn(c.channels, 0);
  const Array u = drawn(c.images * pixels, 0), a = drawn(c.channels, 0), b = drawn(c.channels, 0);
  if (c.pixels == Pixels::whole) {
    for (float& value : images) value = std::round(value);
  }
  if (c.pixels == Pixels::oneNaN) images[pixels + 1] = std::numeric_limits<float>::quiet_NaN();
  const float epsilon = 1e-5f;
  const Block block{images.data(), scale.data(), shift.data(), c.height, c.width, c.channels, pooling};

  Results gpu(c, c.images * pooledPixels), cpu = gpu;
  const cuda::Batch batch{c.images, nullptr};
  const Moments moments{gpu.mean.data(), gpu.inverse.data()};
  cuda::normReluPool(block, batch, epsilon, moments, gpu.pooled.data());
  cuda::normReluPoolBackward(block, batch, moments, slope.data(),
                             {gpu.image.data(), gpu.scale.data(), gpu.shift.data()});
  cuda::normReluPoolDoubleBackward(block, batch, moments, slope.data(), {u.data(), a.data(), b.data()},
                                   {gpu.secondImage.data(), gpu.secondScale.data(), gpu.secondSlope.data()});

  for (int64_t i = 0; i < c.images; i++) {
    Block one = block;
    one.image += i * pixels;
    const int64_t offset = i * c.channels;
    const Moments own{cpu.mean.data() + offset, cpu.inverse.data() + offset};
    normReluPool(one, epsilon, own, cpu.pooled.data() + i * pooledPixels);
    normReluPoolBackward(one, own, slope.data() + i * pooledPixels,
                         {cpu.image.data() + i * pixels, cpu.scale.data() + offset, cpu.shift.data() + offset});
    normReluPoolDoubleBackward(one, own, slope.data() + i * pooledPixels, {u.data() + i * pixels, a.data(), b.data()},
                               {cpu.secondImage.data() + i * pixels, cpu.secondScale.data() + offset,
                                cpu.secondSlope.data() + i * pooledPixels});
  }
  compare(c, name, "pooled", gpu.pooled, cpu.pooled);
  compare(c, name, "mean", gpu.mean, cpu.mean);
  compare(c, name, "inverse", gpu.inverse, cpu.inverse);
  compare(c, name, "image gradient", gpu.image, cpu.image);
  compare(c, name, "scale gradient", gpu.scale, cpu.scale);
  compare(c, name, "shift gradient", gpu.shift, cpu.shift);
  compare(c, name, "second image gradient", gpu.secondImage, cpu.secondImage);
  compare(c, name, "second scale gradient", gpu.secondScale, cpu.secondScale);
  compare(c, name, "slope gradient", gpu.secondSlope, cpu.secondSlope);
}

int main(int count, char** given) {
  const std::string asked = count > 1 ? given[1] : "";
  for (const Case& c : cases) {
    if (!asked.empty() && asked != c.name) continue;
    run(c, Pooling::average, "average");
    run(c, Pooling::maximum, "maximum");
    run(c, Pooling::none, "no");
  }
}
