#include "discovery/run_key.h"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace weir {

Result<std::string, Problem> make_run_key() {
  std::array<unsigned char, 32> bytes{};
  size_t filled = 0;
  while (filled < bytes.size()) {
    const ssize_t got = getrandom(bytes.data() + filled, bytes.size() - filled, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      return Problem{std::string("cannot make an API key: getrandom: ") + std::strerror(errno), ""};
    }
    filled += static_cast<size_t>(got);
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string key;
  for (const unsigned char byte : bytes) {
    key += kDigits[byte >> 4];
    key += kDigits[byte & 15];
  }
  return key;
}

}  // namespace weir
