// How threads share a product: each claims a piece when it has done its last one, long pieces first and ever shorter ones.
// A thread that other programs hold up, or whose processor is slower, takes fewer, and no other waits long for it. The
// result does not tell the pieces: a tile's sums are the same in any.
#pragma once

#include <algorithm>
#include <atomic>

#include "range.h"

namespace vitral::VITRAL_ISA {

class Claims {
 public:
  Claims(int64_t total, int64_t threads, int64_t shortest, int64_t longest)
      : total_(total), share_(2 * threads), shortest_(shortest), longest_(longest) {}

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
