#include "winograd.h"

#include <algorithm>
#include <array>

#include "product.h"

namespace distillery::winograd {

namespace {

// The points are 0, ±3/4, ±3/2 and ∞. Against the usual 0, ±1, ±2, ∞ they halve the rounding error, and every constant
// below but those of G is exact.
constexpr float a = 0.75f, b = 1.5f;
constexpr float aa = a * a, bb = b * b, sum = aa + bb, product = aa * bb;

constexpr int64_t kSide = 6;  // points along an axis

// What lies outside a map: as many zeros as a position has channels.
constexpr int64_t kMostChannels = 1024;
alignas(64) const float kZeros[kMostChannels] = {};

using Line = std::array<Vector, kSide>;

// Bᵀ d: at each point, the values weighed by the polynomial that vanishes at all other points.
inline Line sampled(const Line& d) {
  const Vector evenA = d[4] - bb * d[2], oddA = a * (d[3] - bb * d[1]);
  const Vector evenB = d[4] - aa * d[2], oddB = b * (d[3] - aa * d[1]);
  return {d[4] - sum * d[2] + product * d[0], evenA + oddA, evenA - oddA, evenB + oddB, evenB - oddB,
          d[5] - sum * d[3] + product * d[1]};
}

// G g: a filter's polynomial at each point, over that point's normalization.
inline Line sampledFilter(Vector g0, Vector g1, Vector g2) {
  constexpr float atA = 1.f / (2 * aa * (aa - bb)), atB = 1.f / (2 * bb * (bb - aa));
  const Vector evenA = atA * (g0 + aa * g2), oddA = (atA * a) * g1;
  const Vector evenB = atB * (g0 + bb * g2), oddB = (atB * b) * g1;
  return {(1.f / product) * g0, evenA + oddA, evenA - oddA, evenB + oddB, evenB - oddB, g2};
}

// Gᵀ m.
inline std::array<Vector, 3> filterFrom(const Line& m) {
  constexpr float atA = 1.f / (2 * aa * (aa - bb)), atB = 1.f / (2 * bb * (bb - aa));
  const Vector evenA = atA * (m[1] + m[2]), evenB = atB * (m[3] + m[4]);
  return {(1.f / product) * m[0] + evenA + evenB, (atA * a) * (m[1] - m[2]) + (atB * b) * (m[3] - m[4]),
          aa * evenA + bb * evenB + m[5]};
}

// Aᵀ m: the polynomial with these values at the points.
inline std::array<Vector, kTile> outputsFrom(const Line& m) {
  const Vector evenA = m[1] + m[2], oddA = a * (m[1] - m[2]);
  const Vector evenB = m[3] + m[4], oddB = b * (m[3] - m[4]);
  return {m[0] + evenA + evenB, oddA + oddB, aa * evenA + bb * evenB, aa * oddA + bb * oddB + m[5]};
}

// A y.
inline Line sampledOutputs(const std::array<Vector, kTile>& y) {
  const Vector evenA = y[0] + aa * y[2], oddA = a * (y[1] + aa * y[3]);
  const Vector evenB = y[0] + bb * y[2], oddB = b * (y[1] + bb * y[3]);
  return {y[0], evenA + oddA, evenA - oddA, evenB + oddB, evenB - oddB, y[3]};
}

// Where a tile's values at the points go: channel c of point p lies at
// values[c/32 · panelStep + p · pointStep + c mod 32].
struct Points {
  float* values;
  int64_t panelStep, pointStep;

