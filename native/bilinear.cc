#include "bilinear.h"

#include <ATen/Parallel.h>
#include <ATen/ops/convolution.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/reshape.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/zeros.h>
#include <torch/version.h>

#include <array>
#include <atomic>
#include <chrono>
#include <optional>
#include <tuple>
#include <utility>

#include "simd/patches.h"
#include "simd/winograd.h"

namespace distillery {

namespace {

using at::Tensor;

#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
using OptionalTensor = std::optional<Tensor>;
#else
using OptionalTensor = c10::optional<Tensor>;
#endif

std::atomic<int64_t> nanoseconds{0};

thread_local bool rounds = false;  // each JavaScript environment has a thread of its own

// Adds the time of its life to `nanoseconds`.
class Stopwatch {
 public:
  Stopwatch() = default;
  Stopwatch(const Stopwatch&) = delete;
  ~Stopwatch() {
    nanoseconds += std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start_).count();
  }

 private:
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start_ = Clock::now();
};

// By libtorch: oneDNN on the CPU, cuDNN on a GPU.

Tensor dense(const Tensor& channelsLastArray) {
  return channelsFirst(channelsLastArray).contiguous(at::MemoryFormat::ChannelsLast);
}

// Only its shape is read, so its pages are never touched.
Tensor shapeOnly(at::IntArrayRef nhwc, const Tensor& like) {
  return at::empty({nhwc[0], nhwc[3], nhwc[1], nhwc[2]}, like.options(), at::MemoryFormat::ChannelsLast);
}

Tensor libraryCorrelation(const Tensor& images, const Tensor& filters, const Tensor& bias, Geometry geometry) {
  const auto [stride, padding] = geometry;
  const OptionalTensor added = bias.defined() ? OptionalTensor(bias) : OptionalTensor();
  return channelsLast(at::convolution(dense(images), dense(filters), added, {stride, stride}, {padding, padding},
                                      {1, 1}, false, {0, 0}, 1));
}

// The products are of bfloat16, their sums of float32, and so is the bias; the result is rounded to bfloat16 on its way.
Tensor roundedCorrelation(const Tensor& images, const Tensor& filters, const Tensor& bias, Geometry geometry) {
  const auto rounded = [](const Tensor& x) { return x.to(at::kBFloat16); };
  const Tensor output = libraryCorrelation(rounded(images), rounded(filters), {}, geometry).to(images.scalar_type());
  return bias.defined() ? output.add_(bias) : output;
}

std::tuple<Tensor, Tensor, Tensor> adjoints(const Tensor& slope, const Tensor& images, const Tensor& filters,
                                            Geometry geometry, std::array<bool, 3> wanted) {
  const auto [stride, padding] = geometry;
  return at::convolution_backward(dense(slope), images, filters, {}, {stride, stride}, {padding, padding}, {1, 1},
                                  false, {0, 0}, 1, wanted);
}

// Whether the kernels of simd/ may serve.
bool is3x3(at::IntArrayRef filters, const Tensor& array, Geometry geometry) {
  return array.is_cpu() && array.scalar_type() == at::kFloat && geometry.stride == 1 && filters[1] == 3 &&
         filters[2] == 3;
}

const float* values(const Tensor& tensor) { return tensor.data_ptr<float>(); }
float* space(const Tensor& tensor) { return tensor.data_ptr<float>(); }

Tensor floats(int64_t count, const Tensor& like) { return at::empty({count}, like.options()); }

// By Winograd's minimal filtering, which needs a quarter of the multiplications.

using winograd::Problem;

// The convolution that takes images to their correlation with 3×3 filters, if it is one that winograd:: can do.
std::optional<Problem> winogradProblem(at::IntArrayRef images, at::IntArrayRef filters, const Tensor& array,
                                       Geometry geometry) {
  if (!is3x3(filters, array, geometry) || geometry.padding > 2) return {};
  const int64_t added = 2 * geometry.padding - 2;
  const Problem problem{images[0],         images[1],         images[2],        images[3], geometry.padding,
                        images[1] + added, images[2] + added, filters[0]};
  return winograd::fits(problem) ? std::optional(problem) : std::nullopt;
}

// The problem of the way back: slopes correlated with the turned filters.
Problem turned(const Problem& problem) {
  return {problem.count, problem.rows,  problem.columns, problem.outputs, 2 - problem.padding, problem.height,
          problem.width, problem.inputs};
}

Tensor winogradConvolution(const Problem& problem, const Tensor& images, const Tensor& filterPoints,
                           const Tensor& bias) {
  const Tensor output = at::empty({problem.count, problem.rows, problem.columns, problem.outputs}, images.options());
  const winograd::Convolution arrays{values(images), values(filterPoints), bias.defined() ? values(bias) : nullptr,
                                     space(output)};
  at::parallel_for(0, problem.tiles(), winograd::kTilesAtOnce, [&](int64_t begin, int64_t end) {
    const Tensor scratch = floats(winograd::convolveScratch(problem), images);
    winograd::convolve(problem, arrays, space(scratch), begin, end);
  });
  return output;
}

Tensor filterPoints(const Problem& problem, const Tensor& filters) {
  const Tensor points = floats(winograd::filterPointCount(problem), filters);
  at::parallel_for(0, problem.outputs / winograd::kPanel, 1, [&](int64_t begin, int64_t end) {
    winograd::filterPoints(problem, values(filters), space(points), begin, end);
  });
  return points;
}

Tensor winogradImageAdjoint(const Problem& problem, const Tensor& slope, const Tensor& filters) {
  const Problem back = turned(problem);
  const Tensor points = floats(winograd::filterPointCount(back), filters);
  at::parallel_for(0, back.outputs / winograd::kPanel, 1, [&](int64_t begin, int64_t end) {
    winograd::turnedFilterPoints(back, values(filters), space(points), begin, end);
  });
  return winogradConvolution(back, slope, points, {});
}

// Tiles of a batch: both sides' points of 256 tiles of 128 channels are 9 MiB.
constexpr int64_t kBatch = 256;

// Each sum runs over the tiles in order, whatever the number of threads: the same bits.
Tensor winogradFilterAdjoint(const Problem& problem, const Tensor& images, const Tensor& slope) {
  const auto parallel = [](int64_t count, int64_t grain, auto body) { at::parallel_for(0, count, grain, body); };
  const Tensor imagePoints = floats(winograd::kPoints * kBatch * problem.inputs, images);
  const Tensor slopePoints = floats(winograd::kPoints * kBatch * problem.outputs, images);
  const Tensor sums = floats(winograd::filterPointCount(problem), images);
  for (int64_t first = 0; first < problem.tiles(); first += kBatch) {
    const winograd::TileBatch batch{first, std::min(kBatch, problem.tiles() - first)};
    parallel(batch.count, 8, [&](int64_t begin, int64_t end) {
      winograd::imagePoints(problem, batch, values(images), space(imagePoints), begin, end);
      winograd::slopePoints(problem, batch, values(slope), space(slopePoints), begin, end);
    });
    parallel(winograd::kPoints * problem.inputs / winograd::kPanel, 1, [&](int64_t begin, int64_t end) {
      winograd::sumProducts(problem, batch, {values(imagePoints), values(slopePoints), space(sums)}, begin, end);
    });
  }
  const Tensor gradient = at::empty({problem.outputs, 3, 3, problem.inputs}, images.options());
  parallel(problem.outputs, 8, [&](int64_t begin, int64_t end) {
    winograd::filterGradient(problem, values(sums), space(gradient), begin, end);
  });
  return gradient;
}

// By matrix products with patches, for a first layer.

Tensor patchImageAdjoint(const patches::Problem& problem, const Tensor& slope, const Tensor& filters) {
  const Tensor rows = floats(patches::filterCount(problem), filters);
  patches::filterRows(problem, values(filters), space(rows));
  const Tensor gradient = at::empty({problem.count, problem.height, problem.width, problem.inputs}, slope.options());
  at::parallel_for(0, problem.count, 1, [&](int64_t begin, int64_t end) {
    const Tensor scratch = floats(patches::scratch(problem), slope);
    patches::imageGradient(problem, {values(slope), values(rows), space(gradient)}, space(scratch), begin, end);
  });
  return gradient;
}

FilterGradients patchFilterAdjoint(const patches::Problem& problem, const Tensor& images, const Tensor& slope) {
  const int64_t parts = std::min(kParts, problem.count);
  const Tensor sums = at::zeros({parts, problem.outputs, patches::kRow}, slope.options());
  at::parallel_for(0, parts, 1, [&](int64_t begin, int64_t end) {
    const Tensor scratch = floats(patches::scratch(problem), slope);
    for (int64_t part = begin; part < end; part++) {
      patches::filterSums(problem, {values(images), values(slope), space(sums) + part * sums.stride(0)},
                          space(scratch), part * problem.count / parts, (part + 1) * problem.count / parts);
    }
  });
  return patchGradients(problem, sums);
}

// Image by image.

// Tiles of whole images that fill the product's rows well.
constexpr int64_t kTilesTogether = 2 * winograd::kTilesAtOnce;

ImagewiseCorrelation winogradImagewise(const Problem& problem, const Tensor& images, const Tensor& filters,
                                       const Tensor& bias) {
  const auto run = [problem, images, bias, points = filterPoints(problem, filters)](int64_t begin, int64_t end,
                                                                                    float* output) {
    Problem part = problem;
    part.count = end - begin;
    const Tensor scratch = floats(winograd::convolveScratch(part), images);
    winograd::convolve(part,
                       {values(images) + begin * images.stride(0), values(points),
                        bias.defined() ? values(bias) : nullptr, output},
                       space(scratch), 0, part.tiles());
  };
  const int64_t tiles = problem.tilesDown() * problem.tilesAcross();
  return {problem.rows, problem.columns, problem.outputs, std::max<int64_t>(1, kTilesTogether / tiles), run};
}

ImagewiseCorrelation patchImagewise(const patches::Problem& problem, const Tensor& images, const Tensor& filters,
                                    const Tensor& bias) {
  const Tensor columns = floats(patches::filterCount(problem), filters);
  patches::filterColumns(problem, values(filters), bias.defined() ? values(bias) : nullptr, space(columns));
  const auto run = [problem, images, columns](int64_t begin, int64_t end, float* output) {
    const Tensor scratch = floats(patches::scratch(problem), images);
    patches::convolve(problem, {values(images) + begin * images.stride(0), values(columns), output}, space(scratch), 0,
                      end - begin);
  };
  return {problem.rows, problem.columns, problem.outputs, 1, run};
}

}  // namespace

