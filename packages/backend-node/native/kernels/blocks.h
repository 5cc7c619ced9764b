// Tensors in blocks of one fixed length, so that partial sums have an order that does not depend on the thread count.
#pragma once

#include "../runtime/threads.h"

namespace vitral::VITRAL_ISA {

constexpr int64_t blockLength = 1 << 14;  // elements: the unit of work and of the partial sums

template <class Body>
void eachBlock(int64_t n, Body body) {
  parallelFor(0, (n + blockLength - 1) / blockLength, 1, [&](int64_t from, int64_t to) {
    for (int64_t i = from; i < to; i++) body(i, i * blockLength, (i + 1) * blockLength < n ? (i + 1) * blockLength : n);
  });
}

}  // namespace vitral::VITRAL_ISA
