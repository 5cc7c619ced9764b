// Membership in a job of a thread pool, in one atomic word: joining and closing change the same word, so a
// worker that comes late finds the job closed and touches nothing of it.
#pragma once

#include <atomic>
#include <cstdint>

namespace vitral {

class JobState {
 public:
  // Bit 0 is set while there may be tasks that nobody has claimed; bits 1-15 count the workers that joined, the rest
  // counts the jobs of this place.
  static bool isOpen(uint64_t word) { return word & open_; }
  static int joined(uint64_t word) { return (int)((word & joinedMask_) / joinedUnit_); }

  uint64_t load() const { return word_.load(std::memory_order_acquire); }

  // For the caller, once everything else of the job is written.
  void open() {
    const uint64_t before = word_.load(std::memory_order_relaxed);
    word_.store((before & ~(jobUnit_ - 1)) + jobUnit_ + open_, std::memory_order_release);
  }
  // Joins what was loaded as `seen`; false where that has changed since, which `seen` then tells.
  bool join(uint64_t& seen) {
    return word_.compare_exchange_strong(seen, seen + joinedUnit_, std::memory_order_acq_rel);
  }
  // For whoever finds no task left.
  void close() {
    if (word_.load(std::memory_order_relaxed) & open_) word_.fetch_and(~open_, std::memory_order_acq_rel);
  }
  // How many have joined, and nobody does from now on.
  int closeForAll() { return joined(word_.fetch_and(~open_, std::memory_order_acq_rel)); }

 private:
  static constexpr uint64_t open_ = 1, joinedUnit_ = 2, joinedMask_ = 0xfffe, jobUnit_ = 0x10000;
  std::atomic<uint64_t> word_{0};
};

}  // namespace vitral
