#include "bench/mock/mock_options.h"

#include <fmt/format.h>

namespace weir {

Result<OnTerm, Problem> parse_on_term(std::string_view text) {
  if (text == "abort") return OnTerm::abort;
  if (text == "drain") return OnTerm::drain;
  if (text == "hang") return OnTerm::hang;
  if (text == "exit") return OnTerm::exit;
  return Problem{fmt::format("\"{}\" is nothing that SIGTERM can do", text.substr(0, 80)),
                 "use abort, drain, hang or exit"};
}

}  // namespace weir
