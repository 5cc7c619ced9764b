#include "process-group.h"

#include <utility>

namespace vitral {

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
  check(napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, group, finished,
                                        &group->settle_));
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
  // Promises are settled in the order in which they were made.
  if (open_ == 0 && communicator_->runAtOnce(*job)) {
    settle(env_, *job);
    return opened;
  }
  communicator_->begin(std::move(job));
  keepAlive();
  return opened;
}

void Group::interrupt() {
  if (communicator_) communicator_->interrupt();
}

napi_value Group::close(const std::string& reason) {
  if (closing_) throw std::runtime_error("these collectives have been closed");
  closing_ = true;
  auto job = std::make_unique<Promised>();
  const napi_value opened = promise(job);
  communicator_->beginLast(std::move(job), reason);
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

void Group::finished(napi_env env, napi_value, void* context, void* data) {
  const std::unique_ptr<Promised> job(static_cast<Promised*>(data));
  if (!env) return;  // it is ending
  Group* group = static_cast<Group*>(context);
  settle(env, *job);
  group->letGo();
  if (group->closing_ && group->open_ == 0) group->end();
}

void Group::settle(napi_env env, const Promised& job) {
  napi_value value;
  if (job.memory) napi_delete_reference(env, job.memory);
  try {
    if (job.failure) std::rethrow_exception(job.failure);
    if (job.result) value = job.result(env);
    else check(napi_get_undefined(env, &value));
    check(napi_resolve_deferred(env, job.deferred, value));
  } catch (const std::exception& error) {
    napi_value message;
    napi_create_string_utf8(env, error.what(), NAPI_AUTO_LENGTH, &message);
    napi_create_error(env, nullptr, message, &value);
    if (const int rank = waitedForIn(error); rank != Failure::nobody) {
      napi_value waitedFor;
      napi_create_int32(env, rank, &waitedFor);
      napi_set_named_property(env, value, "waitedFor", waitedFor);
    }
    napi_reject_deferred(env, job.deferred, value);
  }
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

}  // namespace vitral
