#include "characteristic.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/cos.h>
#include <ATen/ops/div.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/repeat_interleave.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/split_with_sizes.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <array>
#include <memory>

#include "simd/waves.h"

namespace distillery {

namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;
using waves::kPanel;
using waves::kRows;

using Counts = std::vector<int64_t>;
using Wanted = std::array<bool, 2>;  // of the gradients with respect to features and frequencies

Tensor groupMeans(const Tensor& rows, const Counts& counts) {
  const int64_t groups = counts.size(), count = counts[0];
  if (std::count(counts.begin(), counts.end(), count) == groups) {
    return at::mean(rows.reshape({groups, count, rows.size(1)}), 1);
  }
  std::vector<Tensor> means;
  for (const Tensor& group : at::split_with_sizes(rows, counts)) means.push_back(at::mean(group, 0));
  return at::stack(means);
}

variable_list composite(const Tensor& features, const Tensor& frequencies, const Counts& counts) {
  const Tensor angles = at::matmul(features, frequencies.transpose(0, 1));
  return {groupMeans(at::cos(angles), counts), groupMeans(at::sin(angles), counts)};
}

// With re and im the slopes at the parts of the group that x is of, and n its rows:
//
//     ∂L/∂x = Σ_ω s ω,   ∂L/∂ω = Σ_x s x,   s = (im cos⟨ω, x⟩ − re sin⟨ω, x⟩)/n
Tensor perRow(const Tensor& slope, const Counts& counts) {
  return at::div(slope, at::tensor(counts, slope.options()).unsqueeze(1));
}

variable_list compositeBackward(const Tensor& features, const Tensor& frequencies, const Counts& counts,
                                const variable_list& slopes, Wanted wanted) {
  const Tensor angles = at::matmul(features, frequencies.transpose(0, 1));
  const Tensor repeats = at::tensor(counts, angles.options().dtype(at::kLong));
  const auto spread = [&](const Tensor& slope) { return at::repeat_interleave(perRow(slope, counts), repeats, 0); };
  const Tensor s = at::cos(angles) * spread(slopes[1]) - at::sin(angles) * spread(slopes[0]);
  return {wanted[0] ? at::matmul(s, frequencies) : Tensor(),
          wanted[1] ? at::matmul(s.transpose(0, 1), features) : Tensor()};
}

// Dense, float32, on the CPU.
struct Operands {
  Tensor features, frequencies;
  Tensor panels;  // of the frequencies, as `packPanels` writes them
  Counts counts;

  int64_t width() const { return features.size(1); }
  int64_t panelCount() const { return waves::panelsOf(frequencies.size(0)); }
  const float* row(int64_t i) const { return features.data_ptr<float>() + i * width(); }
  const float* panel(int64_t p) const { return panels.data_ptr<float>() + p * width() * kPanel; }
};

struct Span {
  int64_t begin, end;
  int64_t length() const { return end - begin; }
};

int64_t ratioUp(int64_t whole, int64_t part) { return (whole + part - 1) / part; }

// Consecutive rows of one group.
struct Run {
  Span rows;
  int64_t group;
};

std::vector<Run> runsOf(const Counts& counts, Span rows) {
  std::vector<Run> runs;
  int64_t first = 0;
  for (size_t group = 0; group < counts.size(); group++) {
    const Span common{std::max(first, rows.begin), std::min(first + counts[group], rows.end)};
    if (common.length() > 0) runs.push_back({common, static_cast<int64_t>(group)});
    first += counts[group];
  }
  return runs;
}

// Shares tasks of `perTask` rows and eight panels out among the threads: work(rows, panels). Tasks one after another
// have the same panels, of which a few fit the cache.
template <typename Work>
void forEachTask(Span rows, int64_t perTask, int64_t panels, Work work) {
  constexpr int64_t panelsPerTask = 8;
  const int64_t down = ratioUp(rows.length(), perTask);
  at::parallel_for(0, down * ratioUp(panels, panelsPerTask), 1, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; task++) {
      const int64_t row = rows.begin + task % down * perTask, panel = task / down * panelsPerTask;
      work(Span{row, std::min(row + perTask, rows.end)}, Span{panel, std::min(panel + panelsPerTask, panels)});
    }
  });
}

