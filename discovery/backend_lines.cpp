#include "discovery/backend_lines.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <unordered_map>

#include <fmt/core.h>

#include "discovery/hostlist.h"

namespace weir {
namespace {

constexpr std::string_view kBlanks = " \t\r";
constexpr size_t kMaxLineLength = 4096;

std::optional<uint32_t> parse_number(std::string_view text) {
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

BackendSpec as_backend(Address address) {
  BackendSpec spec;
  spec.id = to_string(address);
  spec.address = std::move(address);
  return spec;
}

Problem too_many(std::string_view text) {
  return {fmt::format("\"{}\" stands for more than {} backends", text, kMaxListedBackends),
          "write fewer in one range"};
}

struct PortRange {
  uint32_t low = 0;
  uint32_t high = 0;
};

// "8000" or "8000-8007"
std::optional<PortRange> parse_ports(std::string_view text) {
  const size_t dash = text.find('-');
  const auto low = parse_number(text.substr(0, dash));
  const auto high = dash == std::string_view::npos ? low : parse_number(text.substr(dash + 1));
  if (!low || !high || *low == 0 || *high > 65535 || *high < *low) return {};
  return PortRange{*low, *high};
}

// Host list and port range multiplied out; `address` is neither a URL nor IPv6.
Result<std::vector<BackendSpec>, Problem> expand_host_and_ports(std::string_view address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string_view::npos) {
    return Problem{fmt::format("\"{}\": the port is missing", address), "write host:port"};
  }
  const std::string_view host = address.substr(0, colon);
  const auto ports = parse_ports(address.substr(colon + 1));
  if (!ports) {
    return Problem{fmt::format("\"{}\": bad port or range of ports", address),
                   "write host:8000 or host:8000-8007"};
  }
  Result<std::vector<std::string>, Problem> hosts = expand_hostlist(host);
  if (!hosts) return hosts.error();
  const size_t port_count = ports->high - ports->low + 1;
  if (hosts->size() * port_count > kMaxListedBackends) return too_many(address);
  std::vector<BackendSpec> out;
  for (const std::string& name : *hosts) {
    for (uint32_t port = ports->low; port <= ports->high; ++port) {
      Result<Address, Problem> one = parse_address(fmt::format("{}:{}", name, port));
      if (!one) return one.error();
      out.push_back(as_backend(std::move(*one)));
    }
  }
  return out;
}

// The part of "http://PART/v1" that names hosts and ports, if nothing else is in the URL.
std::string_view host_part(std::string_view text) {
  if (text.starts_with("http://")) text.remove_prefix(7);
  for (const std::string_view end : {"/v1/", "/v1", "/"}) {
    if (text.ends_with(end)) return text.substr(0, text.size() - end.size());
  }
  return text;
}

bool has_ranges(std::string_view host_and_port) {
  if (host_and_port.starts_with("unix:")) return false;
  const size_t bracket = host_and_port.find('[');
  const size_t colon = host_and_port.rfind(':');
  const bool has_host_list =
      bracket != std::string_view::npos &&
      (bracket > 0 || colon == std::string_view::npos || host_and_port.find(':') == colon);
  const bool has_port_range = colon != std::string_view::npos &&
                              host_and_port.substr(colon).find('-') != std::string_view::npos &&
                              host_and_port.find(':') == colon;
  return has_host_list || has_port_range;
}

Result<Ok, Problem> apply_word(std::string_view word, BackendSpec* spec, bool is_alone) {
  const size_t equals = word.find('=');
  const std::string_view name = word.substr(0, equals);
  const std::string_view value = word.substr(equals + 1);
  const auto number = parse_number(value);
  if (name == "weight" && number && *number >= 1 && *number <= 1000) {
    spec->weight = *number;
  } else if (name == "max_outstanding" && number) {
    spec->max_outstanding = *number;
  } else if (name == "model" && !value.empty()) {
    spec->models = {std::string(value)};
  } else if (name == "id" && !value.empty() && is_alone) {
    spec->id = value;
  } else {
    return Problem{fmt::format("bad word \"{}\"", word),
                   "behind the address may come weight=1..1000, max_outstanding=N, model=NAME, and "
                   "id=NAME for a "
                   "single backend"};
  }
  return Ok{};
}

std::vector<std::string_view> split_words(std::string_view line) {
  std::vector<std::string_view> words;
  size_t begin = line.find_first_not_of(kBlanks);
  while (begin != std::string_view::npos) {
    const size_t end = std::min(line.find_first_of(kBlanks, begin), line.size());
    words.push_back(line.substr(begin, end - begin));
    begin = line.find_first_not_of(kBlanks, end);
  }
  return words;
}

// A comment begins the line or follows a blank.
std::string_view without_comment(std::string_view line) {
  for (size_t i = line.find('#'); i != std::string_view::npos; i = line.find('#', i + 1)) {
    if (i == 0 || kBlanks.find(line[i - 1]) != std::string_view::npos) return line.substr(0, i);
  }
  return line;
}

}  // namespace

Result<std::vector<BackendSpec>, Problem> expand_backend_url(std::string_view text) {
  const std::string_view part = host_part(text);
  if (has_ranges(part)) return expand_host_and_ports(part);
  Result<Address, Problem> address = parse_backend_url(text);
  if (!address) return address.error();
  return std::vector<BackendSpec>{as_backend(std::move(*address))};
}

Result<std::vector<BackendSpec>, Problem> parse_backend_line(std::string_view line) {
  const std::vector<std::string_view> words = split_words(without_comment(line));
  if (words.empty()) return std::vector<BackendSpec>{};
  std::string address(words[0]);
  size_t next = 1;
  if (words.size() > 1 && parse_number(words[1])) {  // "host 8000"
    address = fmt::format("{}:{}", words[0], words[1]);
    next = 2;
  }
  Result<std::vector<BackendSpec>, Problem> backends = expand_backend_url(address);
  if (!backends) return backends;
  for (; next < words.size(); ++next) {
    for (BackendSpec& spec : *backends) {
      if (auto applied = apply_word(words[next], &spec, backends->size() == 1); !applied) {
        return applied.error();
      }
    }
  }
  return backends;
}

Result<LauncherFile, LauncherFileProblem> read_backend_lines(std::string_view text,
                                                             bool is_settled) {
  LauncherFile out;
  size_t number = 0;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    ++number;
    if (end == std::string_view::npos && !is_settled) {
      out.has_partial_line = true;
      break;
    }
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.size() > kMaxLineLength) {
      return LauncherFileProblem{"the line is too long for an address", number, 1};
    }
    Result<std::vector<BackendSpec>, Problem> backends = parse_backend_line(line);
    if (!backends) {
      const size_t column = std::min(line.find_first_not_of(" \t"), line.size()) + 1;
      return LauncherFileProblem{backends.error().what, number, column};
    }
    for (BackendSpec& spec : *backends) out.backends.push_back(std::move(spec));
    if (out.backends.size() > kMaxListedBackends) {
      return LauncherFileProblem{fmt::format("more than {} backends", kMaxListedBackends), number,
                                 1};
    }
  }
  return out;
}

std::string describe_clash(std::span<const BackendSpec> backends) {
  std::unordered_map<std::string_view, const Address*> seen;
  for (const BackendSpec& spec : backends) {
    const auto [it, is_new] = seen.emplace(spec.id, &spec.address);
    if (!is_new && *it->second != spec.address) {
      return fmt::format("id \"{}\" stands for {} and for {}", spec.id, to_string(*it->second),
                         to_string(spec.address));
    }
  }
  return {};
}

}  // namespace weir
