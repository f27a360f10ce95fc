#include "patches.h"

#include <algorithm>
#include <type_traits>

#include "product.h"

namespace distillery::patches {

namespace {

constexpr int64_t kSide = 3;

int64_t length(const Problem& problem) { return kSide * kSide * problem.inputs; }
int64_t widthWithPadding(const Problem& problem) { return problem.width + 2 * problem.padding; }
int64_t sizeWithPadding(const Problem& problem) {
  return (problem.height + 2 * problem.padding) * widthWithPadding(problem) * problem.inputs;
}

// Copies between an image and the middle of one with zeros around.
float* inside(const Problem& problem, float* padded, int64_t row) {
  return padded + ((row + problem.padding) * widthWithPadding(problem) + problem.padding) * problem.inputs;
}

void pad(const Problem& problem, const float* image, float* padded) {
  std::fill(padded, padded + sizeWithPadding(problem), 0.f);
  const int64_t line = problem.width * problem.inputs;
  for (int64_t row = 0; row < problem.height; row++) {
    std::copy_n(image + row * line, line, inside(problem, padded, row));
  }
}

void crop(const Problem& problem, float* padded, float* image) {
  const int64_t line = problem.width * problem.inputs;
  for (int64_t row = 0; row < problem.height; row++) {
    std::copy_n(inside(problem, padded, row), line, image + row * line);
  }
}

// Patches of one row of outputs, [columns, 32]. Only the first values of each are written: the rest stays as it is.
template <int64_t inputs>
void patchesOfRow(const Problem& problem, const float* padded, int64_t row, float* patches) {
  const int64_t line = widthWithPadding(problem) * inputs;
  for (int64_t column = 0; column < problem.columns; column++) {
    const float* corner = padded + row * line + column * inputs;
    float* patch = patches + column * kRow;
    for (int64_t i = 0; i < kSide; i++) {
      for (int64_t j = 0; j < kSide * inputs; j++) patch[i * kSide * inputs + j] = corner[i * line + j];
    }
  }
}

// The adjoint: adds every patch's values to where they came from.
template <int64_t inputs>
void addPatchesOfRow(const Problem& problem, const float* patches, int64_t row, float* padded) {
  const int64_t line = widthWithPadding(problem) * inputs;
  for (int64_t column = 0; column < problem.columns; column++) {
    float* corner = padded + row * line + column * inputs;
    const float* patch = patches + column * kRow;
    for (int64_t i = 0; i < kSide; i++) {
      for (int64_t j = 0; j < kSide * inputs; j++) corner[i * line + j] += patch[i * kSide * inputs + j];
    }
  }
}

// Calls body with the number of channels as a constant, so that loops over a patch are unrolled.
template <typename Body>
void withInputs(int64_t inputs, Body body) {
  if (inputs == 1) body(std::integral_constant<int64_t, 1>());
  if (inputs == 2) body(std::integral_constant<int64_t, 2>());
  if (inputs == 3) body(std::integral_constant<int64_t, 3>());
}

// Rows of patches with ones behind their values and zeros behind those.
void preparePatches(const Problem& problem, float* patches) {
  std::fill(patches, patches + problem.columns * kRow, 0.f);
  for (int64_t column = 0; column < problem.columns; column++) patches[column * kRow + length(problem)] = 1.f;
}

}  // namespace

bool fits(const Problem& problem) {
  return problem.inputs >= 1 && problem.inputs <= 3 && problem.outputs % kRow == 0 && problem.rows > 0 &&
         problem.columns > 0;
}

void filterColumns(const Problem& problem, const float* filters, const float* bias, float* columns) {
  std::fill(columns, columns + filterCount(problem), 0.f);
  for (int64_t output = 0; output < problem.outputs; output++) {
    float* column = columns + output / kRow * kRow * kRow + output % kRow;
    for (int64_t i = 0; i < length(problem); i++) column[i * kRow] = filters[output * length(problem) + i];
    if (bias != nullptr) column[length(problem) * kRow] = bias[output];
  }
}

void filterRows(const Problem& problem, const float* filters, float* rows) {
  std::fill(rows, rows + filterCount(problem), 0.f);
  for (int64_t output = 0; output < problem.outputs; output++) {
    std::copy_n(filters + output * length(problem), length(problem), rows + output * kRow);
  }
}

// A padded image and one row of patches.
int64_t scratch(const Problem& problem) { return sizeWithPadding(problem) + problem.columns * kRow; }

void convolve(const Problem& problem, const Convolution& arrays, float* scratch, int64_t begin, int64_t end) {
  const int64_t outputs = problem.outputs, line = problem.columns * outputs;
  float* patches = scratch + sizeWithPadding(problem);
  preparePatches(problem, patches);
  withInputs(problem.inputs, [&](auto inputs) {
    for (int64_t image = begin; image < end; image++) {
      pad(problem, arrays.images + image * problem.height * problem.width * inputs, scratch);
      for (int64_t row = 0; row < problem.rows; row++) {
        patchesOfRow<inputs>(problem, scratch, row, patches);
        for (int64_t panel = 0; panel < outputs; panel += kRow) {
          multiply({patches, kRow, 1}, arrays.filterColumns + panel * kRow, problem.columns, length(problem) + 1,
                   {arrays.output + (image * problem.rows + row) * line + panel, outputs, false});
        }
      }
    }
  });
}

void imageGradient(const Problem& problem, const ImageGradient& arrays, float* scratch, int64_t begin, int64_t end) {
  const int64_t outputs = problem.outputs, line = problem.columns * outputs;
  float* patches = scratch + sizeWithPadding(problem);
  withInputs(problem.inputs, [&](auto inputs) {
    for (int64_t image = begin; image < end; image++) {
      std::fill(scratch, scratch + sizeWithPadding(problem), 0.f);
      for (int64_t row = 0; row < problem.rows; row++) {
        multiply({arrays.slope + (image * problem.rows + row) * line, outputs, 1}, arrays.filterRows, problem.columns,
                 outputs, {patches, kRow, false});
        addPatchesOfRow<inputs>(problem, patches, row, scratch);
      }
      crop(problem, scratch, arrays.gradient + image * problem.height * problem.width * inputs);
    }
  });
}

void filterSums(const Problem& problem, const FilterSums& arrays, float* scratch, int64_t begin, int64_t end) {
  const int64_t outputs = problem.outputs, line = problem.columns * outputs;
  float* patches = scratch + sizeWithPadding(problem);
  preparePatches(problem, patches);
  withInputs(problem.inputs, [&](auto inputs) {
    for (int64_t image = begin; image < end; image++) {
      pad(problem, arrays.images + image * problem.height * problem.width * inputs, scratch);
      for (int64_t row = 0; row < problem.rows; row++) {
        patchesOfRow<inputs>(problem, scratch, row, patches);
        multiply({arrays.slope + (image * problem.rows + row) * line, 1, outputs}, patches, outputs, problem.columns,
                 {arrays.sums, kRow, true});
      }
    }
  });
}

}  // namespace distillery::patches
