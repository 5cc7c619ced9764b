#include "operation.h"

namespace vitral {

bool Operation::operator==(const Operation& other) const {
  return kind == other.kind && size == other.size && root == other.root && number == other.number;
}

std::string Operation::text() const {
  const std::string amount = std::to_string(size);
  switch (kind) {
    case allReduce: return "allReduce of " + amount + " floats";
    case broadcast: return "broadcast of " + amount + " bytes from rank " + std::to_string(root);
    case allGather: return "allGather of " + amount + " bytes";
    default: return "barrier";
  }
}

std::string Operation::numbered() const { return text() + " (operation " + std::to_string(number) + ")"; }

std::string differenceOf(const std::vector<Operation>& byRank) {
  for (size_t of = 1; of < byRank.size(); of++)
    if (!(byRank[of] == byRank[0]))
      return "the ranks differ in what they do: rank 0 began " + byRank[0].text() + ", rank " + std::to_string(of) +
             " " + byRank[of].text();
  return "";
}

}  // namespace vitral
