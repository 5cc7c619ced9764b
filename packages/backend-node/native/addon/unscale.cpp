// unscale, over all gradients in one call.
#include <vector>

#include "../kernels/dispatch.h"
#include "exports.h"

namespace vitral::exported {

JsValue unscale(Arguments& a) {
  std::vector<int64_t> sizes;
  const std::vector<float*> gradients = a.floatArrays("gradients", sizes);
  const double scale = a.number("scale");
  const std::vector<float*> outputs = a.floatArraysOf("outputs", sizes);
  bool finite = true;
  for (size_t i = 0; i < gradients.size(); i++)
    finite &= kernels().unscaleGradient(sizes[i], gradients[i], scale, outputs[i]);
  return a.answer(finite);
}

}  // namespace vitral::exported
