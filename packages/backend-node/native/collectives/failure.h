// Why what processes do together failed, and for want of which of them: whoever started them asks that one first.
#pragma once

#include <stdexcept>
#include <string>

namespace vitral {

struct Failure {
  static constexpr int nobody = -1;
  std::string reason;
  int waitedFor = nobody;  // the rank that has ended, failed or not come; of several the first
};

class CollectivesError : public std::runtime_error {
 public:
  CollectivesError(const std::string& message, int rank) : std::runtime_error(message), waitedFor(rank) {}
  const int waitedFor;
};

inline int waitedForIn(const std::exception& error) {
  const auto* known = dynamic_cast<const CollectivesError*>(&error);
  return known ? known->waitedFor : Failure::nobody;
}

}  // namespace vitral
