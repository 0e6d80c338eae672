#include "lb/http/model_name.h"

#include <algorithm>

#include "lb/http/ascii.h"
#include "lb/http/byte_search.h"

namespace weir::http {
namespace {

constexpr size_t kMaxModelBytes = 256;
constexpr size_t kMaxKeyBytes = 8;  // longer than any key that is looked for

void append_utf8(uint32_t code, std::string* out) {
  const auto put = [&](uint32_t byte) { out->push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xc0 | code >> 6);
    put(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    put(0xe0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  } else {
    put(0xf0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3f));
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  }
}

// Four hex digits at text[at], or -1.
int32_t read_hex4(std::string_view text, size_t at) {
  if (at + 4 > text.size()) return -1;
  int32_t value = 0;
  for (size_t i = 0; i < 4; ++i) {
    const int digit = hex_value(text[at + i]);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

// The escape behind a backslash at text[at]; returns the bytes it takes.
size_t append_escape(std::string_view text, size_t at, std::string* out) {
  if (at >= text.size()) return 1;
  switch (text[at]) {
    case 'b':
      out->push_back('\b');
      return 1;
    case 'f':
      out->push_back('\f');
      return 1;
    case 'n':
      out->push_back('\n');
      return 1;
    case 'r':
      out->push_back('\r');
      return 1;
    case 't':
      out->push_back('\t');
      return 1;
    case 'u':
      break;
    default:
      out->push_back(text[at]);
      return 1;
  }
  const int32_t first = read_hex4(text, at + 1);
  if (first < 0) return 1;
  if (first >= 0xd800 && first < 0xdc00 && text.substr(at + 5).starts_with("\\u")) {
    const int32_t second = read_hex4(text, at + 7);
    if (second >= 0xdc00 && second < 0xe000) {
      append_utf8(0x10000U + (static_cast<uint32_t>(first - 0xd800) << 10) +
                      static_cast<uint32_t>(second - 0xdc00),
                  out);
      return 11;
    }
  }
  append_utf8(static_cast<uint32_t>(first), out);
  return 5;
}

// The content of a JSON string, of at most `limit` bytes.
std::string unescape(std::string_view raw, size_t limit) {
  std::string out;
  size_t at = 0;
  while (at < raw.size() && out.size() < limit) {
    const size_t end = std::min(raw.find('\\', at), raw.size());
    out.append(raw.substr(at, end - at));
    if (end == raw.size()) break;
    at = end + 1 + append_escape(raw, end + 1, &out);
  }
  if (out.size() > limit) out.resize(limit);
  return out;
}

// Walks the members of one object.
class ObjectCursor {
 public:
  explicit ObjectCursor(std::string_view text) : text_(text) {}

  // False = the text ended, or is not JSON.
  bool skip_to(char c) {
    skip_space();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool is_next(char c) {
    skip_space();
    return at_ < text_.size() && text_[at_] == c;
  }

  // A string without its quotes, still escaped.
  bool read_string(std::string_view* raw) {
    if (!skip_to('"')) return false;
    const size_t begin = at_;
    for (;;) {
      at_ = find_either(text_, '"', '\\', at_);
      if (at_ >= text_.size()) return false;
      if (text_[at_] == '"') break;
      at_ += 2;
      if (at_ > text_.size()) return false;
    }
    *raw = text_.substr(begin, at_ - begin);
    ++at_;
    return true;
  }

  // Any value but a string, without looking inside; `scalar` is set for a number, true, false or
  // null.
  bool skip_value(std::string_view* scalar) {
    *scalar = {};
    if (is_next('{') || is_next('[')) return skip_nested();
    const size_t end = text_.find_first_of(",}] \t\r\n", at_);
    if (end == text_.npos || end == at_) return false;  // it may go on behind a prefix
    *scalar = text_.substr(at_, end - at_);
    at_ = end;
    return true;
  }

 private:
  void skip_space() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c != ' ' && c != '\t' && c != '\r' && c != '\n') return;
      ++at_;
    }
  }
  bool skip_nested() {
    size_t depth = 0;
    for (;;) {
      at_ = find_json_mark(text_, at_);
      if (at_ == text_.size()) return false;
      switch (text_[at_]) {
        case '"': {
          std::string_view ignored;
          if (!read_string(&ignored)) return false;
          continue;
        }
        case '{':
        case '[':
          ++depth;
          break;
        default:
          --depth;
          break;
      }
      ++at_;
      if (depth == 0) return true;
    }
  }

  std::string_view text_;
  size_t at_ = 0;
};

enum class Key : uint8_t { other, model, stream };

Key key_of(std::string_view raw) {
  std::string unescaped;
  if (raw.find('\\') != raw.npos) {
    unescaped = unescape(raw, kMaxKeyBytes);
    raw = unescaped;
  }
  if (raw == "model") return Key::model;
  return raw == "stream" ? Key::stream : Key::other;
}

// One member's value. False = the text ended, or is not JSON.
bool read_value(Key key, ObjectCursor* cursor, RequestFields* fields) {
  if (cursor->is_next('"')) {
    std::string_view raw;
    if (!cursor->read_string(&raw)) return false;
    if (key == Key::model) fields->model = unescape(raw, kMaxModelBytes);
    if (key == Key::stream) fields->is_stream = false;
    return true;
  }
  std::string_view scalar;
  if (!cursor->skip_value(&scalar)) return false;
  if (key == Key::model) fields->model.clear();
  if (key == Key::stream) fields->is_stream = scalar == "true";
  return true;
}

}  // namespace

RequestFields scan_request_fields(std::string_view body) {
  RequestFields fields;
  if (body.starts_with("\xef\xbb\xbf")) body.remove_prefix(3);  // Python's json skips it too
  ObjectCursor cursor(body);
  if (!cursor.skip_to('{')) return fields;
  if (!cursor.is_next('}')) {
    do {
      std::string_view raw;
      if (!cursor.read_string(&raw) || !cursor.skip_to(':')) return fields;
      if (!read_value(key_of(raw), &cursor, &fields)) return fields;
    } while (cursor.skip_to(','));
  }
  fields.is_complete = cursor.skip_to('}');
  return fields;
}

}  // namespace weir::http
