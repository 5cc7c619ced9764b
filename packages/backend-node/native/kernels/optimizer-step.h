// The update of one parameter of n elements by each optimizer.
#pragma once

#include <cstdint>

namespace vitral {

// Each gradient is multiplied by gradientScale first, and then brought within ±gradientLimit, which may be infinite.
struct AdamOptions {
  double lr, beta1, beta2, eps, weightDecay, gradientScale, gradientLimit;
  int64_t step;    // 1 for the first
  bool decoupled;  // weight decay apart from the gradient (AdamW)
};
// In place: parameter, first and second moment.
using AdamStep = void(int64_t n, const AdamOptions& options, const float* gradient, float* parameter, float* first,
                      float* second);

struct SgdOptions {
  double lr, momentum, weightDecay, gradientScale, gradientLimit;
  int64_t step;
  bool nesterov;
};
// In place: parameter, and velocity, which is null without momentum.
using SgdStep = void(int64_t n, const SgdOptions& options, const float* gradient, float* parameter, float* velocity);

struct LionOptions {
  double lr, beta1, beta2, weightDecay, gradientScale, gradientLimit;
};
// In place: parameter, and the gradients' average.
using LionStep = void(int64_t n, const LionOptions& options, const float* gradient, float* parameter, float* average);

#ifdef VITRAL_ISA
namespace VITRAL_ISA {
AdamStep adamStep;
SgdStep sgdStep;
LionStep lionStep;
}  // namespace VITRAL_ISA
#endif

}  // namespace vitral
