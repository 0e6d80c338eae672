// Addresses as people write them by hand: "http://node[01-08]:8000/v1", "host:8000-8007", "host
// 8000", and lists of such lines with comments. Pure; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weir/backend.h"
#include "weir/result.h"

#include "discovery/launcher_file.h"

namespace weir {

// One URL or host:port, host lists and a range of ports expanded, in the order written; at most
// kMaxListedBackends. Ids are "host:port".
Result<std::vector<BackendSpec>, Problem> expand_backend_url(std::string_view text);

// A line: an address and optional key=value words (weight, model, id, max_outstanding). Empty when
// it has only a comment.
Result<std::vector<BackendSpec>, Problem> parse_backend_line(std::string_view line);

// A whole file of such lines; `is_settled` as in read_launcher_file().
Result<LauncherFile, LauncherFileProblem> read_backend_lines(std::string_view text,
                                                             bool is_settled);

// One id for two addresses would silently lose one of them: the text that says so, or empty.
std::string describe_clash(std::span<const BackendSpec> backends);

}  // namespace weir
