#include "lb/http/field_lines.h"

#include <cstring>

#include "lb/http/ascii.h"
#include "lb/http/head_search.h"

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
std::string_view read_name(const char* at, const char* end) {
  const char* p = at;
  while (p < end && is_a(kTokenChar, *p)) ++p;
  if (p == end || *p != ':') return {};
  return {at, static_cast<size_t>(p - at)};
}

// Two bytes as they stand in memory.
inline bool starts_with_pair(const char* at, const char (&pair)[3]) {
  return std::memcmp(at, pair, 2) == 0;
}

// What most lines are: a known name, one blank, a value of visible ASCII that begins and ends with
// something. The byte behind its LF, or nullptr: read_line is for it. At least kFieldStart bytes.
inline const char* read_usual_line(const char* at, const char* end, Field* field) {
  const FieldStart start = look_at_field(at);
  if (start.length == 0) return nullptr;
  const char* const value = at + start.length + 2;
  const char* cr = start.usual_end;
  if (cr == at + kFieldStart) cr = find_unusual(cr, end);
  if (cr <= value || end - cr < 2 || !starts_with_pair(cr, "\r\n")) return nullptr;
  if (value[-1] != ' ' || *value == ' ' || cr[-1] == ' ') return nullptr;
  field->name = {at, start.length};
  field->value = {value, static_cast<size_t>(cr - value)};
  field->id = start.id;
  field->is_whole_line = true;
  return cr + 2;
}

// The line at [at, end); the byte behind its LF, or nullptr.
const char* read_line(const char* at, const char* end, Field* field) {
  const std::string_view name = read_name(at, end);
  if (name.empty()) return nullptr;
  field->name = name;
  field->id = field_name(name);
  const char* value = at + name.size() + 1;
  const bool has_blank = value < end && *value == ' ';
  if (has_blank) ++value;
  const char* const cr = find_control(value, end);
  if (end - cr < 2 || !starts_with_pair(cr, "\r\n")) return nullptr;
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

const char* read_field_lines(const char* at, const char* end, size_t limit, FieldList* fields) {
  while (end - at >= 2) {
    if (*at == '\r') return at[1] == '\n' ? at + 2 : nullptr;
    Field* const field = fields->append(limit);
    if (field == nullptr) return nullptr;
    const char* next = nullptr;
    if (kHasBlocks && static_cast<size_t>(end - at) >= kFieldStart) {
      next = read_usual_line(at, end, field);
    }
    if (next == nullptr) next = read_line(at, end, field);
    if (next == nullptr) return nullptr;
    at = next;
  }
  return nullptr;
}

}  // namespace weir::http
