// interpolate-positions. From a grid of h·w patches to one of h2·w2, C hidden size.
#include "../kernels/dispatch.h"
#include "exports.h"

namespace vitral::exported {

JsValue interpolatePositions(Arguments& a) {
  const int64_t h = a.size("rows"), w = a.size("columns"), h2 = a.size("newRows"), w2 = a.size("newColumns");
  const int64_t C = a.size("hiddenSize"), from = 1 + elements({h, w}), to = 1 + elements({h2, w2});
  const float* x = a.floats("positionEmbeddings", elements({from, C}));
  kernels().interpolatePositionsForward(h, w, h2, w2, C, x, a.floats("output", elements({to, C})));
  return nullptr;
}

JsValue interpolatePositionsGrad(Arguments& a) {
  const int64_t h = a.size("rows"), w = a.size("columns"), h2 = a.size("newRows"), w2 = a.size("newColumns");
  const int64_t C = a.size("hiddenSize"), from = 1 + elements({h, w}), to = 1 + elements({h2, w2});
  const float* dy = a.floats("dy", elements({to, C}));
  kernels().interpolatePositionsBackward(h, w, h2, w2, C, dy, a.floats("dx", elements({from, C})));
  return nullptr;
}

}  // namespace vitral::exported
