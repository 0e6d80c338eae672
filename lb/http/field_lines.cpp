#include "lb/http/field_lines.h"

#include "lb/http/ascii.h"
#include "lb/http/byte_search.h"

namespace weir::http {
namespace {

// llhttp has a state machine of its own for the values of these: only one blank in front of them is
// the same to everybody.
bool is_read_by_llhttp(FieldName name) {
  switch (name) {
    case FieldName::connection:
    case FieldName::content_length:
    case FieldName::proxy_connection:
    case FieldName::transfer_encoding:
    case FieldName::upgrade:
      return true;
    default:
      return false;
  }
}

// The name at the front of [at, end), up to its colon; empty = not a name.
std::string_view read_name(const char* at, const char* end, FieldName* id) {
  size_t length = 0;
  *id = find_field_name(at, end, &length);
  if (length > 0) return {at, length};
  const char* p = at;
  while (p < end && is_a(kTokenChar, *p)) ++p;
  if (p == end || *p != ':') return {};
  const std::string_view name(at, static_cast<size_t>(p - at));
  *id = field_name(name);
  return name;
}

}  // namespace

bool read_field_lines(std::string_view lines, size_t limit, FieldList* fields) {
  const char* at = lines.data();
  const char* const end = at + lines.size();
  for (size_t count = 0; end - at > 2; ++count) {
    FieldName id = FieldName::other;
    const std::string_view name = read_name(at, end, &id);
    if (name.empty() || count == limit) return false;
    const char* value = at + name.size() + 1;
    if (value < end && *value == ' ') ++value;
    const char* const cr = find_control(value, end);
    if (end - cr < 2 || cr[0] != '\r' || cr[1] != '\n') return false;
    const bool has_more_blanks = cr > value && (is_blank(*value) || is_blank(cr[-1]));
    if (has_more_blanks && is_read_by_llhttp(id)) return false;
    const std::string_view text(value, static_cast<size_t>(cr - value));
    if (!fields->add({name, has_more_blanks ? trim(text) : text, id})) return false;
    at = cr + 2;
  }
  return end - at == 2 && at[0] == '\r' && at[1] == '\n';
}

}  // namespace weir::http
