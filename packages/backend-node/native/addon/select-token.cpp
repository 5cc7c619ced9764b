// select-token. B images, T tokens, C hidden size.
#include "../kernels/dispatch.h"
#include "exports.h"

namespace vitral::exported {

JsValue selectToken(Arguments& a) {
  const int64_t B = a.sizeOrZero("batch"), T = a.size("tokens"), C = a.size("hiddenSize"),
                index = a.sizeOrZero("index");
  if (index >= T) throwArgumentError("index is not one of the tokens");
  const float* x = a.floats("x", elements({B, T, C}));
  kernels().selectTokenForward(B, T, C, index, x, a.floats("output", elements({B, C})));
  return nullptr;
}

JsValue selectTokenGrad(Arguments& a) {
  const int64_t B = a.sizeOrZero("batch"), T = a.size("tokens"), C = a.size("hiddenSize"),
                index = a.sizeOrZero("index");
  if (index >= T) throwArgumentError("index is not one of the tokens");
  const float* dy = a.floats("dy", elements({B, C}));
  kernels().selectTokenBackward(B, T, C, index, dy, a.floats("dx", elements({B, T, C})));
  return nullptr;
}

}  // namespace vitral::exported
