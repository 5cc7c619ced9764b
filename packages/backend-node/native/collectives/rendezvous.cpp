// How the processes of a run find each other: in a file of /dev/shm that the first one makes and that is removed as
// soon as all have come, so that nothing stays of a run however it ends. What a run leaves that was killed before that
// is removed by the next one of this user, since no process holds a lock in it.
//
// Whoever looks at the file or changes it holds its flock meanwhile. Rank 0 holds a socket of the abstract namespace
// for the life of the run: the name by which a second run of the same id is told that there is one.
#if defined(__linux__)
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <new>
#include <stdexcept>
#include <thread>

#include "segment-file.h"
#include "segment.h"

namespace vitral {

namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void failSystem(const std::string& what) { throw std::runtime_error(what + ": " + std::strerror(errno)); }

}  // namespace

class Rendezvous {
 public:
  Rendezvous(const LocalOptions& options, const std::atomic<bool>& interrupted)
      : options_(options),
        interrupted_(interrupted),
        path_("/dev/shm/" + options.name),
        deadline_(Clock::now() + std::chrono::milliseconds(options.timeoutMilliseconds)) {}

  Segment connect() {
    enter();
    waitForAll();
    return std::move(segment_);
  }

 private:
  // Finds or makes the file, and takes the place of this rank in it.
  void enter() {
    for (;;) {
      open();
      if (!isCurrent(segment_.file_, path_)) continue;  // removed before its lock was ours
      if (!anyoneThere(segment_.file_)) {
        // New, or left by processes that were killed: those may have been anywhere in it.
        if (fileBytes() > 0) {
          unlink(path_.c_str());
          continue;
        }
        // Rank 0 of a run that is complete has the name still, and of one that is not would be in the file.
        close(takeName());
        make();
        removeLeftSegments(options_.name.substr(0, options_.name.rfind('-') + 1));
      }
      map();
      takePlace();
      flock(segment_.file_, LOCK_UN);
      return;
    }
  }

  void open() {
    if (segment_.file_ >= 0) close(segment_.file_);
    segment_.file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (segment_.file_ < 0) failSystem("Cannot open " + path_);
    // Another user could read and write what this run sums.
    if (opened().st_uid != geteuid()) refuse(path_ + " is of another user; choose another id (MASTER_PORT)");
    lockFile();
  }

  void lockFile() {
    const Clock::time_point patience = std::max(deadline_, Clock::now() + std::chrono::seconds(1));
    while (flock(segment_.file_, LOCK_EX | LOCK_NB)) {
      if (errno != EWOULDBLOCK && errno != EINTR) failSystem("Cannot lock " + path_);
      if (Clock::now() > patience) refuse("a process that does not answer holds " + path_);
      if (interrupted_) refuse("connecting was interrupted");
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }

  struct stat opened() const {
    struct stat opened = {};
    if (fstat(segment_.file_, &opened)) failSystem("Cannot look at " + path_);
    return opened;
  }

  size_t fileBytes() const { return (size_t)opened().st_size; }

  void make() {
    const size_t chunk = Segment::chunkBytesFor(options_.worldSize);
    const size_t bytes = Segment::bytesOf(options_.worldSize, chunk);
    // Every page now: a full file system would otherwise kill the process that first writes one.
    if (const int error = posix_fallocate(segment_.file_, 0, (off_t)bytes)) {
      unlink(path_.c_str());
      errno = error;
      failSystem("/dev/shm has no " + std::to_string(bytes >> 20) + " MB left for what the processes share");
    }
    void* memory = mmap(nullptr, sizeof(SegmentHeader), PROT_READ | PROT_WRITE, MAP_SHARED, segment_.file_, 0);
    if (memory == MAP_FAILED) failSystem("Cannot map " + path_);
    SegmentHeader* header = new (memory) SegmentHeader{};
    header->worldSize = options_.worldSize;
    header->chunkBytes = chunk;
    header->layout.store(SegmentHeader::currentLayout);
    munmap(memory, sizeof(SegmentHeader));
  }

  void map() {
    const size_t bytes = fileBytes();
    void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, segment_.file_, 0);
    if (memory == MAP_FAILED) failSystem("Cannot map " + path_);
    // Only now, so that no failure before this looks at an unmapped one.
    segment_.memory_ = static_cast<uint8_t*>(memory);
    segment_.bytes_ = bytes;
    segment_.rank = options_.rank;
    const SegmentHeader& header = segment_.header();
    if (header.layout.load() != SegmentHeader::currentLayout)
      refuse("it was begun by another version of the native addon");
    if (header.worldSize != options_.worldSize)
      refuse("its world size is " + std::to_string(header.worldSize) + ", and here it is " +
             std::to_string(options_.worldSize));
    segment_.worldSize = header.worldSize;
  }

