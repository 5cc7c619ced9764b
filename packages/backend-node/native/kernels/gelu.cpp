#include "gelu.h"

#include "elementwise.h"
#include "gelu-polynomial.h"

namespace vitral::VITRAL_ISA {

void geluForward(int64_t n, const float* x, float* y) {
  eachVector(n, [&](int64_t i, int64_t count) { storeSome(y + i, gelu(loadSome(x + i, count)), count); });
}

void geluBackward(int64_t n, const float* dy, const float* x, float* dx) {
  eachVector(n, [&](int64_t i, int64_t count) {
    storeSome(dx + i, loadSome(dy + i, count) * geluGradient(loadSome(x + i, count)), count);
  });
}

}  // namespace vitral::VITRAL_ISA