// Computes the angles of a tile, at most 48 rows, with one panel after another, and hands those of each run to
// visit(angles, run, panel). The first panel's are written to `target`, rows `step` numbers apart, the next one's
// panelStep further on.
struct Target {
  float* values;
  int64_t panelStep, step;
};
template <typename Visit>
void forEachRun(const Operands& operands, Span tile, Span panels, Target target, Visit visit) {
  const int64_t width = operands.width();
  const auto runs = runsOf(operands.counts, tile);
  const std::unique_ptr<float[]> copy(new float[waves::copyOf(tile.length(), width)]);
  waves::copyRows(operands.row(tile.begin), tile.length(), width, copy.get());
  for (int64_t panel = panels.begin; panel < panels.end; panel++, target.values += target.panelStep) {
    waves::anglesOf(copy.get(), operands.panel(panel), width, {target.values, tile.length(), target.step});
    for (const Run& run : runs) {
      float* first = target.values + (run.rows.begin - tile.begin) * target.step;
      visit(waves::Angles{first, run.rows.length(), target.step}, run, panel);
    }
  }
}

// Sums of cos and sin over the rows of each group, [groups, f] by panels.
struct Sums {
  Sums(int64_t lines, int64_t panels) : width(panels * kPanel), cos(lines * width), sin(lines * width) {}
  int64_t width;
  std::vector<double> cos, sin;
};

// Rows of one task: whole tiles, and so many that they make at most 64 parts. It does not depend on the number of
// threads, and so neither does the rounding of the sums.
int64_t rowsPerTask(int64_t rows) { return ratioUp(ratioUp(rows, kRows), 64) * kRows; }

// Sums by part and group. Down the rows, part or group or both go up by one from run to run, so that part + group is
// another line for each run.
Sums sumsOfRuns(const Operands& operands, int64_t perTask) {
  const int64_t rows = operands.features.size(0);
  Sums sums(ratioUp(rows, perTask) + operands.counts.size(), operands.panelCount());
  forEachTask({0, rows}, perTask, operands.panelCount(), [&](Span rows, Span panels) {
    for (int64_t first = rows.begin; first < rows.end; first += kRows) {
      float angles[kRows * kPanel];
      const Span tile{first, std::min(first + kRows, rows.end)};
      forEachRun(operands, tile, panels, {angles, 0, kPanel}, [&](auto part, const Run& run, int64_t panel) {
        const int64_t offset = (rows.begin / perTask + run.group) * sums.width + panel * kPanel;
        addWaves(part, sums.cos.data() + offset, sums.sin.data() + offset);
      });
    }
  });
  return sums;
}

variable_list fused(const Operands& operands) {
  const int64_t perTask = rowsPerTask(operands.features.size(0));
  const Sums sums = sumsOfRuns(operands, perTask);
  const int64_t groups = operands.counts.size(), f = operands.frequencies.size(0);
  const Tensor re = at::empty({groups, f}, operands.features.options()), im = at::empty_like(re);
  int64_t first = 0;
  for (int64_t group = 0; group < groups; group++) {
    const int64_t count = operands.counts[group], last = first + count - 1;
    const auto mean = [&, first](const std::vector<double>& lines, int64_t j) {
      double sum = 0;
      for (int64_t task = first / perTask; task <= last / perTask; task++) sum += lines[(task + group) * sums.width + j];
      return static_cast<float>(sum / static_cast<double>(count));
    };
    for (int64_t j = 0; j < f; j++) {
      re.data_ptr<float>()[group * f + j] = mean(sums.cos, j);
      im.data_ptr<float>()[group * f + j] = mean(sums.sin, j);
    }
    first += count;
  }
  return {re, im};
}

// s of some rows, [rows, f] by panels, with a cache line between rows for the reason that `copyRows` gives.
constexpr int64_t kGap = 16;
void writeSlopes(const Operands& operands, Span rows, const variable_list& perRow, float* slopes) {
  const int64_t width = operands.panelCount() * kPanel, step = width + kGap;
  forEachTask(rows, kRows, operands.panelCount(), [&](Span tile, Span panels) {
    const Target target{slopes + (tile.begin - rows.begin) * step + panels.begin * kPanel, kPanel, step};
    forEachRun(operands, tile, panels, target, [&](auto part, const Run& run, int64_t panel) {
      const int64_t offset = run.group * width + panel * kPanel;
      waveSlopes(part, perRow[0].data_ptr<float>() + offset, perRow[1].data_ptr<float>() + offset);
    });
  });
}

