// cross-entropy. B images, K classes.
#include <string>

#include "../kernels/dispatch.h"
#include "exports.h"

namespace vitral::exported {

namespace {
struct Labels {
  const int32_t* classes;
  const float* probabilities;
};
Labels labels(Arguments& a, int64_t B, int64_t K) {
  const Labels both = {a.intsOrNull("labels", B), a.floatsOrNull("probabilities", elements({B, K}))};
  if (B > 0 && !both.classes == !both.probabilities) throwArgumentError("expected either labels or probabilities");
  for (int64_t b = 0; both.classes && b < B; b++)
    if (both.classes[b] < 0 || both.classes[b] >= K)
      throwArgumentError("label " + decimal(both.classes[b]) + " of image " + decimal(b) +
                         " is not a class index from 0 to " + decimal(K - 1));
  return both;
}
}  // namespace

JsValue crossEntropy(Arguments& a) {
  const int64_t B = a.sizeOrZero("batch"), K = a.size("classes");
  const float* logits = a.floats("logits", elements({B, K}));
  const Labels target = labels(a, B, K);
  const double smoothing = a.number("labelSmoothing");
  return a.answer(kernels().crossEntropyForward(B, K, logits, target.classes, target.probabilities, smoothing));
}

JsValue crossEntropyGrad(Arguments& a) {
  const int64_t B = a.sizeOrZero("batch"), K = a.size("classes");
  const float dy = (float)a.number("dy");
  const float* logits = a.floats("logits", elements({B, K}));
  const Labels target = labels(a, B, K);
  const double smoothing = a.number("labelSmoothing");
  float* dLogits = a.floats("dLogits", elements({B, K}));
  kernels().crossEntropyBackward(B, K, dy, logits, target.classes, target.probabilities, smoothing, dLogits);
  return nullptr;
}

}  // namespace vitral::exported
