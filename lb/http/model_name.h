// The top-level "model" and "stream" of a JSON request body, found without parsing it: depth-1 keys
// only, the last of a duplicate wins (as Python's json has it), escaped keys are unescaped.
// Bounded; pure.
#pragma once

#include <string>
#include <string_view>

namespace weir::http {

struct RequestFields {
  std::string model;  // at most 256 bytes; empty = absent or not a string
  bool is_stream = false;
  bool is_complete = false;  // the whole object was seen
};

// `body` may be a prefix.
RequestFields scan_request_fields(std::string_view body);

}  // namespace weir::http
