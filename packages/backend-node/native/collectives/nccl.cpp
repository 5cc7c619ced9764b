// No call of NCCL waits by itself: it would wait for a process that has died. Who waits here also looks after the
// others.
#include "nccl.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "backoff.h"

namespace vitral {

namespace {

using std::chrono::milliseconds;

constexpr size_t stageFloats = size_t{1} << 22;

constexpr auto lookEvery = milliseconds(100);
// What one that has ended did before may still be on its way.
constexpr auto lastWordsComeWithin = milliseconds(1000);

// What the processes tell each other before they become one communicator.
struct Seat {
  char host[256], busId[32];
  int32_t version;
};

}  // namespace

Nccl::Nccl(const NcclOptions& options, const std::function<std::unique_ptr<Transport>()>& meet,
           const std::atomic<bool>& interrupted)
    : cuda_(options.runtimes),
      nccl_(options.libraries),
      interrupted_(interrupted),
      rank_(options.rank),
      worldSize_(options.worldSize),
      timeout_(options.timeoutMilliseconds) {
  int devices = 0;
  const int code = cuda_.getDeviceCount(&devices);
  if (code != 0 || devices < 1)
    throw std::runtime_error("NCCL needs a CUDA device, and there is none here (" +
                             std::string(code ? cuda_.errorText(code) : "0 devices") +
                             "); install NVIDIA's driver, or take the collectives local or mpi");
  const int device = options.localRank % devices;
  cuda_.check(cuda_.setDevice(device), "take its device");
  others_ = meet();
  try {
    checkDevices(device);
    for (Stage& stage : stages_) allocate(stage);
    createCommunicator();
  } catch (const std::exception& error) {
    release();
    others_->leave({error.what(), waitedForIn(error)});
    throw;
  }
}

Nccl::~Nccl() {
  try {
    if (communicator_) {
      settle(nccl_.finalize(communicator_), "end");
      nccl_.check(nccl_.destroy(std::exchange(communicator_, nullptr)), "end");
    }
  } catch (const std::exception&) {
    // Another has died, or waits no longer: what is left of it here has been aborted.
  }
  release();
}

// NCCL hangs where two processes have one.
void Nccl::checkDevices(int device) {
  Seat own = {};
  gethostname(own.host, sizeof own.host - 1);
  cuda_.check(cuda_.getBusId(own.busId, sizeof own.busId, device), "name its device");
  own.version = nccl_.version;
  std::vector<Seat> seats((size_t)worldSize_);
  others_->allGather(&own, sizeof own, seats.data());
  for (int of = 0; of < worldSize_; of++) {
    const Seat& seat = seats[(size_t)of];
    if (seat.version != seats[0].version)
      throw std::runtime_error("rank 0 has NCCL " + std::to_string(seats[0].version) + ", and rank " +
                               std::to_string(of) + " NCCL " + std::to_string(seat.version) +
                               "; install the same on all machines");
    for (int before = 0; before < of; before++)
      if (!std::strcmp(seat.host, seats[(size_t)before].host) && !std::strcmp(seat.busId, seats[(size_t)before].busId))
        throw std::runtime_error("ranks " + std::to_string(before) + " and " + std::to_string(of) +
                                 " both have the CUDA device " + seat.busId + " of " + seat.host +
                                 ", and NCCL needs one for each; start as many processes there as it has devices");
  }
}

void Nccl::createCommunicator() {
  NcclLibrary::UniqueId id = {};
  if (rank_ == 0) nccl_.check(nccl_.getUniqueId(&id), "name the run");
  others_->broadcast(&id, sizeof id, 0);
  NcclLibrary::Config config;
  settle(nccl_.create(&communicator_, worldSize_, id, rank_, &config), "join the processes");
}

void Nccl::allocate(Stage& stage) {
  constexpr size_t bytes = stageFloats * sizeof(float);
  cuda_.check(cuda_.allocateHost(reinterpret_cast<void**>(&stage.host), bytes), "allocate main memory");
  cuda_.check(cuda_.allocate(reinterpret_cast<void**>(&stage.device), bytes), "allocate memory of the device");
  cuda_.check(cuda_.createStream(&stage.stream, Cuda::ownOrder), "create a stream");
}

void Nccl::allReduce(float* values, size_t count) {
  const Operation operation = {Operation::allReduce, count, 0, 0};
  others_->agree(operation);
  try {
    sum(values, count);
  } catch (const std::exception& error) {
    const int waitedFor = waitedForIn(error);
    leave({error.what(), waitedFor});
    throw CollectivesError(operation.text() + " failed on rank " + std::to_string(rank_) + ": " + error.what(),
                           waitedFor);
  }
}

void Nccl::sum(float* values, size_t count) {
  size_t turn = 0;
  for (size_t from = 0; from < count; from += stageFloats) {
    Stage& stage = stages_[turn++ % 2];
    receive(stage);
    send(stage, values + from, std::min(stageFloats, count - from));
  }
  for (int rest = 0; rest < 2; rest++) receive(stages_[turn++ % 2]);
}

void Nccl::send(Stage& stage, float* values, size_t count) {
  const size_t bytes = count * sizeof(float);
  std::memcpy(stage.host, values, bytes);
  cuda_.check(cuda_.copyAsync(stage.device, stage.host, bytes, Cuda::toDevice, stage.stream), "copy to the device");
  settle(nccl_.allReduce(stage.device, stage.device, count, NcclLibrary::float32, NcclLibrary::sum, communicator_,
                         stage.stream),
         "sum");
  cuda_.check(cuda_.copyAsync(stage.host, stage.device, bytes, Cuda::toHost, stage.stream), "copy from the device");
  stage.values = values;
  stage.count = count;
}

void Nccl::receive(Stage& stage) {
  if (!stage.values) return;
  const auto summed = [&] {
    const int code = cuda_.queryStream(stage.stream);
    if (code == Cuda::notReady) return false;
    cuda_.check(code, "sum");
    return true;
  };
  waitUntil(summed, "the sum");
  std::memcpy(std::exchange(stage.values, nullptr), stage.host, stage.count * sizeof(float));
}

// Until NCCL has done what it may only have begun.
void Nccl::settle(int code, const char* what) {
  nccl_.check(code, what);
  if (code == NcclLibrary::success) return;
  int state = NcclLibrary::inProgress;
  const auto ended = [&] {
    nccl_.check(nccl_.asyncError(communicator_, &state), what);
    return state != NcclLibrary::inProgress;
  };
  waitUntil(ended, std::string("what NCCL does to ") + what);
  nccl_.check(state, what);
}

void Nccl::waitUntil(const std::function<bool()>& done, const std::string& what) {
  const auto start = Clock::now();
  auto looked = start, missed = Clock::time_point::max();
  std::optional<Failure> ended;
  while (!done()) {
    const auto now = Clock::now();
    if (interrupted_) throw std::runtime_error("rank " + std::to_string(rank_) + " was interrupted");
    if (now - start > timeout_)
      throw std::runtime_error(what + " has not ended within " + std::to_string(timeout_.count()) +
                               " ms; a process that hangs or is slower, or a network that is cut");
    if (now - looked > lookEvery) {
      looked = now;
      int state = NcclLibrary::success;
      nccl_.check(nccl_.asyncError(communicator_, &state), "look after itself");
      if (!ended && (ended = others_->whoHasEnded())) missed = now;
      if (ended && now - missed > lastWordsComeWithin) throw CollectivesError(ended->reason, ended->waitedFor);
      if (state != NcclLibrary::success && state != NcclLibrary::inProgress && !ended)
        throw std::runtime_error(std::string("NCCL could not sum: ") + nccl_.errorText(state));
    }
    passTime(now - start);
  }
}

void Nccl::leave(const Failure& failure) {
  abort();
  others_->leave(failure);
}

void Nccl::abort() {
  if (communicator_) nccl_.abort(std::exchange(communicator_, nullptr));
}

// Without a communicator nothing is on its way any more: it has ended, or was aborted.
void Nccl::release() {
  abort();
  for (Stage& stage : stages_) {
    if (stage.stream) cuda_.destroyStream(std::exchange(stage.stream, nullptr));
    if (stage.device) cuda_.release(std::exchange(stage.device, nullptr));
    if (stage.host) cuda_.releaseHost(std::exchange(stage.host, nullptr));
  }
}

}  // namespace vitral
