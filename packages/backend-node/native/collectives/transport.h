// What carries collectives between processes: shared memory, an installed MPI, or NCCL beside one of them. Every call
// blocks the one thread that makes them, in the same order in every process, and throws CollectivesError naming the
// rank and the operation when a process has died or is later than the timeout.
#pragma once
#include <cstddef>
#include <optional>

#include "failure.h"
#include "operation.h"

namespace vitral {

struct Transport {
  virtual ~Transport() = default;
  // Sums over the ranks, in place, the same bits everywhere; in the order of the ranks, but for NCCL.
  virtual void allReduce(float* values, size_t count) = 0;
  virtual void broadcast(void* bytes, size_t size, int root) = 0;
  // Everyone's bytes, of equal sizes, into all, by rank.
  virtual void allGather(const void* bytes, size_t size, void* all) = 0;
  // Comes together with the others, which must be about to do the same; the operation's number is the transport's to
  // give.
  virtual void agree(const Operation& operation) = 0;
  void barrier() { agree({Operation::barrier, 0, 0, 0}); }
  // What there is to say of another that has died or failed, at once; nothing where none is known to have.
  virtual std::optional<Failure> whoHasEnded() = 0;
  // Whether an operation on so many bytes would be short and wait for nobody, because all others have come to it.
  virtual bool isAtOnce(size_t) const { return false; }
  // Before its end: tells the others why this rank ends, and for want of whom if not by its own fault, which they are
  // told in place of what they wait for.
  virtual void leave(const Failure& failure) = 0;
};

}  // namespace vitral
