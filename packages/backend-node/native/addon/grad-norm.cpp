// grad-norm, over all gradients in one call.
#include <cmath>
#include <vector>

#include "../kernels/dispatch.h"
#include "exports.h"

namespace vitral::exported {

JsValue gradNorm(Arguments& a) {
  std::vector<int64_t> sizes;
  const std::vector<float*> gradients = a.floatArrays("gradients", sizes);
  double sum = 0;
  for (size_t i = 0; i < gradients.size(); i++) sum += kernels().sumOfSquares(sizes[i], gradients[i]);
  return a.answer(std::sqrt(sum));
}

}  // namespace vitral::exported
