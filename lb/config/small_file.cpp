#include "lb/config/small_file.h"

#include <errno.h>
#include <string.h>

#include <cstdio>
#include <memory>

namespace weir {
namespace {

struct Closer {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

Problem cannot_read(const std::string& path, int error) {
  return Problem{"cannot read " + path + ": " + ::strerror(error),
                 "check the path and its permissions"};
}

}  // namespace

Result<std::string, Problem> read_small_file(const std::string& path, size_t most) {
  const std::unique_ptr<std::FILE, Closer> file(std::fopen(path.c_str(), "rbe"));
  if (!file) return cannot_read(path, errno);
  std::string text(most + 1, '\0');
  const size_t size = std::fread(text.data(), 1, text.size(), file.get());
  if (std::ferror(file.get()) != 0) return cannot_read(path, errno);
  if (size > most) return Problem{path + " is larger than " + std::to_string(most) + " bytes", ""};
  text.resize(size);
  return text;
}

}  // namespace weir
