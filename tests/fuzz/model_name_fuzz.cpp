// Where a whole parser takes the body, the scanner finds what the parser finds.
#include <nlohmann/json.hpp>

#include "lb/http/model_name.h"
#include "tests/fuzz/fuzz.h"

using nlohmann::json;
using weir::fuzz::check;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view body = weir::fuzz::as_text(data, size);
  const weir::http::RequestFields fields = weir::http::scan_request_fields(body);
  check(fields.model.size() <= 256, "the model is bounded");
  const json parsed = json::parse(body, nullptr, false);
  if (!parsed.is_object()) return 0;
  check(fields.is_complete, "a whole object is seen whole");
  const auto model = parsed.find("model");
  const bool has_model = model != parsed.end() && model->is_string();
  check(fields.model == (has_model ? model->get<std::string>().substr(0, 256) : ""), "the model");
  const auto stream = parsed.find("stream");
  check(fields.is_stream == (stream != parsed.end() && *stream == true), "stream");
  return 0;
}
