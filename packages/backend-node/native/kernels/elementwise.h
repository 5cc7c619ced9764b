// The loop of kernels that go over the elements of a tensor once, bound by memory.
#pragma once

#include "../runtime/lanes.h"
#include "../runtime/threads.h"

namespace vitral::VITRAL_ISA {

constexpr int64_t elementwiseGrain = 1 << 15;  // elements: about what a thread does in the time it takes to wake one

// body(i, count) for every vector of [0, n), the last one perhaps shorter.
template <class Body>
void eachVector(int64_t n, Body body) {
  const int64_t vectors = (n + lanes - 1) / lanes;
  parallelFor(0, vectors, elementwiseGrain / lanes, [&](int64_t from, int64_t to) {
    const int64_t whole = to * lanes <= n ? to : to - 1;
    for (int64_t v = from; v < whole; v++) body(v * lanes, (int64_t)lanes);
    if (whole < to) body(whole * lanes, n - whole * lanes);
  });
}

}  // namespace vitral::VITRAL_ISA
