// Cuts one array into pieces, each on a cache line of its own; without an array it measures how long that has to be.
#pragma once

#include <cstdint>

#include "inline.h"

namespace vitral {

VITRAL_INLINE int64_t wholeLines(int64_t floats) { return (floats + 15) / 16 * 16; }

class Pieces {
  float* const start_;
  int64_t floats_ = 0;

 public:
  VITRAL_INLINE explicit Pieces(float* start) : start_(start) {}
  template <class Number>
  VITRAL_INLINE Number* take(int64_t count) {
    Number* piece = start_ ? (Number*)(start_ + floats_) : nullptr;
    floats_ += wholeLines((count * (int64_t)sizeof(Number) + 3) / 4);
    return piece;
  }
  VITRAL_INLINE int64_t floats() const { return floats_; }
};

// Floats of all the pieces that Layout(arguments…, pieces) takes.
template <class Layout, class... Arguments>
VITRAL_INLINE int64_t floatsOf(const Arguments&... arguments) {
  Pieces pieces(nullptr);
  Layout(arguments..., pieces);
  return pieces.floats();
}

}  // namespace vitral
