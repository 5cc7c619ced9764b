// How threads share a product: each claims a piece when it has done its last one, long pieces first and ever shorter
// ones. A thread that other programs hold up, or whose processor is slower, takes fewer, and no other waits long for
// it. The result does not tell the pieces: a tile's sums are the same in any.
#pragma once

#include <algorithm>
#include <atomic>

#include "range.h"

namespace vitral::VITRAL_ISA {

// The cost, in tiles, of a left panel that is packed beforehand for all threads.
constexpr double sharedLeftPanelTiles = 2;

// What is claimed: panels of rows, with all columns; or panels of columns, of one of `rowBlocks` after the other, whose
// left panels are then packed beforehand for all.
struct Sharing {
  int64_t rowBlocks;  // 0 where rows are claimed
  int64_t units, shortest, longest;
  bool byRows() const { return rowBlocks == 0; }
};

template <class Panels>
Sharing chooseSharing(int64_t M, int64_t N, int64_t threads, bool inPlace) {
  const int64_t rowPanels = Panels::leftPanels(M), columnPanels = (N + Panels::nr - 1) / Panels::nr;
  const int64_t blocks = M <= Panels::soleMc ? 1 : (M + Panels::mc - 1) / Panels::mc;
  const int64_t longest = (rowPanels + blocks - 1) / blocks;
  // Every piece of rows reads the whole right operand: only of many rows is a short one worth it at the end.
  if (threads > 1 && M >= 2 * threads * Panels::mc) return {0, rowPanels, (longest + 3) / 4, longest};
  // Fewer rows are shared evenly among the threads, unless columns are more even, by more than it costs to pass on left
  // panels.
  const int64_t turns = (blocks + threads - 1) / threads, even = (rowPanels + turns * threads - 1) / (turns * threads);
  const double passing = inPlace ? 0 : sharedLeftPanelTiles * rowPanels / threads;
  if (turns * even * columnPanels <= (double)rowPanels * columnPanels / threads + passing)
    return {0, rowPanels, even, even};
  const int64_t enough = std::min(rowPanels, (4 * threads + columnPanels - 1) / columnPanels);
  const int64_t rowBlocks = std::max(blocks, enough), units = rowBlocks * columnPanels;
  return {rowBlocks, units, std::min<int64_t>(units < 16 * threads ? 1 : 2, columnPanels), columnPanels};
}

class TileScheduler {
 public:
  TileScheduler(const Sharing& sharing, int64_t threads)
      : total_(sharing.units), share_(2 * threads), shortest_(sharing.shortest), longest_(sharing.longest) {}

  // Empty when all is claimed.
  Range claim() {
    int64_t begin = next_.load(std::memory_order_relaxed);
    for (;;) {
      const int64_t left = total_ - begin;
      const int64_t length = std::min(left, std::clamp(left / share_, shortest_, longest_));
      if (next_.compare_exchange_weak(begin, begin + length, std::memory_order_relaxed)) return {begin, begin + length};
    }
  }

  // Where the next piece begins, unless another thread takes it first.
  int64_t next() const { return next_.load(std::memory_order_relaxed); }

 private:
  const int64_t total_, share_, shortest_, longest_;
  std::atomic<int64_t> next_{0};
};

}  // namespace vitral::VITRAL_ISA
