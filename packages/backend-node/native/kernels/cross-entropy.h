// Mean cross-entropy of softmax(logits) against the labels. B images, K classes.
// The target of an image is (1 - labelSmoothing)·label + labelSmoothing/K.
#pragma once

#include <cstdint>

namespace vitral {

// Labels are class indices [B], or probabilities [B, K]: one of the two pointers is null. Returns the loss.
using CrossEntropyForward = double(int64_t B, int64_t K, const float* logits, const int32_t* classes,
                                   const float* probabilities, double labelSmoothing);
using CrossEntropyBackward = void(int64_t B, int64_t K, float dy, const float* logits, const int32_t* classes,
                                  const float* probabilities, double labelSmoothing, float* dLogits);

#ifdef VITRAL_ISA
namespace VITRAL_ISA {
CrossEntropyForward crossEntropyForward;
CrossEntropyBackward crossEntropyBackward;
}  // namespace VITRAL_ISA
#endif

}  // namespace vitral
