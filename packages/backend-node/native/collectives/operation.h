// What a process is about to do with the others; all must be about to do the same.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vitral {

struct Operation {
  enum Kind : uint64_t { allReduce, broadcast, allGather, barrier };
  uint64_t kind, size, root, number;
  bool operator==(const Operation& other) const;
  std::string text() const;      // "allReduce of 10 floats"
  std::string numbered() const;  // "allReduce of 10 floats (operation 3)"
};

// What is wrong with what the ranks are about to do; nothing where it is the same.
std::string differenceOf(const std::vector<Operation>& byRank);

}  // namespace vitral
