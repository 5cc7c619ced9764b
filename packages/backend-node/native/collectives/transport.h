// What carries collectives between processes: shared memory, or an installed MPI. Every call blocks the one thread that
// makes them, in the same order in every process, and throws std::runtime_error naming the rank and the operation when a
// process has died or is later than the timeout.
#pragma once
#include <cstddef>
#include <string>

namespace vitral {

struct Transport {
  virtual ~Transport() = default;
  // Sums over the ranks, in place, in the order of the ranks: the same bits everywhere.
  virtual void allReduce(float* values, size_t count) = 0;
  virtual void broadcast(void* bytes, size_t size, int root) = 0;
  // Everyone's bytes, of equal sizes, into all, by rank.
  virtual void allGather(const void* bytes, size_t size, void* all) = 0;
  virtual void barrier() = 0;
  // Before its end: tells the others why this rank ends, which they are told in place of what they wait for.
  virtual void leave(const std::string& reason) = 0;
};

}  // namespace vitral
