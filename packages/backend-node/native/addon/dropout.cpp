// dropout. M rows of n columns.
#include "../kernels/dispatch.h"
#include "exports.h"

namespace vitral::exported {

JsValue dropRows(Arguments& a) {
  const int64_t M = a.sizeOrZero("rows"), n = a.sizeOrZero("columns");
  const float* x = a.floats("x", elements({M, n}));
  const Drops drops = a.drops("drops", M);
  kernels().dropRows(M, n, x, drops, a.floats("output", elements({M, n})));
  return nullptr;
}

}  // namespace vitral::exported