void multiplyAll(const waves::Product& product) {
  at::parallel_for(0, waves::panelsOf(product.width), 1,
                   [&](int64_t begin, int64_t end) { multiplyPanels(product, begin, end); });
}

// Rows whose slopes are held at a time.
constexpr int64_t kRowsHeld = 10 * kRows;

// perRow: slopes re and im over the rows of their group, [groups, f] with zeros up to whole panels.
variable_list fusedBackward(const Operands& operands, const variable_list& perRow, Wanted wanted) {
  const auto& [features, frequencies, panels, counts] = operands;
  const int64_t rows = features.size(0), width = operands.width(), f = frequencies.size(0);
  const int64_t step = operands.panelCount() * kPanel + kGap;
  const Tensor toFeatures = wanted[0] ? at::empty_like(features) : Tensor();
  const Tensor toFrequencies = wanted[1] ? at::empty_like(frequencies) : Tensor();
  std::vector<float> held(std::min(rows, kRowsHeld) * step);
  for (int64_t first = 0; first < rows; first += kRowsHeld) {
    const int64_t count = std::min(kRowsHeld, rows - first);
    writeSlopes(operands, {first, first + count}, perRow, held.data());
    if (wanted[0]) {
      float* target = toFeatures.data_ptr<float>() + first * width;
      multiplyAll({held.data(), step, 1, frequencies.data_ptr<float>(), count, f, width, target, false});
    }
    if (wanted[1]) {
      float* target = toFrequencies.data_ptr<float>();
      multiplyAll({held.data(), 1, step, operands.row(first), f, count, width, target, first > 0});
    }
  }
  return {toFeatures, toFrequencies};
}

// The slope over the rows of its group, with zeros up to whole panels of frequencies.
Tensor perRowInPanels(const Tensor& slope, const Operands& operands) {
  const int64_t missing = operands.panelCount() * kPanel - slope.size(1);
  return at::constant_pad_nd(perRow(slope, operands.counts), {0, missing}).contiguous();
}

struct FusedCharacteristic : Function<FusedCharacteristic> {
  static variable_list forward(AutogradContext* context, const Tensor& features, const Tensor& frequencies,
                               const Tensor& panels, const Counts& counts) {
    context->saved_data["counts"] = counts;
    context->save_for_backward({features, frequencies, panels});
    return fused({features.contiguous(), frequencies.contiguous(), panels, counts});
  }

  static variable_list backward(AutogradContext* context, variable_list slopes) {
    const auto saved = context->get_saved_variables();
    const Counts counts = context->saved_data["counts"].toIntVector();
    const Wanted wanted = {context->needs_input_grad(0), context->needs_input_grad(1)};
    variable_list gradients;
    if (at::GradMode::is_enabled()) {
      gradients = compositeBackward(saved[0], saved[1], counts, slopes, wanted);
    } else {
      const Operands operands{saved[0].contiguous(), saved[1].contiguous(), saved[2], counts};
      gradients = fusedBackward(
          operands, {perRowInPanels(slopes[0], operands), perRowInPanels(slopes[1], operands)}, wanted);
    }
    gradients.resize(4);  // none for panels and counts
    return gradients;
  }
};

}  // namespace

const Tensor& PackedFrequencies::of(const Tensor& frequencies) {
  if (source_._unsafe_get_target() == frequencies.unsafeGetTensorImpl()) return panels_;
  const Tensor dense = frequencies.detach().contiguous();
  const int64_t count = dense.size(0), width = dense.size(1);
  panels_ = at::empty({waves::panelsOf(count), width, kPanel}, dense.options());
  at::parallel_for(0, panels_.size(0), 1, [&](int64_t begin, int64_t end) {
    waves::packPanels({dense.data_ptr<float>(), count, width}, panels_.data_ptr<float>(), begin, end);
  });
  source_ = Source(frequencies.getIntrusivePtr());
  return panels_;
}

std::vector<Tensor> characteristic(const Tensor& features, const Tensor& frequencies, const Counts& counts,
                                   PackedFrequencies& packed) {
  if (!features.device().is_cpu() || features.scalar_type() != at::kFloat) {
    return composite(features, frequencies, counts);
  }
  return FusedCharacteristic::apply(features, frequencies, packed.of(frequencies), counts);
}

}  // namespace distillery