std::optional<patches::Problem> patchProblem(at::IntArrayRef images, at::IntArrayRef filters, const Tensor& array,
                                             Geometry geometry) {
  if (!is3x3(filters, array, geometry)) return {};
  const int64_t added = 2 * geometry.padding - 2;
  const patches::Problem problem{images[0],         images[1],         images[2],        images[3], geometry.padding,
                                 images[1] + added, images[2] + added, filters[0]};
  return patches::fits(problem) ? std::optional(problem) : std::nullopt;
}

FilterGradients patchGradients(const patches::Problem& problem, const Tensor& sums) {
  const int64_t length = 9 * problem.inputs;
  const Tensor whole = at::sum(sums, 0);
  return {at::reshape(whole.slice(1, 0, length), {problem.outputs, 3, 3, problem.inputs}), whole.select(1, length)};
}

// libtorch 1.13 refuses batches of no images.

Tensor correlation(const Tensor& images, const Tensor& filters, const Tensor& bias, Geometry geometry) {
  const Stopwatch stopwatch;
  const auto [stride, padding] = geometry;
  if (images.size(0) == 0) {
    const auto length = [&, stride = stride, padding = padding](int64_t axis) {
      return (images.size(axis) + 2 * padding - filters.size(axis)) / stride + 1;
    };
    return at::empty({0, length(1), length(2), filters.size(0)}, images.options());
  }
  if (rounds) return roundedCorrelation(images, filters, bias, geometry);
  if (const auto problem = winogradProblem(images.sizes(), filters.sizes(), images, geometry)) {
    return winogradConvolution(*problem, images.contiguous(), filterPoints(*problem, filters.contiguous()),
                               bias.defined() ? bias.contiguous() : bias);
  }
  return libraryCorrelation(images, filters, bias, geometry);
}