  void takePlace() {
    Member& self = segment_.own();
    for (int of = 0; of < options_.worldSize; of++) {
      const Member& other = segment_.member(of);
      if (of == options_.rank || other.state.load() != Member::attached || other.token == options_.token) continue;
      refuse(segment_.describe(of) + " has '" + other.token + "', and here it is '" + options_.token + "'");
    }
    struct flock lock = lockOf(options_.rank);
    if (fcntl(segment_.file_, F_OFD_SETLK, &lock))
      refuse(segment_.describe(options_.rank) + " is there already: another run has this id, or two have this rank");
    segment_.joined_ = true;
    if (options_.rank == 0) segment_.socket_ = takeName();
    self.pid = getpid();
    std::strncpy(self.token, options_.token.c_str(), Member::tokenBytes - 1);
    self.state.store(Member::attached);
    if (!missing().reason.empty()) return;
    unlink(path_.c_str());
    segment_.header().outcome.store(SegmentHeader::complete);
    futexWake(segment_.header().outcome);
  }

  // The ranks that have not come, for a message, and the first of them; empty when all have.
  Failure missing() const {
    Failure list;
    for (int of = 0; of < options_.worldSize; of++) {
      if (segment_.member(of).state.load() == Member::attached) continue;
      list.reason += (list.reason.empty() ? "" : ", ") + std::to_string(of);
      if (list.waitedFor == Failure::nobody) list.waitedFor = of;
    }
    return list;
  }

  void waitForAll() {
    std::atomic<uint32_t>& outcome = segment_.header().outcome;
    while (outcome.load() == SegmentHeader::waiting) {
      futexWait(outcome, SegmentHeader::waiting, lookAfterOthersEvery);
      for (int of = 0; of < options_.worldSize; of++)
        if (segment_.member(of).state.load() == Member::attached && !segment_.alive(of))
          giveUp({segment_.describe(of) + " has died while the others were coming", of});
      if (interrupted_) giveUp({"connecting was interrupted"});
      if (Clock::now() > deadline_) {
        const auto [list, first] = missing();
        giveUp({"of " + std::to_string(options_.worldSize) + " ranks, these have not come within " +
                    std::to_string(options_.timeoutMilliseconds) + " ms: " + list,
                first});
      }
    }
    for (int of = 0; of < options_.worldSize && outcome.load() == SegmentHeader::givenUp; of++)
      if (const Member& member = segment_.member(of); member.state.load() == Member::failed)
        refuse(member.reason, member.waitedFor);
  }

  // For all who have come, unless the last one has just done so or another has given up before.
  void giveUp(const Failure& why) {
    lockFile();
    if (segment_.header().outcome.load() == SegmentHeader::waiting) {
      unlink(path_.c_str());
      segment_.fail(why);
      segment_.header().outcome.store(SegmentHeader::givenUp);
      futexWake(segment_.header().outcome);
    }
    flock(segment_.file_, LOCK_UN);
  }

  [[noreturn]] void refuse(const std::string& why, int waitedFor = Failure::nobody) const {
    throw CollectivesError(
        "rank " + std::to_string(options_.rank) + " cannot join the run '" + options_.id + "': " + why, waitedFor);
  }

  // Takes the abstract address of the run for as long as the socket is open.
  int takeName() const {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    options_.name.copy(address.sun_path + 1, sizeof address.sun_path - 1);  // after a 0: in no folder
    const socklen_t length = (socklen_t)(offsetof(sockaddr_un, sun_path) + 1 + options_.name.size());
    const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (socket < 0) failSystem("Cannot open a socket");
    if (bind(socket, reinterpret_cast<sockaddr*>(&address), length) == 0) return socket;
    const bool taken = errno == EADDRINUSE;
    close(socket);
    unlink(path_.c_str());
    if (!taken) failSystem("Cannot take the name " + options_.name);
    refuse("a run of this id is going on on this machine; end it, or choose another id (MASTER_PORT)");
  }

  const LocalOptions& options_;
  const std::atomic<bool>& interrupted_;
  const std::string path_;
  const Clock::time_point deadline_;
  Segment segment_;
};

Segment Segment::connect(const LocalOptions& options, const std::atomic<bool>& interrupted) {
  return Rendezvous(options, interrupted).connect();
}

}  // namespace vitral
#endif