  float* at(int64_t channel) const { return values + channel / kPanel * panelStep + channel % kPanel; }
};

struct Position {
  int64_t image, row, column;  // row and column of the tile's first output
};

Position positionOf(const Problem& problem, int64_t tile) {
  const int64_t across = problem.tilesAcross(), down = problem.tilesDown();
  return {tile / (across * down), tile / across % down * kTile, tile % across * kTile};
}

// Where a tile's side × side values lie.
template <int64_t side>
std::array<const float*, side * side> valuesAt(const float* map, std::array<int64_t, 3> extent, Position corner) {
  const auto [height, width, channels] = extent;
  std::array<const float*, side * side> found;
  for (int64_t i = 0; i < side; i++) {
    for (int64_t j = 0; j < side; j++) {
      const int64_t row = corner.row + i, column = corner.column + j;
      const bool inside = row >= 0 && row < height && column >= 0 && column < width;
      found[i * side + j] = inside ? map + ((corner.image * height + row) * width + column) * channels : kZeros;
    }
  }
  return found;
}

// Bᵀ d B of one tile, over all channels.
void sampleTile(const std::array<const float*, kPoints>& from, int64_t channels, Points to) {
  for (int64_t c = 0; c < channels; c += kLanes) {
    Line columns[kSide];
    for (int64_t j = 0; j < kSide; j++) {
      Line d;
      for (int64_t i = 0; i < kSide; i++) d[i] = load(from[i * kSide + j] + c);
      columns[j] = sampled(d);
    }
    float* target = to.at(c);
    for (int64_t i = 0; i < kSide; i++) {
      Line d;
      for (int64_t j = 0; j < kSide; j++) d[j] = columns[j][i];
      const Line points = sampled(d);
      for (int64_t j = 0; j < kSide; j++) store(target + (i * kSide + j) * to.pointStep, points[j]);
    }
  }
}

// A ∂y Aᵀ of one tile, over all channels.
void sampleSlope(const std::array<const float*, kTile * kTile>& from, int64_t channels, Points to) {
  for (int64_t c = 0; c < channels; c += kLanes) {
    Line columns[kTile];
    for (int64_t j = 0; j < kTile; j++) {
      std::array<Vector, kTile> y;
      for (int64_t i = 0; i < kTile; i++) y[i] = load(from[i * kTile + j] + c);
      columns[j] = sampledOutputs(y);
    }
    float* target = to.at(c);
    for (int64_t i = 0; i < kSide; i++) {
      const Line points = sampledOutputs({columns[0][i], columns[1][i], columns[2][i], columns[3][i]});
      for (int64_t j = 0; j < kSide; j++) store(target + (i * kSide + j) * to.pointStep, points[j]);
    }
  }
}

// Aᵀ m A + bias of a panel of channels of one tile, the part of it that lies in the map. `points` are [36, pointStep].
struct Target {
  float* values;  // of the tile's first output and the panel's first channel
  int64_t rows, columns, rowStep, columnStep;
};
void outputTile(const float* points, int64_t pointStep, const float* bias, Target target) {
  for (int64_t c = 0; c < kPanel; c += kLanes) {
    std::array<Vector, kTile> columns[kSide];
    for (int64_t j = 0; j < kSide; j++) {
      Line m;
      for (int64_t i = 0; i < kSide; i++) m[i] = load(points + (i * kSide + j) * pointStep + c);
      columns[j] = outputsFrom(m);
    }
    const Vector constant = bias == nullptr ? Vector{} : load(bias + c);
    for (int64_t i = 0; i < target.rows; i++) {
      Line m;
      for (int64_t j = 0; j < kSide; j++) m[j] = columns[j][i];
      const auto y = outputsFrom(m);
      float* row = target.values + i * target.rowStep + c;
      for (int64_t j = 0; j < target.columns; j++) store(row + j * target.columnStep, y[j] + constant);
    }
  }
}

// Values of 16 filters at the points; tap(i, j) is the value of row i and column j in all of them.
template <typename Tap>
void sampleFilters(Tap tap, float* points, int64_t pointStep) {
  Line columns[3];
  for (int64_t j = 0; j < 3; j++) columns[j] = sampledFilter(tap(0, j), tap(1, j), tap(2, j));
  for (int64_t i = 0; i < kSide; i++) {
    const Line line = sampledFilter(columns[0][i], columns[1][i], columns[2][i]);
    for (int64_t j = 0; j < kSide; j++) store(points + (i * kSide + j) * pointStep, line[j]);
  }
}

}  // namespace

bool fits(const Problem& problem) {
  const int64_t covered = problem.tilesDown() * problem.tilesAcross() * kTile * kTile;
  const auto suits = [](int64_t channels) { return channels % kPanel == 0 && channels <= kMostChannels; };
  return problem.rows > 0 && problem.columns > 0 && suits(problem.inputs) && suits(problem.outputs) &&
         covered <= 2 * problem.rows * problem.columns;
}

void filterPoints(const Problem& problem, const float* filters, float* points, int64_t begin, int64_t end) {
  const int64_t inputs = problem.inputs, pointStep = inputs * kPanel;
  // Filters lie with their inputs adjacent, the points with their outputs: 16 × 16 of each tap are transposed here.
  alignas(64) float taps[9][kLanes][kLanes];
  for (int64_t output = begin * kPanel; output < end * kPanel; output += kLanes) {
    float* panel = points + output / kPanel * kPoints * pointStep + output % kPanel;
    for (int64_t input = 0; input < inputs; input += kLanes) {
      for (int64_t o = 0; o < kLanes; o++) {
        for (int64_t tap = 0; tap < 9; tap++) {
          const float* from = filters + ((output + o) * 9 + tap) * inputs + input;
          for (int64_t i = 0; i < kLanes; i++) taps[tap][i][o] = from[i];
        }
      }
      for (int64_t i = 0; i < kLanes; i++) {
        sampleFilters([&](int64_t row, int64_t column) { return load(taps[3 * row + column][i]); },
                      panel + (input + i) * kPanel, pointStep);
      }
    }
  }
}

void turnedFilterPoints(const Problem& problem, const float* filters, float* points, int64_t begin, int64_t end) {
  const int64_t inputs = problem.inputs, outputs = problem.outputs, pointStep = inputs * kPanel;
  for (int64_t output = begin * kPanel; output < end * kPanel; output += kLanes) {
    float* panel = points + output / kPanel * kPoints * pointStep + output % kPanel;
    for (int64_t input = 0; input < inputs; input++) {
      const float* filter = filters + input * 9 * outputs + output;
      sampleFilters([&](int64_t row, int64_t column) { return load(filter + (8 - 3 * row - column) * outputs); },
                    panel + input * kPanel, pointStep);
    }
  }
}

// Of the image points [36, tiles, inputs], each point's a line apart lest all fall on the same places of the cache, and
// of one panel's products [36, tiles, 32].
int64_t convolveScratch(const Problem& problem) {
  return kPoints * (kTilesAtOnce * problem.inputs + kLanes) + kPoints * kTilesAtOnce * kPanel;
}

void convolve(const Problem& problem, const Convolution& arrays, float* scratch, int64_t begin, int64_t end) {
  const auto [count, height, width, inputs, padding, rows, columns, outputs] = problem;
  const int64_t pointStep = kTilesAtOnce * inputs + kLanes;
  float* products = scratch + kPoints * pointStep;
  for (int64_t first = begin; first < end; first += kTilesAtOnce) {
    const int64_t tiles = std::min(kTilesAtOnce, end - first);
    for (int64_t tile = 0; tile < tiles; tile++) {
      const Position at = positionOf(problem, first + tile);
      const auto from = valuesAt<kSide>(arrays.images, {height, width, inputs},
                                        {at.image, at.row - padding, at.column - padding});
      sampleTile(from, inputs, {scratch + tile * inputs, kPanel, pointStep});
    }
    for (int64_t panel = 0; panel < outputs / kPanel; panel++) {
      for (int64_t point = 0; point < kPoints; point++) {
        multiply({scratch + point * pointStep, inputs, 1},
                 arrays.filterPoints + (panel * kPoints + point) * inputs * kPanel, tiles, inputs,
                 {products + point * kTilesAtOnce * kPanel, kPanel, false});
      }
      for (int64_t tile = 0; tile < tiles; tile++) {
        const Position at = positionOf(problem, first + tile);
        float* corner =
            arrays.output + ((at.image * rows + at.row) * columns + at.column) * outputs + panel * kPanel;
        outputTile(products + tile * kPanel, kTilesAtOnce * kPanel,
                   arrays.bias == nullptr ? nullptr : arrays.bias + panel * kPanel,
                   {corner, std::min(kTile, rows - at.row), std::min(kTile, columns - at.column), columns * outputs,
                    outputs});
      }
    }
  }
}

void imagePoints(const Problem& problem, TileBatch batch, const float* images, float* points, int64_t begin,
                 int64_t end) {
  for (int64_t tile = begin; tile < end; tile++) {
    const Position at = positionOf(problem, batch.first + tile);
    const auto from =
        valuesAt<kSide>(images, {problem.height, problem.width, problem.inputs},
                        {at.image, at.row - problem.padding, at.column - problem.padding});
    sampleTile(from, problem.inputs, {points + tile * kPanel, kPoints * batch.count * kPanel, batch.count * kPanel});
  }
}

void slopePoints(const Problem& problem, TileBatch batch, const float* slope, float* points, int64_t begin,
                 int64_t end) {
  for (int64_t tile = begin; tile < end; tile++) {
    const auto from = valuesAt<kTile>(slope, {problem.rows, problem.columns, problem.outputs},
                                      positionOf(problem, batch.first + tile));
    sampleSlope(from, problem.outputs,
                {points + tile * problem.outputs, kPanel, batch.count * problem.outputs});
  }
}

void sumProducts(const Problem& problem, TileBatch batch, const PointSums& arrays, int64_t begin, int64_t end) {
  const int64_t inputs = problem.inputs, outputs = problem.outputs, panels = inputs / kPanel;
  for (int64_t i = begin; i < end; i++) {
    const int64_t point = i / panels, panel = i % panels;
    multiply({arrays.slope + point * batch.count * outputs, 1, outputs},
             arrays.images + (panel * kPoints + point) * batch.count * kPanel, outputs, batch.count,
             {arrays.sums + point * outputs * inputs + panel * kPanel, inputs, batch.first > 0});
  }
}

void filterGradient(const Problem& problem, const float* sums, float* gradient, int64_t begin, int64_t end) {
  const int64_t inputs = problem.inputs, pointStep = problem.outputs * inputs;
  for (int64_t output = begin; output < end; output++) {
    for (int64_t c = 0; c < inputs; c += kLanes) {
      const float* from = sums + output * inputs + c;
      std::array<Vector, 3> columns[kSide];
      for (int64_t j = 0; j < kSide; j++) {
        Line m;
        for (int64_t i = 0; i < kSide; i++) m[i] = load(from + (i * kSide + j) * pointStep);
        columns[j] = filterFrom(m);
      }
      for (int64_t i = 0; i < 3; i++) {
        const auto taps = filterFrom({columns[0][i], columns[1][i], columns[2][i], columns[3][i], columns[4][i],
                                      columns[5][i]});
        for (int64_t j = 0; j < 3; j++) store(gradient + ((output * 3 + i) * 3 + j) * inputs + c, taps[j]);
      }
    }
  }
}

}  // namespace distillery::winograd
