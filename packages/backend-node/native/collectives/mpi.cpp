// Before each operation the ranks tell one another what they are about to do; so all see a difference before anything
// is written. Who waits also listens: for another that has closed its collectives, and for one whose time is up and
// that asks who is there. A process that hangs, or that computes still, does not answer, and is named.
#include "mpi.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "backoff.h"
#include "rank-order.h"
#include "straggler.h"

namespace vitral {

namespace {

using std::chrono::milliseconds;

constexpr auto answersComeWithin = milliseconds(1000);

// MPI counts in int.
constexpr size_t chunkFloats = size_t{1} << 23, chunkBytes = size_t{1} << 26;

}  // namespace

Mpi::Mpi(const MpiOptions& options, const std::atomic<bool>& interrupted)
    : library_(MpiLibrary::load(options.libraries)),
      interrupted_(interrupted),
      rank_(options.rank),
      worldSize_(options.worldSize),
      timeout_(options.timeoutMilliseconds),
      answered_((size_t)options.worldSize),
      closed_((size_t)options.worldSize) {
  if (library_->worldSize() != worldSize_ || library_->rank() != rank_)
    throw std::runtime_error("this is to be rank " + std::to_string(rank_) + " of " + std::to_string(worldSize_) +
                             ", but " + library_->version() + " has it as rank " + std::to_string(library_->rank()) +
                             " of " + std::to_string(library_->worldSize()) +
                             "; start the processes with the mpirun of the same MPI");
  checkTokens(options.token);
}

Mpi::~Mpi() {
  hasClosed_ = true;
  try {
    tellOthers(closing);
    const Clock::duration patience = failed_ ? answersComeWithin : timeout_;
    // Some ranks of a failed run never come, but the others have to learn why.
    for (const auto start = Clock::now(); !(failed_ || allHaveClosed()) || !sent_.empty();) {
      listen();
      if (interrupted_ || Clock::now() - start > patience) return;
      passTime(Clock::now() - start);
    }
    if (!failed_) library_->finish();
  } catch (const std::exception&) {
    // mpirun ends the others, as it does when a process ends without having ended MPI.
  }
}

void Mpi::checkTokens(const std::string& token) {
  constexpr size_t tokenBytes = 512;
  std::vector<char> own(tokenBytes), all(tokenBytes * (size_t)worldSize_);
  std::copy_n(token.begin(), std::min(token.size(), tokenBytes - 1), own.begin());
  wait(library_->beginGather(own.data(), (int)tokenBytes, all.data()));
  for (int of = 0; of < worldSize_; of++)
    if (const char* other = all.data() + tokenBytes * (size_t)of; std::strcmp(other, own.data()) != 0)
      fail({"rank " + std::to_string(of) + " has '" + other + "', and rank " + std::to_string(rank_) + " '" +
            own.data() + "'"});
}

void Mpi::allReduce(float* values, size_t count) {
  begin(Operation::allReduce, count);
  for (size_t from = 0; from < count && worldSize_ > 1; from += chunkFloats) {
    const size_t length = std::min(chunkFloats, count - from);
    const Slice own(length, rank_, worldSize_);
    Parts slices, gathered;
    for (int of = 0; of < worldSize_; of++) {
      const Slice slice(length, of, worldSize_);
      slices.sizes.push_back((int)((slice.to - slice.from) * sizeof(float)));
      slices.offsets.push_back((int)(slice.from * sizeof(float)));
      gathered.sizes.push_back((int)((own.to - own.from) * sizeof(float)));
      gathered.offsets.push_back((int)((own.to - own.from) * sizeof(float)) * of);
    }
    gathered_.resize(std::max(gathered_.size(), (own.to - own.from) * (size_t)worldSize_));
    wait(library_->beginExchange(values + from, slices, gathered_.data(), gathered));
    std::vector<const float*> sources;
    for (int of = 0; of < worldSize_; of++) sources.push_back(gathered_.data() + (own.to - own.from) * (size_t)of);
    sumInOrder(sources, own.to - own.from, values + from + own.from);
    wait(library_->beginGatherParts(values + from, slices));
  }
}

void Mpi::broadcast(void* bytes, size_t size, int root) {
  begin(Operation::broadcast, size, (uint64_t)root);
  for (size_t from = 0; from < size; from += chunkBytes)
    wait(library_->beginBroadcast((uint8_t*)bytes + from, (int)std::min(chunkBytes, size - from), root));
}

void Mpi::allGather(const void* bytes, size_t size, void* all) {
  begin(Operation::allGather, size);
  const size_t chunk = std::max(size_t{1}, chunkBytes / (size_t)worldSize_);
  std::vector<uint8_t> gathered(std::min(chunk, size) * (size_t)worldSize_);
  for (size_t from = 0; from < size; from += chunk) {
    const size_t length = std::min(chunk, size - from);
    wait(library_->beginGather((const uint8_t*)bytes + from, (int)length, gathered.data()));
    for (size_t of = 0; of < (size_t)worldSize_; of++)
      std::memcpy((uint8_t*)all + of * size + from, gathered.data() + of * length, length);
  }
}

void Mpi::agree(const Operation& operation) { begin(operation.kind, operation.size, operation.root); }

// A rank that has died is not found here: mpirun ends the others.
std::optional<Failure> Mpi::whoHasEnded() {
  listen();
  for (const std::optional<Word>& word : closed_)
    if (word && word->failed) return Failure{word->reason, word->waitedFor};
  return std::nullopt;
}

void Mpi::leave(const Failure& failure) {
  if (failed_) return;
  failed_ = true;
  failure_ = {"rank " + std::to_string(rank_) + " failed: " + failure.reason,
              failure.waitedFor == Failure::nobody ? rank_ : failure.waitedFor};
}

void Mpi::begin(uint64_t kind, size_t size, uint64_t root) {
  operation_ = {kind, size, root, ++number_};
  std::vector<Operation> byRank((size_t)worldSize_);
  wait(library_->beginGather(&operation_, (int)sizeof operation_, byRank.data()));
  const std::string difference = differenceOf(byRank);
  if (!difference.empty()) fail({difference});
}

void Mpi::wait(MpiLibrary::Request request) {
  bool hasAsked = false, hasTold = false;
  for (const auto start = Clock::now(); !library_->done(request);) {
    listen();
    if (interrupted_) fail({"rank " + std::to_string(rank_) + " was interrupted"});
    checkOthers();
    const auto waited = std::chrono::duration_cast<milliseconds>(Clock::now() - start);
    if (waited > lateAfter(timeout_) && !std::exchange(hasAsked, true)) askOthers();
    if (waited > lateAfter(timeout_) + answersComeWithin && !std::exchange(hasTold, true) && isFirstToWait())
      sayLate(nameOfOperation(), rank_, missing().reason, waited);
    if (waited > timeout_) {
      const auto [missing, first] = whoIsMissing();
      if (!library_->done(request))
        fail({missing + " within " + std::to_string(timeout_.count()) +
                  " ms; a process that hangs or is slower, or a network that is cut",
              first});
      return;
    }
    passTime(Clock::now() - start);
  }
}

// Fails where another will not come to this operation any more. One that has been there may have closed since.
void Mpi::checkOthers() {
  for (int of = 0; of < worldSize_; of++) {
    const std::optional<Word>& word = closed_[(size_t)of];
    if (!word) continue;
    if (word->failed) fail({word->reason, word->waitedFor});
    if (word->number < number_) fail({"rank " + std::to_string(of) + " has closed its collectives", of});
  }
}

void Mpi::askOthers() {
  std::fill(answered_.begin(), answered_.end(), false);
  tellOthers(question);
}

Failure Mpi::whoIsMissing() {
  askOthers();
  for (const auto start = Clock::now(); Clock::now() - start < answersComeWithin;) {
    listen();
    passTime(Clock::now() - start);
  }
  return missing();
}

bool Mpi::isFirstToWait() const {
  const auto self = answered_.begin() + rank_;
  return std::find(answered_.begin(), self, true) == self;
}

// The ranks whose answers have not come.
Failure Mpi::missing() const {
  Failure list;
  for (int of = 0; of < worldSize_; of++) {
    if (of == rank_ || answered_[(size_t)of]) continue;
    list.reason += (list.reason.empty() ? "rank " : ", rank ") + std::to_string(of);
    if (list.waitedFor == Failure::nobody) list.waitedFor = of;
  }
  if (list.reason.empty()) return {"all ranks are there, but what they sent has not come"};
  list.reason += " has not come";
  return list;
}

void Mpi::listen() {
  sent_.remove_if([&](Message& message) { return library_->done(message.request); });
  Word word;
  while (library_->receive(&word, sizeof word, question))
    if (!hasClosed_) tell(word.from, answer);
  while (library_->receive(&word, sizeof word, answer)) answered_[(size_t)word.from] = true;
  while (library_->receive(&word, sizeof word, closing)) closed_[(size_t)word.from] = word;
}

void Mpi::tellOthers(Tag tag) {
  for (int of = 0; of < worldSize_; of++)
    if (of != rank_) tell(of, tag);
}

void Mpi::tell(int rank, Tag tag) {
  Message& message = sent_.emplace_back(Message{{rank_, failed_, number_, failure_.waitedFor, {}}, 0});
  failure_.reason.copy(message.word.reason, sizeof message.word.reason - 1);
  message.request = library_->beginSend(&message.word, sizeof message.word, rank, tag);
}

bool Mpi::allHaveClosed() const {
  for (int of = 0; of < worldSize_; of++)
    if (of != rank_ && !closed_[(size_t)of]) return false;
  return true;
}

void Mpi::fail(const Failure& failure) {
  failed_ = true;
  failure_ = failure;
  throw CollectivesError(nameOfOperation() + " failed on rank " + std::to_string(rank_) + ": " + failure.reason,
                         failure.waitedFor);
}

std::string Mpi::nameOfOperation() const { return number_ > 0 ? operation_.numbered() : "Connecting"; }

}  // namespace vitral
