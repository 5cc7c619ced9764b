// optimizer-step: all parameters in one call, by each optimizer.
#include <vector>

#include "../kernels/dispatch.h"
#include "exports.h"

namespace vitral::exported {

JsValue adamStep(Arguments& a) {
  AdamOptions options;
  options.step = a.size("step");
  options.lr = a.number("lr");
  options.beta1 = a.number("beta1");
  options.beta2 = a.number("beta2");
  options.eps = a.number("eps");
  options.weightDecay = a.number("weightDecay");
  options.gradientScale = a.number("gradientScale");
  options.gradientLimit = a.number("gradientLimit");
  options.decoupled = a.flag("decoupled");
  std::vector<int64_t> sizes;
  const std::vector<float*> gradients = a.floatArrays("gradients", sizes);
  const std::vector<float*> parameters = a.floatArraysOf("parameters", sizes);
  const std::vector<float*> first = a.floatArraysOf("first", sizes), second = a.floatArraysOf("second", sizes);
  for (size_t i = 0; i < sizes.size(); i++)
    kernels().adamStep(sizes[i], options, gradients[i], parameters[i], first[i], second[i]);
  return nullptr;
}

JsValue sgdStep(Arguments& a) {
  SgdOptions options;
  options.step = a.size("step");
  options.lr = a.number("lr");
  options.momentum = a.number("momentum");
  options.weightDecay = a.number("weightDecay");
  options.gradientScale = a.number("gradientScale");
  options.gradientLimit = a.number("gradientLimit");
  options.nesterov = a.flag("nesterov");
  std::vector<int64_t> sizes;
  const std::vector<float*> gradients = a.floatArrays("gradients", sizes);
  const std::vector<float*> parameters = a.floatArraysOf("parameters", sizes);
  std::vector<float*> velocities(sizes.size(), nullptr);
  if (options.momentum != 0) velocities = a.floatArraysOf("velocities", sizes);
  for (size_t i = 0; i < sizes.size(); i++)
    kernels().sgdStep(sizes[i], options, gradients[i], parameters[i], velocities[i]);
  return nullptr;
}

JsValue lionStep(Arguments& a) {
  LionOptions options;
  options.lr = a.number("lr");
  options.beta1 = a.number("beta1");
  options.beta2 = a.number("beta2");
  options.weightDecay = a.number("weightDecay");
  options.gradientScale = a.number("gradientScale");
  options.gradientLimit = a.number("gradientLimit");
  std::vector<int64_t> sizes;
  const std::vector<float*> gradients = a.floatArrays("gradients", sizes);
  const std::vector<float*> parameters = a.floatArraysOf("parameters", sizes);
  const std::vector<float*> averages = a.floatArraysOf("averages", sizes);
  for (size_t i = 0; i < sizes.size(); i++)
    kernels().lionStep(sizes[i], options, gradients[i], parameters[i], averages[i]);
  return nullptr;
}

}  // namespace vitral::exported
