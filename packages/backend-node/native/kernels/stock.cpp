#include "stock.h"

#include "elementwise.h"

namespace vitral::VITRAL_ISA {

void add(int64_t n, const float* a, const float* b, float* y) {
  eachVector(
      n, [&](int64_t i, int64_t count) { storeSome(y + i, loadSome(a + i, count) + loadSome(b + i, count), count); });
}

void subtract(int64_t n, const float* a, const float* b, float* y) {
  eachVector(
      n, [&](int64_t i, int64_t count) { storeSome(y + i, loadSome(a + i, count) - loadSome(b + i, count), count); });
}

void multiply(int64_t n, const float* a, const float* b, float* y) {
  eachVector(
      n, [&](int64_t i, int64_t count) { storeSome(y + i, loadSome(a + i, count) * loadSome(b + i, count), count); });
}

void softmaxRows(int64_t M, int64_t n, const float* x, float* y) {
  parallelFor(0, M, 1 + elementwiseGrain / (8 * n), [&](int64_t from, int64_t to) {
    for (int64_t row = from; row < to; row++) {
      const float* in = x + row * n;
      float* out = y + row * n;
      float largest = in[0];
      for (int64_t i = 1; i < n; i++) largest = in[i] > largest ? in[i] : largest;
      for (int64_t i = 0; i < n; i += lanes) {
        const int64_t count = n - i < lanes ? n - i : (int64_t)lanes;
        storeSome(out + i, exp(loadSome(in + i, count) - largest), count);
      }
      float sum = 0;
      for (int64_t i = 0; i < n; i++) sum += out[i];
      const float scale = 1.0f / sum;
      for (int64_t i = 0; i < n; i++) out[i] *= scale;
    }
  });
}

}  // namespace vitral::VITRAL_ISA
