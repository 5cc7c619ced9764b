#include "rank-order.h"

#include <algorithm>

// For the compiler: what is written is not what a later element reads. Where an array is written over, it is at the
// place that has just been read.
#if defined(__clang__)
#define VITRAL_IN_PLACE _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define VITRAL_IN_PLACE _Pragma("GCC ivdep")
#else
#define VITRAL_IN_PLACE
#endif

namespace vitral {

namespace {

void add(const float* a, const float* b, size_t count, float* sum) {
  VITRAL_IN_PLACE
  for (size_t i = 0; i < count; i++) sum[i] = a[i] + b[i];
}

void addTwice(const float* a, const float* b, size_t count, float* sum, float* copy) {
  VITRAL_IN_PLACE
  for (size_t i = 0; i < count; i++) {
    const float both = a[i] + b[i];
    sum[i] = both;
    copy[i] = both;
  }
}

}  // namespace

Slice::Slice(size_t count, int rank, int worldSize) {
  const size_t share = (count + (size_t)worldSize - 1) / (size_t)worldSize, each = (share + 15) / 16 * 16;
  from = std::min(count, (size_t)rank * each);
  to = std::min(count, from + each);
}

// In blocks that stay in the first-level cache.
void sumInOrder(const std::vector<const float*>& sources, size_t count, float* out, float* copy) {
  constexpr size_t block = 2048;
  for (size_t from = 0; from < count; from += block) {
    const size_t length = std::min(block, count - from);
    const float* sum = sources[0] + from;
    for (size_t rank = 1; rank < sources.size(); rank++) {
      const float* next = sources[rank] + from;
      if (copy && rank == sources.size() - 1) addTwice(sum, next, length, out + from, copy + from);
      else add(sum, next, length, out + from);
      sum = out + from;
    }
  }
}

}  // namespace vitral
