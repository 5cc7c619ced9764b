#include "elementwise.h"

#include "../gelu.h"
#include "../threads.h"
#include "drops.h"

namespace vitral::VITRAL_ISA {

namespace {

constexpr int64_t grain = 1 << 15;  // elements: about what a thread does in the time it takes to wake one

// body(i, count) for every vector of [0, n), the last one perhaps shorter.
template <class Body>
void eachVector(int64_t n, Body body) {
  const int64_t vectors = (n + lanes - 1) / lanes;
  parallelFor(0, vectors, grain / lanes, [&](int64_t from, int64_t to) {
    const int64_t whole = to * lanes <= n ? to : to - 1;
    for (int64_t v = from; v < whole; v++) body(v * lanes, (int64_t)lanes);
    if (whole < to) body(whole * lanes, n - whole * lanes);
  });
}

}  // namespace

void geluForward(int64_t n, const float* x, float* y) {
  eachVector(n, [&](int64_t i, int64_t count) { storeSome(y + i, gelu(loadSome(x + i, count)), count); });
}

void geluBackward(int64_t n, const float* dy, const float* x, float* dx) {
  eachVector(n, [&](int64_t i, int64_t count) {
    storeSome(dx + i, loadSome(dy + i, count) * geluGradient(loadSome(x + i, count)), count);
  });
}

void dropRows(int64_t M, int64_t n, const float* x, const Drops& drops, float* y) {
  const DropMultiplier multiplier(drops);
  parallelFor(0, M, 1 + grain / (n + 1), [&](int64_t from, int64_t to) {
    for (int64_t row = from; row < to; row++) multiplier.multiplyRow(row * n, n, n, x, nullptr, y);
  });
}

void add(int64_t n, const float* a, const float* b, float* y) {
  eachVector(n, [&](int64_t i, int64_t count) {
    storeSome(y + i, loadSome(a + i, count) + loadSome(b + i, count), count);
  });
}

void subtract(int64_t n, const float* a, const float* b, float* y) {
  eachVector(n, [&](int64_t i, int64_t count) {
    storeSome(y + i, loadSome(a + i, count) - loadSome(b + i, count), count);
  });
}

void multiply(int64_t n, const float* a, const float* b, float* y) {
  eachVector(n, [&](int64_t i, int64_t count) {
    storeSome(y + i, loadSome(a + i, count) * loadSome(b + i, count), count);
  });
}

void softmaxRows(int64_t M, int64_t n, const float* x, float* y) {
  parallelFor(0, M, 1 + grain / (8 * n), [&](int64_t from, int64_t to) {
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
