// Compares the fields of two heads that were read in two ways. Tests only.
#pragma once

#include <algorithm>

#include "lb/http/message_head.h"

namespace weir::fuzz {

inline bool same_fields(const http::FieldList& a, const http::FieldList& b) {
  return std::ranges::equal(a.all(), b.all(), [](const http::Field& one, const http::Field& two) {
    return one.name == two.name && one.value == two.value && one.id == two.id;
  });
}

}  // namespace weir::fuzz
