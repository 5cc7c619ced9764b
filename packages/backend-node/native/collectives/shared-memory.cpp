// Each chunk has one meeting of all ranks. A rank that leaves a meeting may at once write the other of its two buffers:
// who reads that one comes to the meeting only after. So nobody overwrites what another still reads, with half the
// meetings that one buffer would need.
#include "shared-memory.h"

#if defined(__linux__)
#include <sched.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <utility>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "rank-order.h"
#include "straggler.h"

namespace vitral {

namespace {

// The processors are the kernels', which compute meanwhile; but to be woken takes longer than a short sum.
constexpr int spinsBeforeYield = 200;
constexpr auto keenFor = std::chrono::microseconds(100);
// Where another thread has run meanwhile there is no processor to spare: who sleeps lets it go on, and is woken before
// it.
constexpr auto idleYield = std::chrono::microseconds(20);

// A sum of so many bytes is sooner added up by everyone than divided among them, which takes a second meeting.
constexpr size_t shortBytes = 16384;

void relax() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

SharedMemory::SharedMemory(const LocalOptions& options, const std::atomic<bool>& interrupted)
    : segment_(Segment::connect(options, interrupted)),
      interrupted_(interrupted),
      timeout_(options.timeoutMilliseconds) {}

void SharedMemory::allReduce(float* values, size_t count) {
  begin(Operation::allReduce, count);
  const int rank = segment_.rank, worldSize = segment_.worldSize;
  if (worldSize == 1 || count == 0) return agree();
  if (isShort(count * sizeof(float))) {
    std::memcpy(segment_.given(rank, turn_), values, count * sizeof(float));
    agree();
    std::vector<const float*> sources;
    for (int of = 0; of < worldSize; of++) sources.push_back((const float*)segment_.given(of, turn_));
    sumInOrder(sources, count, values);
    turn_++;
    return;
  }
  const size_t chunk = segment_.chunkBytes() / sizeof(float);
  const auto lengthAt = [&](size_t from) { return from < count ? std::min(chunk, count - from) : 0; };
  giveOthers(values, lengthAt(0));
  agree();
  for (size_t from = 0; from < count; from += chunk) {
    float* part = values + from;
    const size_t length = lengthAt(from);
    sumSlice(part, length);
    const size_t turn = turn_++;
    giveOthers(part + length, lengthAt(from + chunk));
    meet();
    const float* result = (const float*)segment_.result(turn);
    const Slice own(length, rank, worldSize);
    std::memcpy(part, result, own.from * sizeof(float));
    std::memcpy(part + own.to, result + own.to, (length - own.to) * sizeof(float));
  }
}

bool SharedMemory::isShort(size_t size) const { return size <= std::min(shortBytes, segment_.chunkBytes()); }

// All but the slice that this rank adds up itself.
void SharedMemory::giveOthers(const float* values, size_t count) {
  float* given = (float*)segment_.given(segment_.rank, turn_);
  const Slice own(count, segment_.rank, segment_.worldSize);
  std::memcpy(given, values, own.from * sizeof(float));
  std::memcpy(given + own.to, values + own.to, (count - own.to) * sizeof(float));
}

void SharedMemory::sumSlice(float* values, size_t count) {
  const Slice own(count, segment_.rank, segment_.worldSize);
  std::vector<const float*> sources;
  for (int of = 0; of < segment_.worldSize; of++)
    sources.push_back((of == segment_.rank ? values : (const float*)segment_.given(of, turn_)) + own.from);
  sumInOrder(sources, own.to - own.from, (float*)segment_.result(turn_) + own.from, values + own.from);
}

void SharedMemory::broadcast(void* bytes, size_t size, int root) {
  begin(Operation::broadcast, size, (uint64_t)root);
  if (size == 0) return agree();
  for (size_t from = 0; from < size; from += segment_.chunkBytes()) {
    const size_t length = std::min(segment_.chunkBytes(), size - from);
    uint8_t* shared = segment_.given(root, turn_++);
    if (segment_.rank == root) std::memcpy(shared, (uint8_t*)bytes + from, length);
    from == 0 ? agree() : meet();
    if (segment_.rank != root) std::memcpy((uint8_t*)bytes + from, shared, length);
  }
}

void SharedMemory::allGather(const void* bytes, size_t size, void* all) {
  begin(Operation::allGather, size);
  if (size == 0) return agree();
  for (size_t from = 0; from < size; from += segment_.chunkBytes()) {
    const size_t length = std::min(segment_.chunkBytes(), size - from), turn = turn_++;
    std::memcpy(segment_.given(segment_.rank, turn), (const uint8_t*)bytes + from, length);
    from == 0 ? agree() : meet();
    for (int of = 0; of < segment_.worldSize; of++)
      std::memcpy((uint8_t*)all + (size_t)of * size + from, segment_.given(of, turn), length);
  }
}

void SharedMemory::agree(const Operation& operation) {
  begin(operation.kind, operation.size, operation.root);
  agree();
}

std::optional<Failure> SharedMemory::whoHasEnded() {
  for (int of = 0; of < segment_.worldSize; of++) {
    const Member& other = segment_.member(of);
    const bool alive = segment_.alive(of);
    const uint32_t state = other.state.load();
    if (state == Member::failed) return Failure{other.reason, other.waitedFor};
    if (!alive && state != Member::closed) return Failure{segment_.describe(of) + " has died", of};
  }
  return std::nullopt;
}

bool SharedMemory::isAtOnce(size_t size) const { return isShort(size) && haveOthersCome(1); }

void SharedMemory::leave(const Failure& failure) {
  if (segment_.own().state.load() != Member::attached) return;
  segment_.fail({segment_.describe(segment_.rank) + " failed: " + failure.reason,
                 failure.waitedFor == Failure::nobody ? segment_.rank : failure.waitedFor});
}

void SharedMemory::begin(uint64_t kind, size_t size, uint64_t root) {
  number_++;
  posted(segment_.rank) = {kind, size, root, number_};
}

// Every operation's first meeting: all see what all are about to do, and no memory of theirs has been written yet.
void SharedMemory::agree() {
  meet();
  std::vector<Operation> byRank;
  for (int of = 0; of < segment_.worldSize; of++) byRank.push_back(posted(of));
  const std::string difference = differenceOf(byRank);
  if (!difference.empty()) fail({difference});
}

void SharedMemory::meet() {
  Member& self = segment_.own();
  self.meetings.store(++meeting_);
  if (self.sleepers.load() > 0) futexWake(self.meetings);
  const Clock::time_point deadline = Clock::now() + std::chrono::milliseconds(timeout_);
  for (int of = 0; of < segment_.worldSize; of++) waitFor(of, deadline);
}

bool SharedMemory::hasCome(int of, uint32_t further) const {
  return (int32_t)(segment_.member(of).meetings.load() - (meeting_ + further)) >= 0;
}

void SharedMemory::waitFor(int of, Clock::time_point deadline) {
  for (int spin = 0; spin < spinsBeforeYield; spin++) {
    if (hasCome(of)) return;
    relax();
  }
  for (auto start = Clock::now(), now = start; now - start < keenFor;) {
    sched_yield();
    if (hasCome(of)) return;
    const auto before = std::exchange(now, Clock::now());
    if (now - before > idleYield) break;
  }
  Member& other = segment_.member(of);
  for (;;) {
    other.sleepers.fetch_add(1);
    const uint32_t seen = other.meetings.load();
    if (!hasCome(of)) futexWait(other.meetings, seen, lookAfterOthersEvery);
    other.sleepers.fetch_sub(1);
    if (hasCome(of)) return;
    lookAfterOthers();
    tellOfLate(of, deadline);
    if (Clock::now() > deadline)
      fail({segment_.describe(of) + " has not come within " + std::to_string(timeout_) +
                " ms; it hangs, or it is slower",
            of});
  }
}

// Fails where somebody has ended before all have come; that may not be the one waited for.
void SharedMemory::lookAfterOthers() {
  if (interrupted_) fail({segment_.describe(segment_.rank) + " was interrupted"});
  for (int of = 0; of < segment_.worldSize; of++) {
    const Member& other = segment_.member(of);
    const bool alive = segment_.alive(of);
    const uint32_t state = other.state.load();
    if ((alive && state == Member::attached) || haveOthersCome()) continue;
    if (state == Member::failed) fail({other.reason, other.waitedFor});
    fail({segment_.describe(of) + (state == Member::closed ? " has closed its collectives" : " has died"), of});
  }
}

void SharedMemory::tellOfLate(int of, Clock::time_point deadline) {
  using std::chrono::milliseconds;
  const milliseconds timeout(timeout_);
  const auto waited = std::chrono::duration_cast<milliseconds>(timeout - (deadline - Clock::now()));
  if (waited < lateAfter(timeout) || toldOfLate_ == number_) return;
  toldOfLate_ = number_;
  for (int lower = 0; lower < segment_.rank; lower++)
    if (hasCome(lower)) return;
  sayLate(posted(segment_.rank).numbered(), segment_.rank, segment_.describe(of) + " has not come", waited);
}

bool SharedMemory::haveOthersCome(uint32_t further) const {
  for (int of = 0; of < segment_.worldSize; of++)
    if (of != segment_.rank && !hasCome(of, further)) return false;
  return true;
}

void SharedMemory::fail(const Failure& failure) {
  segment_.fail(failure);
  const std::string name = posted(segment_.rank).numbered();
  throw CollectivesError(name + " failed on rank " + std::to_string(segment_.rank) + ": " + failure.reason,
                         failure.waitedFor);
}

std::unique_ptr<Transport> connectLocal(const LocalOptions& options, const std::atomic<bool>& interrupted) {
  return std::make_unique<SharedMemory>(options, interrupted);
}

}  // namespace vitral

#else
#include <stdexcept>

std::unique_ptr<vitral::Transport> vitral::connectLocal(const LocalOptions&, const std::atomic<bool>&) {
  throw std::runtime_error("collectives through shared memory need Linux");
}
#endif
