// An InstanceView as JSON and back: the one place that knows the keys of /api/v1/status. Pure; any
// thread.
#pragma once

#include <string>
#include <string_view>

#include "weir/result.h"

#include "lb/admin/live_view.h"

namespace weir {

std::string instance_json(const InstanceView& view);  // one line without a newline
// Unknown keys are left alone and missing ones keep their defaults: the other end may be another
// version.
Result<InstanceView, Problem> parse_instance(std::string_view json);

// What a refused request was answered, for people; the text itself if it is not of the API's form.
Problem parse_refusal(std::string_view body);

}  // namespace weir
