// One request to one target before the load begins: which model is there, how long is a text.
// Blocks up to its time-out. Main thread.
#pragma once

#include <string>
#include <string_view>

#include "weir/result.h"
#include "weir/timer.h"

#include "bench/engine/load_options.h"

namespace weir {

struct PlainReply {
  int status = 0;
  std::string body;
};

// `fields`: "Name: value\r\n"...; GET when there is no body, else POST of JSON. A Problem is:
// nobody there, no answer in time, or not an answer of HTTP.
Result<PlainReply, Problem> plain_request(const BenchTarget& target, std::string_view path,
                                          std::string_view fields, std::string_view body,
                                          Duration timeout);

}  // namespace weir
