// What the C++ library has in an archive: compiled here, so that nothing of a printf or of files comes with it.
#include <string>

template class std::basic_string<char>;

_LIBCPP_BEGIN_NAMESPACE_STD
// Where the library would throw.
[[noreturn]] void __libcpp_verbose_abort(const char*, ...) noexcept { __builtin_trap(); }
_LIBCPP_END_NAMESPACE_STD