Tensor imageAdjoint(const Tensor& slope, const Tensor& filters, at::IntArrayRef images, Geometry geometry) {
  const Stopwatch stopwatch;
  if (slope.size(0) == 0) return at::empty(images, slope.options());
  if (const auto problem = winogradProblem(images, filters.sizes(), slope, geometry)) {
    return winogradImageAdjoint(*problem, slope.contiguous(), filters.contiguous());
  }
  if (const auto problem = patchProblem(images, filters.sizes(), slope, geometry)) {
    return patchImageAdjoint(*problem, slope.contiguous(), filters.contiguous());
  }
  return channelsLast(
      std::get<0>(adjoints(slope, shapeOnly(images, slope), dense(filters), geometry, {true, false, false})));
}

FilterGradients filterAdjoint(const Tensor& images, const Tensor& slope, at::IntArrayRef filters, Geometry geometry) {
  const Stopwatch stopwatch;
  if (slope.size(0) == 0) return {at::zeros(filters, slope.options()), at::zeros({filters[0]}, slope.options())};
  if (const auto problem = winogradProblem(images.sizes(), filters, slope, geometry)) {
    return {winogradFilterAdjoint(*problem, images.contiguous(), slope.contiguous()),
            at::sum(slope, at::IntArrayRef({0, 1, 2}))};
  }
  if (const auto problem = patchProblem(images.sizes(), filters, slope, geometry)) {
    return patchFilterAdjoint(*problem, images.contiguous(), slope.contiguous());
  }
  const auto [_, ofFilters, ofBias] =
      adjoints(slope, dense(images), shapeOnly(filters, slope), geometry, {false, true, true});
  return {channelsLast(ofFilters), ofBias};
}

std::optional<ImagewiseCorrelation> imagewiseCorrelation(const Tensor& images, const Tensor& filters,
                                                         const Tensor& bias, Geometry geometry) {
  if (rounds) return {};
  const Tensor added = bias.defined() ? bias.contiguous() : bias;
  if (const auto problem = winogradProblem(images.sizes(), filters.sizes(), images, geometry)) {
    return winogradImagewise(*problem, images.contiguous(), filters.contiguous(), added);
  }
  if (const auto problem = patchProblem(images.sizes(), filters.sizes(), images, geometry)) {
    return patchImagewise(*problem, images.contiguous(), filters.contiguous(), added);
  }
  return {};
}

void addConvolutionSeconds(double seconds) { nanoseconds += static_cast<int64_t>(seconds * 1e9); }

bool roundCorrelations(bool on) { return std::exchange(rounds, on); }

double convolutionSeconds() { return static_cast<double>(nanoseconds) * 1e-9; }

}  // namespace distillery
