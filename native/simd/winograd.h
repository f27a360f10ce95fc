// 3×3 convolution with stride 1 by Winograd's minimal filtering F(4×4, 3×3) (Lavin & Gray, CVPR 2016), float32, NHWC.
// Plain C++: no libtorch, no threads; every function works on a range that the caller may give to a thread.
//
// A tile of 4×4 outputs needs 6×6 inputs. Both are polynomials sampled at 6×6 points, where convolution is a product:
//
//     Y = Aᵀ[ (G g Gᵀ) ⊙ (Bᵀ d B) ] A
//
// so that 36 products do the work of 144. Summed over channels, the products at each point are a matrix product.
#pragma once

#include <cstdint>

namespace distillery::winograd {

constexpr int64_t kTile = 4;     // outputs along an axis of a tile
constexpr int64_t kPoints = 36;  // sample points of a tile
constexpr int64_t kPanel = 32;   // channels that a matrix product has in registers

// Convolution of images [count, height, width, inputs] to [count, rows, columns, outputs] with zeros added around.
struct Problem {
  int64_t count, height, width, inputs, padding, rows, columns, outputs;

  int64_t tilesDown() const { return (rows + kTile - 1) / kTile; }
  int64_t tilesAcross() const { return (columns + kTile - 1) / kTile; }
  int64_t tiles() const { return count * tilesDown() * tilesAcross(); }
};

// Whether it can be done, and fewer multiplications are left of it than a direct convolution has.
bool fits(const Problem& problem);

// Floats of G g Gᵀ for all filters, as panels of 32 outputs: [outputs/32, 36, inputs, 32].
inline int64_t filterPointCount(const Problem& problem) { return kPoints * problem.inputs * problem.outputs; }

// G g Gᵀ of filters [outputs, 3, 3, inputs], for the panels from begin to end.
void filterPoints(const Problem& problem, const float* filters, float* points, int64_t begin, int64_t end);

// The same of the filters that take an output's slope back to the images: those of the convolution [inputs, 3, 3,
// outputs], turned by 180° and with the roles of its channels exchanged. `problem` is that of the way back.
void turnedFilterPoints(const Problem& problem, const float* filters, float* points, int64_t begin, int64_t end);

// Tiles that `convolve` takes at a time, so that its scratch stays in the second-level cache.
constexpr int64_t kTilesAtOnce = 24;

// Floats of scratch that `convolve` needs.
int64_t convolveScratch(const Problem& problem);

// Outputs of the tiles from begin to end. bias: [outputs] or null.
struct Convolution {
  const float* images;
  const float* filterPoints;
  const float* bias;
  float* output;
};
void convolve(const Problem& problem, const Convolution& arrays, float* scratch, int64_t begin, int64_t end);

// The gradient in the filters is the adjoint, Gᵀ[ Σ_tiles (Bᵀ d B) ⊙ (A ∂y Aᵀ) ] G. It goes by batches of tiles: both
// sides' points, then the sums, and at last one transformation.
struct TileBatch {
  int64_t first, count;
};

// Bᵀ d B of the images' tiles from begin to end of the batch, [inputs/32, 36, batch, 32].
void imagePoints(const Problem& problem, TileBatch batch, const float* images, float* points, int64_t begin,
                 int64_t end);
// A ∂y Aᵀ of the slope's, [36, batch, outputs].
void slopePoints(const Problem& problem, TileBatch batch, const float* slope, float* points, int64_t begin,
                 int64_t end);

// Adds a batch to (or, where it is the first, writes it to) the sums [36, outputs, inputs], for the products from begin
// to end of 36 · inputs/32.
struct PointSums {
  const float* images;
  const float* slope;
  float* sums;
};
void sumProducts(const Problem& problem, TileBatch batch, const PointSums& arrays, int64_t begin, int64_t end);

// Gᵀ sums G, [outputs, 3, 3, inputs], for the outputs from begin to end.
void filterGradient(const Problem& problem, const float* sums, float* gradient, int64_t begin, int64_t end);

}  // namespace distillery::winograd
