#include "discovery/make_discovery.h"

#include <unistd.h>

#include <fmt/core.h>

#include "discovery/file_discovery.h"

namespace weir {

Result<std::unique_ptr<Discovery>, Problem> make_discovery(EventLoop& loop,
                                                           const DiscoveryRequest& request) {
  if (request.what.empty()) {
    return Problem{"nothing to discover: the path is empty",
                   "name a launcher file, a directory or a pattern"};
  }
  if (request.what.starts_with("slurm:")) {
    return Problem{fmt::format("cannot discover \"{}\": following other jobs is not supported yet",
                               request.what),
                   "let the job write a file with `weir launch --publish FILE` and follow that"};
  }
  std::string path = request.what.starts_with("file:") ? request.what.substr(5) : request.what;
  FileDiscoveryOptions options;
  options.source = "file:" + path;
  options.interval = request.interval;
  options.scan = {std::move(path), request.owners, ::getuid()};
  return std::unique_ptr<Discovery>(std::make_unique<FileDiscovery>(loop, std::move(options)));
}

}  // namespace weir
