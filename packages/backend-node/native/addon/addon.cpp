// The table of what JavaScript can call, and the one place where exceptions become JavaScript errors.
#include "exports.h"

#include <new>

namespace vitral {

namespace {

struct Export {
  const char* name;
  napi_value (*function)(Arguments&);
};

// Calls the export that the function object carries as its data.
napi_value call(napi_env env, napi_callback_info info) {
  void* data = nullptr;
  napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data);
  const Export& entry = *static_cast<const Export*>(data);
  try {
    Arguments arguments(env, info);
    return entry.function(arguments);
  } catch (const ArgumentError& error) {
    napi_throw_type_error(env, nullptr, (std::string(entry.name) + ": " + error.what()).c_str());
  } catch (const OutOfMemory& error) {
    napi_throw_error(env, "ERR_OUT_OF_MEMORY", (std::string(entry.name) + ": " + error.what()).c_str());
  } catch (const std::bad_alloc&) {
    napi_throw_error(env, "ERR_OUT_OF_MEMORY", (std::string(entry.name) + ": out of memory").c_str());
  } catch (const std::exception& error) {
    napi_throw_error(env, nullptr, (std::string(entry.name) + ": " + error.what()).c_str());
  }
  return nullptr;
}

#define VITRAL_ENTRY(name) {#name, exported::name},
const Export exports[] = {VITRAL_OPS(VITRAL_ENTRY) VITRAL_NODE_EXPORTS(VITRAL_ENTRY)};
#undef VITRAL_ENTRY

}  // namespace

}  // namespace vitral

NAPI_MODULE_INIT() {
  for (const vitral::Export& entry : vitral::exports) {
    napi_value function;
    napi_create_function(env, entry.name, NAPI_AUTO_LENGTH, vitral::call, const_cast<vitral::Export*>(&entry),
                         &function);
    napi_set_named_property(env, exports, entry.name, function);
  }
  return exports;
}
