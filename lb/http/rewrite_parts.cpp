#include "lb/http/rewrite_parts.h"

#include "lb/http/ascii.h"

namespace weir::http {
namespace {

// Rules may not touch what makes a message one message.
bool is_out_of_rules(FieldName name) {
  return is_hop_by_hop(name) || name == FieldName::content_length;
}

bool is_removed_by(const HeaderRule& rule, std::string_view name) {
  switch (rule.kind) {
    case HeaderRule::Kind::add:
      return false;
    case HeaderRule::Kind::set:
    case HeaderRule::Kind::remove:
      return equals_without_case(rule.name, name);
    case HeaderRule::Kind::remove_prefix:
      return name.size() >= rule.name.size() &&
             equals_without_case(name.substr(0, rule.name.size()), rule.name);
  }
  return false;
}

bool is_clean(const HeaderRule& rule) {
  for (const char c : rule.value) {
    if (!is_a(kTextChar, c)) return false;
  }
  return is_all(kTokenChar, rule.name);
}

}  // namespace

void NamedByConnection::read() {
  for (const Field& field : fields_.all()) {
    if (field.id == FieldName::connection) add(field.value);
  }
}

bool NamedByConnection::is_listed(std::string_view name) const {
  for (size_t i = 0; i < count_; ++i) {
    if (equals_without_case({names_[i].data, names_[i].size}, name)) return true;
  }
  return has_more_ && is_named_somewhere(name);
}

void NamedByConnection::add(std::string_view list) {
  while (!list.empty()) {
    const std::string_view option = take_element(&list);
    if (option.empty() || equals_lower(option, "close") || equals_lower(option, "keep-alive")) {
      continue;
    }
    if (count_ == kRemembered) {
      has_more_ = true;
      return;
    }
    names_[count_++] = {option.data(), option.size()};
  }
}

bool NamedByConnection::is_named_somewhere(std::string_view name) const {
  for (const Field& field : fields_.all()) {
    if (field.id != FieldName::connection) continue;
    std::string_view list = field.value;
    while (!list.empty()) {
      if (equals_without_case(take_element(&list), name)) return true;
    }
  }
  return false;
}

bool is_removed_by_any(std::span<const HeaderRule> rules, std::string_view name) {
  for (const HeaderRule& rule : rules) {
    if (is_removed_by(rule, name)) return true;
  }
  return false;
}

bool adds(const HeaderRule& rule) {
  const bool is_adding = rule.kind == HeaderRule::Kind::set || rule.kind == HeaderRule::Kind::add;
  return is_adding && is_clean(rule) && !is_out_of_rules(field_name(rule.name));
}

LineWriter& LineWriter::digits(uint64_t value) {
  std::array<char, 20> digits;
  char* at = digits.data() + digits.size();
  do {
    *--at = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  return text({at, static_cast<size_t>(digits.data() + digits.size() - at)});
}

LineWriter& LineWriter::long_text(std::string_view text) {
  flush();
  out_->append(text);
  return *this;
}

void LineWriter::flush() {
  out_->append(buffer_, used_);
  used_ = 0;
}

}  // namespace weir::http
