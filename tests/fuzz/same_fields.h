// Compares the fields of two heads that were read in two ways. Tests only.
#pragma once

#include <algorithm>
#include <string>

#include "lb/http/message_head.h"

namespace weir::fuzz {

inline bool same_fields(const http::FieldList& a, const http::FieldList& b) {
  return std::ranges::equal(a.all(), b.all(), [](const http::Field& one, const http::Field& two) {
    return one.name == two.name && one.value == two.value && one.id == two.id;
  });
}

// What is_whole_line says is so.
inline bool are_whole_lines(const http::FieldList& fields) {
  return std::ranges::all_of(fields.all(), [](const http::Field& field) {
    const std::string line = std::string(field.name) + ": " + std::string(field.value) + "\r\n";
    return !field.is_whole_line || field.whole_line() == line;
  });
}

}  // namespace weir::fuzz
