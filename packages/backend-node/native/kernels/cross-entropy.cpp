// The logits are few, so this is plain double arithmetic.
#include "cross-entropy.h"

#include <cmath>

namespace vitral::VITRAL_ISA {

namespace {

struct Target {
  int64_t K;
  const int32_t* classes;
  const float* probabilities;
  double smoothing;
  double operator()(int64_t b, int64_t k) const {
    const double label = classes ? (classes[b] == k ? 1 : 0) : probabilities[b * K + k];
    return (1 - smoothing) * label + smoothing / (double)K;
  }
};

double logSumExp(int64_t K, const float* row) {
  double largest = row[0];
  for (int64_t k = 1; k < K; k++) largest = row[k] > largest ? row[k] : largest;
  double sum = 0;
  for (int64_t k = 0; k < K; k++) sum += std::exp(row[k] - largest);
  return largest + std::log(sum);
}

}  // namespace

double crossEntropyForward(int64_t B, int64_t K, const float* logits, const int32_t* classes,
                           const float* probabilities, double labelSmoothing) {
  const Target target = {K, classes, probabilities, labelSmoothing};
  double loss = 0;
  for (int64_t b = 0; b < B; b++) {
    const float* row = logits + b * K;
    const double partition = logSumExp(K, row);
    for (int64_t k = 0; k < K; k++) {
      const double weight = target(b, k);
      if (weight != 0) loss += weight * (partition - row[k]);
    }
  }
  return B ? loss / (double)B : 0;
}

void crossEntropyBackward(int64_t B, int64_t K, float dy, const float* logits, const int32_t* classes,
                          const float* probabilities, double labelSmoothing, float* dLogits) {
  const Target target = {K, classes, probabilities, labelSmoothing};
  for (int64_t b = 0; b < B; b++) {
    const float* row = logits + b * K;
    const double partition = logSumExp(K, row);
    double total = 0;  // of the target: 1, but for soft labels that do not add up
    for (int64_t k = 0; k < K; k++) total += target(b, k);
    for (int64_t k = 0; k < K; k++)
      dLogits[b * K + k] = (float)((std::exp(row[k] - partition) * total - target(b, k)) * dy / (double)B);
  }
}

}  // namespace vitral::VITRAL_ISA
