// The memory that the processes of a run share on one Linux machine, and how each tells of itself in it and watches the
// others. A process holds a lock on the byte of its rank in the segment's file for as long as it lives: the kernel lets
// go of it whatever the process dies of, so nobody is mistaken for another that has its process id.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "failure.h"
#include "operation.h"

namespace vitral {

struct LocalOptions {
  int rank = 0, worldSize = 1;
  std::string name;   // of the file and the socket: one run of one user on this machine; vitral-USER-RUN
  std::string id;     // what messages call the run
  std::string token;  // what every process must have in common; at most Member::tokenBytes - 1 bytes
  int64_t timeoutMilliseconds = 0;
};

// One process, as the others see it.
struct alignas(128) Member {
  enum State : uint32_t { absent, attached, closed, failed };
  static constexpr size_t tokenBytes = 512, reasonBytes = 512;

  std::atomic<uint32_t> state;
  int32_t pid;
  alignas(64) std::atomic<uint32_t> meetings;  // that it has come to: the word that those who wait for it sleep on
  std::atomic<uint32_t> sleepers;
  Operation operations[2];  // the current one and the one before, which others may still be reading
  char token[tokenBytes];
  char reason[reasonBytes];  // why it failed
  int32_t waitedFor;         // and for want of whom, itself where it is its own
};

struct SegmentHeader {
  static constexpr uint64_t currentLayout = 0x76697472616c02;  // written last: until then the file means nothing
  std::atomic<uint64_t> layout;
  int32_t worldSize;
  uint64_t chunkBytes;
  enum Outcome : uint32_t { waiting, complete, givenUp };
  std::atomic<uint32_t> outcome;  // whether all have come: the word that those who connect sleep on
};

class Segment {
 public:
  // Waits until all have come, and removes the file then; rendezvous.cpp. Throws when one has not come in time, when
  // another run has the name, and when the processes do not fit together.
  static Segment connect(const LocalOptions& options, const std::atomic<bool>& interrupted);
  Segment(Segment&& other) noexcept;
  ~Segment();  // tells the others

  int rank = 0, worldSize = 0;
  Member& member(int of) const { return reinterpret_cast<Member*>(memory_ + headerBytes)[of]; }
  Member& own() const { return member(rank); }
  SegmentHeader& header() const { return *reinterpret_cast<SegmentHeader*>(memory_); }
  size_t chunkBytes() const { return header().chunkBytes; }
  // Two of each: one is read by those who are late while the other is written.
  uint8_t* given(int by, size_t turn) const { return data() + (2 * (size_t)by + turn % 2) * chunkBytes(); }
  uint8_t* result(size_t turn) const { return given(worldSize, turn); }

  bool alive(int of) const;
  std::string describe(int of) const;  // "rank 1 (process 4711)"
  void fail(const Failure& failure);

 private:
  friend class Rendezvous;
  static constexpr size_t headerBytes = 128;
  static size_t membersBytes(int worldSize);
  static size_t chunkBytesFor(int worldSize);
  static size_t bytesOf(int worldSize, size_t chunkBytes);
  Segment() = default;
  uint8_t* data() const { return memory_ + membersBytes(worldSize); }

  uint8_t* memory_ = nullptr;
  size_t bytes_ = 0;
  int file_ = -1, socket_ = -1;
  bool joined_ = false;  // the place of this rank is ours
};

// Removes the files of this prefix that processes left which were killed before all had come: nobody holds a lock in
// them.
void removeLeftSegments(const std::string& prefix);

// Sleeps while *word is `seen`, at most so long; another process's wake ends it.
void futexWait(std::atomic<uint32_t>& word, uint32_t seen, int64_t milliseconds);
void futexWake(std::atomic<uint32_t>& word);

constexpr int64_t lookAfterOthersEvery = 100;  // milliseconds

}  // namespace vitral
