#include "waveTiles.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include <algorithm>
#include <memory>

namespace distillery::waves {

namespace {

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
  const std::unique_ptr<float[]> copy(new float[copyOf(tile.length(), width)]);
  copyRows(operands.row(tile.begin), tile.length(), width, copy.get());
  for (int64_t panel = panels.begin; panel < panels.end; panel++, target.values += target.panelStep) {
    anglesOf(copy.get(), operands.panel(panel), width, {target.values, tile.length(), target.step});
    for (const Run& run : runs) {
      float* first = target.values + (run.rows.begin - tile.begin) * target.step;
      visit(Angles{first, run.rows.length(), target.step}, run, panel);
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

// s of some rows, [rows, f] by panels, with a cache line between rows for the reason that `copyRows` gives.
constexpr int64_t kGap = 16;
void writeSlopes(const Operands& operands, Span rows, const Parts& perRow, float* slopes) {
  const int64_t width = operands.panelCount() * kPanel, step = width + kGap;
  forEachTask(rows, kRows, operands.panelCount(), [&](Span tile, Span panels) {
    const Target target{slopes + (tile.begin - rows.begin) * step + panels.begin * kPanel, kPanel, step};
    forEachRun(operands, tile, panels, target, [&](auto part, const Run& run, int64_t panel) {
      const int64_t offset = run.group * width + panel * kPanel;
      waveSlopes(part, perRow.re.data_ptr<float>() + offset, perRow.im.data_ptr<float>() + offset);
    });
  });
}

void multiplyAll(const Product& product) {
  at::parallel_for(0, panelsOf(product.width), 1,
                   [&](int64_t begin, int64_t end) { multiplyPanels(product, begin, end); });
}

// Rows whose slopes are held at a time.
constexpr int64_t kRowsHeld = 10 * kRows;

}  // namespace

Tensor packed(const Tensor& frequencies) {
  const int64_t count = frequencies.size(0), width = frequencies.size(1);
  const Tensor panels = at::empty({panelsOf(count), width, kPanel}, frequencies.options());
  at::parallel_for(0, panels.size(0), 1, [&](int64_t begin, int64_t end) {
    packPanels({frequencies.data_ptr<float>(), count, width}, panels.data_ptr<float>(), begin, end);
  });
  return panels;
}

Parts means(const Operands& operands) {
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

std::array<Tensor, 2> gradients(const Operands& operands, const Parts& perRow, std::array<bool, 2> wanted) {
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

}  // namespace distillery::waves
