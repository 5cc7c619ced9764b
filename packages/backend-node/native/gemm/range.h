// Stretches of rows, columns or steps.
#pragma once

#include <cstdint>

namespace vitral::VITRAL_ISA {

struct Range {
  int64_t begin, end;
  int64_t length() const { return end - begin; }
};
// Piece i of n, sizes differing by one at most.
inline Range piece(int64_t total, int64_t n, int64_t i) { return {i * total / n, (i + 1) * total / n}; }

}  // namespace vitral::VITRAL_ISA
