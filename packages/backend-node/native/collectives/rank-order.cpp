#include "rank-order.h"

#include <algorithm>

namespace vitral {

Slice::Slice(size_t count, int rank, int worldSize) {
  const size_t share = (count + (size_t)worldSize - 1) / (size_t)worldSize, each = (share + 15) / 16 * 16;
  from = std::min(count, (size_t)rank * each);
  to = std::min(count, from + each);
}

// In blocks that stay in the first-level cache. Each is added up aside: `out` may be any of the sources.
void sumInOrder(float* out, const std::vector<const float*>& sources, size_t count) {
  constexpr size_t block = 2048;
  float sum[block];
  for (size_t from = 0; from < count; from += block) {
    const size_t length = std::min(block, count - from);
    const float* first = sources[0] + from;
    const float* second = sources[1] + from;
    for (size_t i = 0; i < length; i++) sum[i] = first[i] + second[i];
    for (size_t rank = 2; rank < sources.size(); rank++) {
      const float* next = sources[rank] + from;
      for (size_t i = 0; i < length; i++) sum[i] += next[i];
    }
    std::copy(sum, sum + length, out + from);
  }
}

}  // namespace vitral
