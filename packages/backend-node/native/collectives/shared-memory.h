// Collectives of the processes of one Linux machine, through memory they share. Arrays of any length pass through it in
// chunks; a sum is divided among the ranks, each of which adds its slice of the chunk over all ranks in their order.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

#include "segment.h"
#include "transport.h"

namespace vitral {

class SharedMemory : public Transport {
 public:
  // `interrupted`, set by another thread, ends whatever waits.
  SharedMemory(const LocalOptions& options, const std::atomic<bool>& interrupted);

  void allReduce(float* values, size_t count) override;
  void broadcast(void* bytes, size_t size, int root) override;
  void allGather(const void* bytes, size_t size, void* all) override;
  void agree(const Operation& operation) override;
  std::optional<Failure> whoHasEnded() override;
  bool isAtOnce(size_t size) const override;
  void leave(const Failure& failure) override;

 private:
  using Clock = std::chrono::steady_clock;

  void begin(uint64_t kind, size_t size, uint64_t root = 0);
  void agree();
  void meet();
  void waitFor(int of, Clock::time_point deadline);
  bool hasCome(int of, uint32_t further = 0) const;  // to this meeting, or to one after it
  bool haveOthersCome(uint32_t further = 0) const;
  bool isShort(size_t size) const;
  void lookAfterOthers();
  void tellOfLate(int of, Clock::time_point deadline);
  [[noreturn]] void fail(const Failure& failure);
  Operation& posted(int of) const { return segment_.member(of).operations[number_ % 2]; }
  void giveOthers(const float* values, size_t count);
  void sumSlice(float* values, size_t count);

  Segment segment_;
  const std::atomic<bool>& interrupted_;
  const int64_t timeout_;    // milliseconds
  uint64_t number_ = 0;      // of the operation
  uint64_t toldOfLate_ = 0;  // that one in which another was late
  uint32_t meeting_ = 0;     // that this rank came to last
  size_t turn_ = 0;          // which of its two buffers a chunk takes
};

// Throws on other systems than Linux.
std::unique_ptr<Transport> connectLocal(const LocalOptions& options, const std::atomic<bool>& interrupted);

}  // namespace vitral
