// gelu. n elements.
#include "../kernels/dispatch.h"
#include "exports.h"

namespace vitral::exported {

JsValue gelu(Arguments& a) {
  const int64_t n = a.sizeOrZero("size");
  const float* x = a.floats("x", n);
  kernels().geluForward(n, x, a.floats("output", n));
  return nullptr;
}

JsValue geluGrad(Arguments& a) {
  const int64_t n = a.sizeOrZero("size");
  const float* dy = a.floats("dy", n);
  const float* x = a.floats("x", n);
  kernels().geluBackward(n, dy, x, a.floats("dx", n));
  return nullptr;
}

}  // namespace vitral::exported
