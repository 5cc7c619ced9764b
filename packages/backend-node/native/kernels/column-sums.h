// Sums over the rows of a matrix, for the gradients of everything that is broadcast over rows (biases, norms).
#pragma once

#include "../runtime/simd.h"
#include "../runtime/threads.h"

namespace vitral::VITRAL_ISA {

// out[c] = sum over row of value(row, c, count), which returns the `count` values at column c of that row. Columns are
// shared out among threads and every column is summed in blocks of rows: the order, and so the bits, never change, and
// the rounding error grows with the number of blocks and the length of one, not with their product.
template <class Value>
void columnSums(int64_t rows, int64_t columns, float* out, Value value) {
  constexpr int64_t block = 64;
  constexpr int vectors = 4;  // side by side, so that a row's cache line is used whole
  const int64_t stripes = (columns + vectors * lanes - 1) / (vectors * lanes);
  parallelFor(0, stripes, 1 + 32768 / (rows * vectors * lanes + 1), [&](int64_t from, int64_t to) {
    for (int64_t stripe = from; stripe < to; stripe++) {
      const int64_t begin = stripe * vectors * lanes;
      Vf total[vectors] = {};
      for (int64_t first = 0; first < rows; first += block) {
        const int64_t last = first + block < rows ? first + block : rows;
        Vf part[vectors] = {};
        for (int64_t row = first; row < last; row++)
          for (int v = 0; v < vectors; v++) {
            const int64_t c = begin + v * lanes;
            if (c < columns) part[v] += value(row, c, columns - c < lanes ? columns - c : (int64_t)lanes);
          }
        for (int v = 0; v < vectors; v++) total[v] += part[v];
      }
      for (int v = 0; v < vectors; v++) {
        const int64_t c = begin + v * lanes;
        if (c < columns) storePartial(out + c, total[v], columns - c < lanes ? columns - c : (int64_t)lanes);
      }
    }
  });
}

}  // namespace vitral::VITRAL_ISA
