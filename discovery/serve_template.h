// The command line of --serve with its placeholders: {host} {port} {gpu} {replica} {node}
// {api_key}. Every other brace is left alone (people write JSON in flags). Pure; value types, any
// thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weir {

struct ServeValues {
  std::string host;  // the address to bind and to be reached at
  std::string port;
  std::string gpu;      // its GPUs as CUDA_VISIBLE_DEVICES has them: "2" or "2,3"
  std::string replica;  // its number in the run
  std::string node;
  std::string api_key;
};

struct ServePart {
  bool is_placeholder = false;
  std::string text;  // literal text, or the placeholder's name without braces
};

std::vector<ServePart> split_serve(std::string_view command);
std::string fill_serve(std::string_view command, const ServeValues& values);

// What a person should hear about it: near misses ({prot}), {api_key} (visible in ps), no {port}
// anywhere.
std::vector<std::string> check_serve(std::string_view command);

}  // namespace weir
