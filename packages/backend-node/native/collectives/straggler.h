// What is said of ranks that are late, and may yet come: long before the timeout fails the operation, whoever watches
// the run learns for whom it waits.
#pragma once

#include <chrono>
#include <cstdio>
#include <string>

namespace vitral {

inline std::chrono::milliseconds lateAfter(std::chrono::milliseconds timeout) { return timeout / 10; }

// On standard error, once in an operation, and by the first of the ranks that wait.
inline void sayLate(const std::string& operation, int rank, const std::string& missing,
                    std::chrono::milliseconds waited) {
  std::fprintf(stderr, "vitral: %s has waited on rank %d for %.1f s: %s\n", operation.c_str(), rank,
               (double)waited.count() / 1000, missing.c_str());
}

}  // namespace vitral
