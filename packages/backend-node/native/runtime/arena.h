// An arena: cuts one array into several, each on a cache line of its own. Without an array it measures how long one has
// to be.
#pragma once

#include <cstdint>

#include "inline.h"

namespace vitral {

VITRAL_INLINE int64_t wholeLines(int64_t floats) { return (floats + 15) / 16 * 16; }

class Arena {
  float* const start_;
  int64_t floats_ = 0;

 public:
  VITRAL_INLINE explicit Arena(float* start) : start_(start) {}
  template <class Number>
  VITRAL_INLINE Number* take(int64_t count) {
    Number* taken = start_ ? (Number*)(start_ + floats_) : nullptr;
    floats_ += wholeLines((count * (int64_t)sizeof(Number) + 3) / 4);
    return taken;
  }
  VITRAL_INLINE int64_t floats() const { return floats_; }
};

// Floats of all that Layout(arguments…, arena) takes.
template <class Layout, class... Arguments>
VITRAL_INLINE int64_t floatsOf(const Arguments&... arguments) {
  Arena arena(nullptr);
  Layout(arguments..., arena);
  return arena.floats();
}

}  // namespace vitral
