// Collectives as JavaScript sees them: a group of processes, whose thread carries out what is begun and settles the
// promise of each. While a promise is open the event loop is kept alive, and so is the memory it was given.
#include "../collectives/communicator.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "../collectives/shared-memory.h"
#include "exports.h"

namespace vitral::exported {

namespace {

struct Promised : Communicator::Job {
  napi_deferred deferred = nullptr;
  napi_ref memory = nullptr;
  std::function<void(Transport&)> work;
  std::function<napi_value(napi_env)> result;

  void run(Transport& transport) override {
    if (work) work(transport);
  }
};

class Group {
 public:
  // Returns the handle, which owns the group.
  static napi_value make(napi_env env, int worldSize, Communicator::Connect connect);

  const int worldSize;

  // Returns the promise.
  napi_value begin(std::unique_ptr<Promised> job, napi_value memory = nullptr);
  napi_value close();

 private:
  Group(napi_env env, int size) : worldSize(size), env_(env) {}
  napi_value promise(std::unique_ptr<Promised>& job);
  void keepAlive();
  void letGo();
  void end();
  void endNow();
  static void atExit(void* group);
  static void settle(napi_env env, napi_value, void* group, void* job);

  napi_env env_;
  napi_threadsafe_function settle_ = nullptr;
  napi_ref handle_ = nullptr;  // strong while a promise is open
  int open_ = 0;
  bool closing_ = false, hooked_ = false;
  std::unique_ptr<Communicator> communicator_;
};

napi_value Group::make(napi_env env, int worldSize, Communicator::Connect connect) {
  Group* group = new Group(env, worldSize);
  napi_value handle, name;
  const auto collected = [](napi_env env, void* data, void*) {
    Group* group = static_cast<Group*>(data);
    group->end();
    if (group->handle_) napi_delete_reference(env, group->handle_);
    delete group;
  };
  if (napi_create_external(env, group, collected, nullptr, &handle) != napi_ok) {
    delete group;
    throw std::runtime_error("Node-API could not make a handle");
  }
  check(napi_create_reference(env, handle, 0, &group->handle_));
  check(napi_create_string_utf8(env, "vitral collectives", NAPI_AUTO_LENGTH, &name));
  check(napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, group, settle, &group->settle_));
  check(napi_unref_threadsafe_function(env, group->settle_));
  // Before the environment goes, and with it the memory that the thread may be reading.
  check(napi_add_env_cleanup_hook(env, atExit, group));
  group->hooked_ = true;
  const auto finished = [settle = group->settle_](std::unique_ptr<Communicator::Job> job) {
    if (napi_call_threadsafe_function(settle, job.get(), napi_tsfn_nonblocking) == napi_ok) job.release();
  };
  group->communicator_ = std::make_unique<Communicator>(std::move(connect), finished);
  return handle;
}

napi_value Group::promise(std::unique_ptr<Promised>& job) {
  napi_value promise;
  check(napi_create_promise(env_, &job->deferred, &promise));
  return promise;
}

napi_value Group::begin(std::unique_ptr<Promised> job, napi_value memory) {
  if (closing_) throw std::runtime_error("these collectives have been closed");
  const napi_value opened = promise(job);
  if (memory) check(napi_create_reference(env_, memory, 1, &job->memory));
  communicator_->begin(std::move(job));
  keepAlive();
  return opened;
}

napi_value Group::close() {
  if (closing_) throw std::runtime_error("these collectives have been closed");
  closing_ = true;
  auto job = std::make_unique<Promised>();
  const napi_value opened = promise(job);
  communicator_->beginLast(std::move(job));
  keepAlive();
  return opened;
}

void Group::keepAlive() {
  if (open_++ > 0) return;
  check(napi_ref_threadsafe_function(env_, settle_));
  check(napi_reference_ref(env_, handle_, nullptr));
}

void Group::letGo() {
  if (--open_ > 0) return;
  napi_unref_threadsafe_function(env_, settle_);
  napi_reference_unref(env_, handle_, nullptr);
}

void Group::settle(napi_env env, napi_value, void* context, void* data) {
  const std::unique_ptr<Promised> job(static_cast<Promised*>(data));
  if (!env) return;  // it is ending
  Group* group = static_cast<Group*>(context);
  napi_value value;
  if (job->memory) napi_delete_reference(env, job->memory);
  try {
    if (job->failed) throw std::runtime_error(job->failure);
    if (job->result) value = job->result(env);
    else check(napi_get_undefined(env, &value));
    check(napi_resolve_deferred(env, job->deferred, value));
  } catch (const std::exception& error) {
    napi_value message;
    napi_create_string_utf8(env, error.what(), NAPI_AUTO_LENGTH, &message);
    napi_create_error(env, nullptr, message, &value);
    napi_reject_deferred(env, job->deferred, value);
  }
  group->letGo();
  if (group->closing_ && group->open_ == 0) group->end();
}

// The thread, and what it would call.
void Group::endNow() {
  if (!settle_) return;
  closing_ = true;
  communicator_.reset();
  napi_release_threadsafe_function(std::exchange(settle_, nullptr), napi_tsfn_abort);
}

void Group::end() {
  if (std::exchange(hooked_, false)) napi_remove_env_cleanup_hook(env_, atExit, this);
  endNow();
}

void Group::atExit(void* data) {
  Group* group = static_cast<Group*>(data);
  group->hooked_ = false;
  group->endNow();
}

Group& groupOf(Arguments& a) { return *static_cast<Group*>(a.external("group")); }

using Bytes = std::vector<uint8_t>;

// Everyone's bytes by rank, of any sizes: the sizes first, then all at the size of the largest.
std::vector<Bytes> gather(Transport& transport, int worldSize, const uint8_t* bytes, uint64_t size) {
  std::vector<uint64_t> sizes((size_t)worldSize);
  transport.allGather(&size, sizeof size, sizes.data());
  const size_t largest = (size_t)*std::max_element(sizes.begin(), sizes.end());
  Bytes given(largest), all(largest * sizes.size());
  std::copy(bytes, bytes + size, given.begin());
  transport.allGather(given.data(), largest, all.data());
  std::vector<Bytes> gathered;
  for (size_t rank = 0; rank < sizes.size(); rank++) {
    const auto from = all.begin() + (ptrdiff_t)(rank * largest);
    gathered.emplace_back(from, from + (ptrdiff_t)sizes[rank]);
  }
  return gathered;
}

napi_value toJs(napi_env env, const std::vector<Bytes>& gathered) {
  napi_value list;
  check(napi_create_array_with_length(env, gathered.size(), &list));
  for (uint32_t rank = 0; rank < gathered.size(); rank++) {
    const Bytes& bytes = gathered[rank];
    void* data = nullptr;
    napi_value buffer, array;
    check(napi_create_arraybuffer(env, bytes.size(), &data, &buffer));
    if (!bytes.empty()) std::memcpy(data, bytes.data(), bytes.size());
    check(napi_create_typedarray(env, napi_uint8_array, bytes.size(), buffer, 0, &array));
    check(napi_set_element(env, list, rank, array));
  }
  return list;
}

}  // namespace

