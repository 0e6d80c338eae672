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

// The name at the front of [at, end), up to its colon, when it is no known one; empty = not a name.
std::string_view read_other_name(const char* at, const char* end) {
  const char* p = at;
  while (p < end && is_a(kTokenChar, *p)) ++p;
  if (p == end || *p != ':') return {};
  return {at, static_cast<size_t>(p - at)};
}

// The line at [at, end); the byte behind its LF, or nullptr.
const char* read_line(const char* at, const char* end, Field* field) {
  size_t length = 0;
  const FieldStart start = look_at_field(at, end, &length);
  field->id = start.id;
  if (length == 0) {
    const std::string_view name = read_other_name(at, end);
    if (name.empty()) return nullptr;
    length = name.size();
    field->id = field_name(name);
  }
  field->name = {at, length};
  const char* value = at + length + 1;
  const bool has_blank = value < end && *value == ' ';
  if (has_blank) ++value;
  const char* const cr =
      start.control != nullptr ? start.control : find_control(start.looked_until, end);
  if (end - cr < 2 || cr < value || cr[0] != '\r' || cr[1] != '\n') return nullptr;
  field->value = {value, static_cast<size_t>(cr - value)};
  const bool has_more_blanks = cr > value && (is_blank(*value) || is_blank(cr[-1]));
  field->is_whole_line = has_blank && !has_more_blanks;
  if (has_more_blanks) {
    if (is_read_by_llhttp(field->id)) return nullptr;
    field->value = trim(field->value);
  }
  return cr + 2;
}

}  // namespace

size_t read_field_lines(std::string_view bytes, size_t limit, FieldList* fields) {
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  for (size_t count = 0; at != nullptr && end - at >= 2; ++count) {
    if (at[0] == '\r') {
      return at[1] == '\n' ? static_cast<size_t>(at + 2 - bytes.data()) : 0;
    }
    Field* const field = count < limit ? fields->append() : nullptr;
    if (field == nullptr) return 0;
    at = read_line(at, end, field);
  }
  return 0;
}

}  // namespace weir::http
