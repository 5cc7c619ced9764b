#include "attention.h"
#include "../random.h"
#include "../threads.h"
namespace vitral::VITRAL_ISA {
void attentionForward(int64_t B, int64_t N, int64_t H, int64_t D, const float* qkv, float scale, double p, uint32_t seed, float* out, float* lse) {
  const int64_t C = H * D;
  const KeepMultiplier keep(p, seed);
  for (int64_t b = 0; b < B; b++) for (int64_t h = 0; h < H; h++) for (int64_t i = 0; i < N; i++) {
    float* s = scratch(Scratch::attention, N);
    const float* q = qkv + (b * N + i) * 3 * C + h * D;
    float top = -INFINITY, sum = 0;
    for (int64_t j = 0; j < N; j++) {
      const float* k = qkv + (b * N + j) * 3 * C + C + h * D;
      float dot = 0;
      for (int64_t d = 0; d < D; d++) dot += q[d] * k[d];
      s[j] = dot * scale;
      if (s[j] > top) top = s[j];
    }
    for (int64_t j = 0; j < N; j++) sum += s[j] = expf(s[j] - top);
    if (lse) lse[(b * H + h) * N + i] = top + logf(sum);
    float* o = out + (b * N + i) * C + h * D;
    for (int64_t d = 0; d < D; d++) o[d] = 0;
    for (int64_t j = 0; j < N; j++) {
      const float w = s[j] / sum * (p > 0 ? keep((uint32_t)(((b * H + h) * N + i) * N + j)) : 1.0f);
      for (int64_t d = 0; d < D; d++) o[d] += w * qkv[(b * N + j) * 3 * C + 2 * C + h * D + d];
    }
  }
}
void attentionBackward(int64_t B, int64_t N, int64_t H, int64_t D, const float* qkv, const float* out, const float* dOut, const float* lse, float scale, double p, uint32_t seed, float* dQkv) {
  const int64_t C = H * D;
  const KeepMultiplier keep(p, seed);
  memset(dQkv, 0, B * N * 3 * C * 4);
  for (int64_t b = 0; b < B; b++) for (int64_t h = 0; h < H; h++) for (int64_t i = 0; i < N; i++) {
    const int64_t qi = (b * N + i) * 3 * C + h * D, oi = (b * N + i) * C + h * D;
    float total = 0;
    for (int64_t d = 0; d < D; d++) total += out[oi + d] * dOut[oi + d];
    for (int64_t j = 0; j < N; j++) {
      const int64_t kj = (b * N + j) * 3 * C + C + h * D, vj = kj + C;
      float dot = 0, dP = 0;
      for (int64_t d = 0; d < D; d++) dot += qkv[qi + d] * qkv[kj + d], dP += dOut[oi + d] * qkv[vj + d];
      const float P = expf(dot * scale - lse[(b * H + h) * N + i]);
      const float m = p > 0 ? keep((uint32_t)(((b * H + h) * N + i) * N + j)) : 1.0f;
      const float dS = P * (dP * m - total) * scale;
      for (int64_t d = 0; d < D; d++) {
        dQkv[vj + d] += P * m * dOut[oi + d];
        dQkv[qi + d] += dS * qkv[kj + d];
        dQkv[kj + d] += dS * qkv[qi + d];
      }
    }
  }
}
}
