#include "optimizer-step.h"

#include "../runtime/lanes.h"
#include "blocks.h"

namespace vitral::VITRAL_ISA {

namespace {
// NaN stays NaN.
VITRAL_INLINE Vf limited(Vf gradient, float limit) {
  return select(gradient > limit, splat(limit), select(gradient < -limit, splat(-limit), gradient));
}
}  // namespace

void adamStep(int64_t n, const AdamOptions& o, const float* gradient, float* parameter, float* first, float* second) {
  const double correction1 = 1 - std::pow(o.beta1, (double)o.step);
  const double correction2 = 1 - std::pow(o.beta2, (double)o.step);
  const float rate = (float)(o.lr / correction1), rootScale = (float)(1 / std::sqrt(correction2));
  const float shrink = o.decoupled ? (float)(1 - o.lr * o.weightDecay) : 1.0f;
  const float l2 = o.decoupled ? 0.0f : (float)o.weightDecay;
  const float beta1 = (float)o.beta1, keep1 = (float)(1 - o.beta1), beta2 = (float)o.beta2,
              keep2 = (float)(1 - o.beta2);
  const float eps = (float)o.eps, scale = (float)o.gradientScale, limit = (float)o.gradientLimit;
  eachBlock(n, [&](int64_t, int64_t from, int64_t to) {
    eachOfRow(to - from, [&](int64_t offset, int64_t count) {
      const int64_t i = from + offset;
      const Vf p = loadSome(parameter + i, count);
      const Vf g = limited(loadSome(gradient + i, count) * scale, limit) + p * l2;
      const Vf m = loadSome(first + i, count) * beta1 + g * keep1;
      const Vf v = loadSome(second + i, count) * beta2 + g * g * keep2;
      storeSome(first + i, m, count);
      storeSome(second + i, v, count);
      storeSome(parameter + i, p * shrink - rate * (m / (sqrt(v) * rootScale + eps)), count);
    });
  });
}

void sgdStep(int64_t n, const SgdOptions& o, const float* gradient, float* parameter, float* velocity) {
  const float lr = (float)o.lr, momentum = (float)o.momentum, decay = (float)o.weightDecay;
  const float scale = (float)o.gradientScale, limit = (float)o.gradientLimit;
  const float kept = o.step == 1 ? 0.0f : momentum;  // the first velocity is the gradient itself
  eachBlock(n, [&](int64_t, int64_t from, int64_t to) {
    eachOfRow(to - from, [&](int64_t offset, int64_t count) {
      const int64_t i = from + offset;
      const Vf p = loadSome(parameter + i, count);
      const Vf g = limited(loadSome(gradient + i, count) * scale, limit) + p * decay;
      Vf change = g;
      if (velocity) {
        const Vf moved = loadSome(velocity + i, count) * kept + g;
        storeSome(velocity + i, moved, count);
        change = o.nesterov ? g + moved * momentum : moved;
      }
      storeSome(parameter + i, p - change * lr, count);
    });
  });
}

void lionStep(int64_t n, const LionOptions& o, const float* gradient, float* parameter, float* average) {
  const float lr = (float)o.lr, shrink = (float)(1 - o.lr * o.weightDecay);
  const float beta1 = (float)o.beta1, keep1 = (float)(1 - o.beta1), beta2 = (float)o.beta2,
              keep2 = (float)(1 - o.beta2);
  const float scale = (float)o.gradientScale, limit = (float)o.gradientLimit;
  eachBlock(n, [&](int64_t, int64_t from, int64_t to) {
    eachOfRow(to - from, [&](int64_t offset, int64_t count) {
      const int64_t i = from + offset;
      const Vf g = limited(loadSome(gradient + i, count) * scale, limit), m = loadSome(average + i, count);
      const Vf blend = m * beta1 + g * keep1;
      const Vf sign =
          select(blend > 0.0f, splat(1.0f), select(blend < 0.0f, splat(-1.0f), blend));  // of 0 and NaN itself
      storeSome(average + i, m * beta2 + g * keep2, count);
      storeSome(parameter + i, loadSome(parameter + i, count) * shrink - sign * lr, count);
    });
  });
}

}  // namespace vitral::VITRAL_ISA
