#include "grad-norm.h"

#include "blocks.h"

namespace vitral::VITRAL_ISA {

double sumOfSquares(int64_t n, const float* x) {
  const int64_t blocks = (n + blockLength - 1) / blockLength;
  // Doubles in the scratch memory of floats.
  double* partial = reinterpret_cast<double*>(scratch(Scratch::kernel, 2 * blocks));
  eachBlock(n, [&](int64_t index, int64_t from, int64_t to) {
    double sum = 0;
    for (int64_t i = from; i < to; i++) sum += (double)x[i] * x[i];
    partial[index] = sum;
  });
  double total = 0;
  for (int64_t i = 0; i < blocks; i++) total += partial[i];
  return total;
}

}  // namespace vitral::VITRAL_ISA
