#include "layer.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <chrono>

#include "bilinear.h"

namespace distillery {

namespace {

using at::Tensor;
using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// The layer on the images from begin to end, into `pooled`.
void someImages(const ImagewiseCorrelation& correlation, const Layer& layer, const Tensor& pooled, int64_t begin,
                int64_t end) {
  const auto [rows, columns, outputs, atOnce, run] = correlation;
  const int64_t size = rows * columns * outputs;
  const Tensor scratch = at::empty({atOnce * size + 2 * outputs}, pooled.options());
  float* maps = scratch.data_ptr<float>();
  const Moments moments{maps + atOnce * size, maps + atOnce * size + outputs};
  double seconds = 0;
  for (int64_t first = begin; first < end; first += atOnce) {
    const int64_t last = std::min(first + atOnce, end);
    const auto start = Clock::now();
    run(first, last, maps);
    seconds += secondsSince(start);
    for (int64_t i = first; i < last; i++) {
      const Block block{maps + (i - first) * size,
                        layer.scale.data_ptr<float>(),
                        layer.shift.data_ptr<float>(),
                        rows,
                        columns,
                        outputs,
                        layer.block.pooling};
      normReluPool(block, static_cast<float>(layer.block.epsilon), moments,
                   pooled.data_ptr<float>() + i * pooled.stride(0));
    }
  }
  addThreadSeconds(seconds);
}

}  // namespace

Tensor layerWithoutGradient(const Tensor& images, const Layer& given) {
  const auto correlation = imagewiseCorrelation(images, given.filters, given.bias, given.geometry);
  if (!correlation) {
    return instanceNormRelu(convolution(images, given.filters, given.bias, given.geometry), given.scale, given.shift,
                            given.block);
  }
  Layer layer = given;
  layer.scale = given.scale.contiguous();
  layer.shift = given.shift.contiguous();
  const Pooling pooling = layer.block.pooling;
  const Tensor pooled = at::empty({images.size(0), pooledLength(pooling, correlation->rows),
                                   pooledLength(pooling, correlation->columns), correlation->outputs},
                                  images.options());
  at::parallel_for(0, images.size(0), correlation->atOnce, [&](int64_t begin, int64_t end) {
    someImages(*correlation, layer, pooled, begin, end);
  });
  return pooled;
}

}  // namespace distillery
