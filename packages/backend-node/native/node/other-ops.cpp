// Elementwise ops, the loss, what a training step does to gradients and parameters, and stock tfjs kernels.
#include <cmath>

#include "../kernels.h"
#include "exports.h"

namespace vitral::exported {

napi_value gelu(Arguments& a) {
  const int64_t n = a.sizeOrZero("size");
  const float* x = a.floats("x", n);
  kernels().geluForward(n, x, a.floats("output", n));
  return nullptr;
}

napi_value geluGrad(Arguments& a) {
  const int64_t n = a.sizeOrZero("size");
  const float* dy = a.floats("dy", n);
  const float* x = a.floats("x", n);
  kernels().geluBackward(n, dy, x, a.floats("dx", n));
  return nullptr;
}

napi_value dropRows(Arguments& a) {
  const int64_t M = a.sizeOrZero("rows"), n = a.sizeOrZero("columns");
  const float* x = a.floats("x", elements({M, n}));
  const Drops drops = a.drops(M);
  kernels().dropRows(M, n, x, drops, a.floats("output", elements({M, n})));
  return nullptr;
}

namespace {
struct Labels {
  const int32_t* classes;
  const float* probabilities;
};
Labels labels(Arguments& a, int64_t B, int64_t K) {
  const Labels both = {a.intsOrNull("classes", B), a.floatsOrNull("probabilities", elements({B, K}))};
  if (B > 0 && !both.classes == !both.probabilities) throw ArgumentError("expected either classes or probabilities");
  for (int64_t b = 0; both.classes && b < B; b++)
    if (both.classes[b] < 0 || both.classes[b] >= K)
      throw ArgumentError("label " + std::to_string(both.classes[b]) + " of image " + std::to_string(b) +
                          " is not a class index from 0 to " + std::to_string(K - 1));
  return both;
}
}  // namespace

napi_value crossEntropy(Arguments& a) {
  const int64_t B = a.sizeOrZero("batch"), K = a.size("classes");
  const float* logits = a.floats("logits", elements({B, K}));
  const Labels target = labels(a, B, K);
  const double smoothing = a.number("labelSmoothing");
  return toJs(a.env(), kernels().crossEntropyForward(B, K, logits, target.classes, target.probabilities, smoothing));
}

napi_value crossEntropyGrad(Arguments& a) {
  const int64_t B = a.sizeOrZero("batch"), K = a.size("classes");
  const float dy = (float)a.number("dy");
  const float* logits = a.floats("logits", elements({B, K}));
  const Labels target = labels(a, B, K);
  const double smoothing = a.number("labelSmoothing");
  float* dLogits = a.floats("dLogits", elements({B, K}));
  kernels().crossEntropyBackward(B, K, dy, logits, target.classes, target.probabilities, smoothing, dLogits);
  return nullptr;
}

napi_value gradNorm(Arguments& a) {
  std::vector<int64_t> sizes;
  const std::vector<float*> gradients = a.floatArrays("gradients", sizes);
  double sum = 0;
  for (size_t i = 0; i < gradients.size(); i++) sum += kernels().sumOfSquares(sizes[i], gradients[i]);
  return toJs(a.env(), std::sqrt(sum));
}

napi_value unscale(Arguments& a) {
  std::vector<int64_t> sizes;
  const std::vector<float*> gradients = a.floatArrays("gradients", sizes);
  const double scale = a.number("scale");
  const std::vector<float*> outputs = a.floatArraysOf("outputs", sizes);
  bool finite = true;
  for (size_t i = 0; i < gradients.size(); i++)
    finite &= kernels().unscaleGradient(sizes[i], gradients[i], scale, outputs[i]);
  napi_value result;
  check(napi_get_boolean(a.env(), finite, &result));
  return result;
}

napi_value adamStep(Arguments& a) {
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

napi_value sgdStep(Arguments& a) {
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

napi_value lionStep(Arguments& a) {
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

static napi_value binary(Arguments& a, BinaryOperation* operation) {
  const int64_t n = a.sizeOrZero("size");
  const float* left = a.floats("a", n);
  const float* right = a.floats("b", n);
  operation(n, left, right, a.floats("output", n));
  return nullptr;
}

napi_value add(Arguments& a) { return binary(a, kernels().add); }
napi_value subtract(Arguments& a) { return binary(a, kernels().subtract); }
napi_value multiply(Arguments& a) { return binary(a, kernels().multiply); }

napi_value softmax(Arguments& a) {
  const int64_t M = a.size("rows"), n = a.size("columns");
  const float* x = a.floats("x", elements({M, n}));
  kernels().softmaxRows(M, n, x, a.floats("output", elements({M, n})));
  return nullptr;
}

// batch products of [M, K] (or its transpose [K, M]) with [K, N] (or [N, K]).
napi_value matMul(Arguments& a) {
  const int64_t batch = a.size("batch"), M = a.size("rows"), N = a.size("columns"), K = a.size("inner");
  const float* left = a.floats("a", elements({batch, M, K}));
  const bool leftTransposed = a.flag("transposeA");
  const float* right = a.floats("b", elements({batch, K, N}));
  const bool rightTransposed = a.flag("transposeB");
  float* out = a.floats("output", elements({batch, M, N}));
  for (int64_t i = 0; i < batch; i++) {
    const MatrixView A = {left + i * M * K, leftTransposed ? 1 : K, leftTransposed ? M : 1};
    const MatrixView B = {right + i * K * N, rightTransposed ? 1 : N, rightTransposed ? K : 1};
    kernels().gemm(M, N, K, A, B, out + i * M * N, N, {}, Precision::float32);
  }
  return nullptr;
}

}  // namespace vitral::exported
