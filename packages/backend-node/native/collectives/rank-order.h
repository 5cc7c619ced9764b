// Sums that are the same bits in every process: each rank adds up one slice of an array over all ranks, in their order.
#pragma once

#include <cstddef>
#include <vector>

namespace vitral {

// The part of an array that a rank adds up: whole cache lines.
struct Slice {
  size_t from, to;
  Slice(size_t count, int rank, int worldSize);
};

// out = ((sources[0] + sources[1]) + sources[2]) + … over `count` elements, of two sources or more; and the same into
// `copy`, if there is one. That may be one of the sources, and `out` may not.
void sumInOrder(const std::vector<const float*>& sources, size_t count, float* out, float* copy = nullptr);

}  // namespace vitral