napi_value connectLocal(Arguments& a) {
  LocalOptions options;
  options.worldSize = (int)a.size("worldSize");
  options.rank = (int)a.sizeOrZero("rank");
  options.name = a.text("name");
  options.id = a.text("id");
  options.token = a.text("token");
  options.timeoutMilliseconds = a.size("timeout");
  const auto connect = [options](const std::atomic<bool>& interrupted) { return vitral::connectLocal(options, interrupted); };
  return Group::make(a.env(), options.worldSize, connect);
}

napi_value connected(Arguments& a) { return groupOf(a).begin(std::make_unique<Promised>()); }

napi_value allReduce(Arguments& a) {
  Group& group = groupOf(a);
  const int64_t count = a.sizeOrZero("count");
  float* values = a.floats("values", count);
  auto job = std::make_unique<Promised>();
  job->work = [=](Transport& transport) { transport.allReduce(values, (size_t)count); };
  return group.begin(std::move(job), a.latest());
}

napi_value broadcast(Arguments& a) {
  Group& group = groupOf(a);
  const int64_t size = a.sizeOrZero("size"), root = a.sizeOrZero("root");
  if (root >= group.worldSize) throw ArgumentError("root is " + std::to_string(root) + ", and no rank");
  uint8_t* bytes = a.bytes("bytes", size);
  auto job = std::make_unique<Promised>();
  job->work = [=](Transport& transport) { transport.broadcast(bytes, (size_t)size, (int)root); };
  return group.begin(std::move(job), a.latest());
}

napi_value allGather(Arguments& a) {
  Group& group = groupOf(a);
  const int64_t size = a.sizeOrZero("size");
  const uint8_t* bytes = a.bytes("bytes", size);
  auto job = std::make_unique<Promised>();
  const auto all = std::make_shared<std::vector<Bytes>>();
  job->work = [=, worldSize = group.worldSize](Transport& transport) {
    *all = gather(transport, worldSize, bytes, (uint64_t)size);
  };
  job->result = [=](napi_env env) { return toJs(env, *all); };
  return group.begin(std::move(job), a.latest());
}

napi_value barrier(Arguments& a) {
  auto job = std::make_unique<Promised>();
  job->work = [](Transport& transport) { transport.barrier(); };
  return groupOf(a).begin(std::move(job));
}

napi_value closeCollectives(Arguments& a) { return groupOf(a).close(); }

}  // namespace vitral::exported
