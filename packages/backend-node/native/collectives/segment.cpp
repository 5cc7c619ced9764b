#if defined(__linux__)
#include "segment.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstring>
#include <ctime>
#include <utility>

namespace vitral {

static_assert(std::atomic<uint32_t>::is_always_lock_free && sizeof(std::atomic<uint32_t>) == 4,
              "futexes are plain words");

Segment::Segment(Segment&& other) noexcept
    : rank(other.rank),
      worldSize(other.worldSize),
      memory_(std::exchange(other.memory_, nullptr)),
      bytes_(other.bytes_),
      file_(std::exchange(other.file_, -1)),
      socket_(std::exchange(other.socket_, -1)),
      joined_(other.joined_) {}

Segment::~Segment() {
  if (memory_ && joined_) {
    uint32_t attached = Member::attached;
    own().state.compare_exchange_strong(attached, Member::closed);
    futexWake(own().meetings);
  }
  if (memory_) munmap(memory_, bytes_);
  if (file_ >= 0) close(file_);
  if (socket_ >= 0) close(socket_);
}

size_t Segment::membersBytes(int worldSize) {
  constexpr size_t page = 4096;
  return (headerBytes + (size_t)worldSize * sizeof(Member) + page - 1) / page * page;
}

// Each costs a meeting, for which a thread may have to wait until a processor is free; larger ones leave the
// second-level cache between being written and read. Many ranks share 32 MB.
size_t Segment::chunkBytesFor(int worldSize) {
  constexpr size_t page = 4096, largest = 1 << 20, all = 32 << 20;
  return std::max(page, std::min(largest, all / (2 * ((size_t)worldSize + 1)) / page * page));
}

size_t Segment::bytesOf(int worldSize, size_t chunkBytes) {
  return membersBytes(worldSize) + 2 * ((size_t)worldSize + 1) * chunkBytes;
}

bool Segment::alive(int of) const {
  if (of == rank) return true;
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = of;
  lock.l_len = 1;
  // Where the kernel cannot tell, the timeout will.
  return fcntl(file_, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

std::string Segment::describe(int of) const {
  return "rank " + std::to_string(of) + " (process " + std::to_string(member(of).pid) + ")";
}

void Segment::fail(const Failure& failure) {
  Member& self = own();
  std::strncpy(self.reason, failure.reason.c_str(), Member::reasonBytes - 1);
  self.waitedFor = failure.waitedFor;
  self.state.store(Member::failed);
  futexWake(self.meetings);
}

void futexWait(std::atomic<uint32_t>& word, uint32_t seen, int64_t milliseconds) {
  const timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
  syscall(SYS_futex, &word, FUTEX_WAIT, seen, &time, nullptr, 0);
}

void futexWake(std::atomic<uint32_t>& word) { syscall(SYS_futex, &word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0); }

}  // namespace vitral
#endif
