#include "bench/engine/trace.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "bench/engine/json_input.h"

namespace weir {
namespace {

constexpr uint32_t kMooncakeBlock = 512;
constexpr uint32_t kBailianBlock = 16;
constexpr double kMostSeconds = 1e9;

struct Timed {
  double seconds;
  TraceItem item;
};

// The lines of a text, without empty ones; `number` is of the line in the file.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}

  std::optional<std::string_view> next() {
    while (!rest_.empty()) {
      const size_t end = std::min(rest_.find('\n'), rest_.size());
      std::string_view line = rest_.substr(0, end);
      rest_.remove_prefix(std::min(end + 1, rest_.size()));
      ++number;
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (line.find_first_not_of(" \t") != line.npos) return line;
    }
    return std::nullopt;
  }

  size_t number = 0;

 private:
  std::string_view rest_;
};

Problem at_line(size_t number, std::string_view what) {
  return {fmt::format("line {}: {}", number, what), ""};
}

// Quotes are taken off; commas inside of them are not expected in these files.
std::vector<std::string_view> cells_of(std::string_view line) {
  std::vector<std::string_view> cells;
  while (true) {
    const size_t comma = std::min(line.find(','), line.size());
    std::string_view cell = line.substr(0, comma);
    while (!cell.empty() && (cell.front() == '"' || cell.front() == ' ')) cell.remove_prefix(1);
    while (!cell.empty() && (cell.back() == '"' || cell.back() == ' ')) cell.remove_suffix(1);
    cells.push_back(cell);
    if (comma == line.size()) return cells;
    line.remove_prefix(comma + 1);
  }
}

struct Columns {
  size_t time;
  size_t input;
  size_t output;
};

std::optional<Columns> find_columns(std::string_view head) {
  Columns columns{~size_t{0}, ~size_t{0}, ~size_t{0}};
  const std::vector<std::string_view> cells = cells_of(head);
  for (size_t i = 0; i < cells.size(); ++i) {
    const std::string_view cell = cells[i];
    if (cell == "TIMESTAMP" || cell == "Timestamp") columns.time = i;
    if (cell == "ContextTokens" || cell == "Request tokens") columns.input = i;
    if (cell == "GeneratedTokens" || cell == "Response tokens") columns.output = i;
  }
  const size_t most = std::max({columns.time, columns.input, columns.output});
  return most < cells.size() ? std::optional(columns) : std::nullopt;
}

Result<std::vector<Timed>, Problem> parse_csv(std::string_view text) {
  Lines lines(text);
  const std::optional<std::string_view> head = lines.next();
  const std::optional<Columns> columns = head ? find_columns(*head) : std::nullopt;
  if (!columns) {
    return Problem{"the first line does not name the columns of Azure's or BurstGPT's trace", ""};
  }
  std::vector<Timed> all;
  while (const std::optional<std::string_view> line = lines.next()) {
    const std::vector<std::string_view> cells = cells_of(*line);
    if (cells.size() <= std::max({columns->time, columns->input, columns->output})) {
      return at_line(lines.number, "there are too few columns");
    }
    double seconds = 0;
    double input = 0;
    double output = 0;
    if (!parse_number(cells[columns->time], 0, kMostSeconds, &seconds)) {
      const std::optional<double> time = parse_date_time(cells[columns->time]);
      if (!time) return at_line(lines.number, "the time is neither seconds nor date and time");
      seconds = *time;
    }
    if (!parse_number(cells[columns->input], 0, kLongestPrompt, &input) ||
        !parse_number(cells[columns->output], 0, kLongestPrompt, &output)) {
      return at_line(lines.number, "a number of tokens is none");
    }
    if (output < 1) continue;  // BurstGPT has failures as answers of no tokens
    Timed one{seconds, {}};
    one.item.input_tokens = static_cast<uint32_t>(std::max(1.0, input));
    one.item.output_tokens = static_cast<uint32_t>(output);
    if (all.size() < kMostTraceItems) all.push_back(std::move(one));
  }
  return all;
}

Result<std::vector<Timed>, Problem> parse_jsonl(std::string_view text, double unit) {
  Lines lines(text);
  std::vector<Timed> all;
  while (const std::optional<std::string_view> line = lines.next()) {
    Result<std::optional<TraceLine>, Problem> parsed = parse_trace_line(*line);
    if (!parsed) return at_line(lines.number, parsed.error().what);
    if (!*parsed) continue;
    const double seconds = (*parsed)->is_wall_clock ? (*parsed)->time : (*parsed)->time * unit;
    if (all.size() < kMostTraceItems) all.push_back({seconds, std::move((*parsed)->item)});
  }
  return all;
}

TraceFormat look(std::string_view text) {
  Lines lines(text);
  const std::string_view first = lines.next().value_or("");
  if (first.starts_with("TIMESTAMP")) return TraceFormat::azure;
  if (!first.starts_with('{')) return TraceFormat::burstgpt;
  if (first.find("\"chat_id\"") != first.npos) return TraceFormat::bailian;
  return first.find("\"tok_in\"") != first.npos ? TraceFormat::weir : TraceFormat::mooncake;
}

}  // namespace

Result<TraceFormat, Problem> parse_trace_format(std::string_view name) {
  constexpr std::pair<std::string_view, TraceFormat> kNames[] = {
      {"mooncake", TraceFormat::mooncake}, {"bailian", TraceFormat::bailian},
      {"azure", TraceFormat::azure},       {"burstgpt", TraceFormat::burstgpt},
      {"weir", TraceFormat::weir},         {"auto", TraceFormat::by_look}};
  for (const auto& [known, format] : kNames) {
    if (name == known) return format;
  }
  return Problem{"unknown format \"" + std::string(name.substr(0, 80)) + "\"",
                 "write mooncake, bailian, azure, burstgpt, weir or auto"};
}

Result<Trace, Problem> parse_trace(std::string_view text, TraceFormat format) {
  if (format == TraceFormat::by_look) format = look(text);
  const bool is_csv = format == TraceFormat::azure || format == TraceFormat::burstgpt;
  const double unit = format == TraceFormat::mooncake ? 1e-3 : 1;
  Result<std::vector<Timed>, Problem> lines = is_csv ? parse_csv(text) : parse_jsonl(text, unit);
  if (!lines) return lines.error();
  if (lines->empty()) return Problem{"there is no request in it", ""};
  std::ranges::stable_sort(*lines, {}, &Timed::seconds);
  Trace trace;
  if (format == TraceFormat::bailian) trace.block_tokens = kBailianBlock;
  if (format == TraceFormat::mooncake) trace.block_tokens = kMooncakeBlock;
  const double begin = lines->front().seconds;
  for (Timed& line : *lines) {
    line.item.at_ns = static_cast<int64_t>(std::llround((line.seconds - begin) * 1e9));
    trace.items.push_back(std::move(line.item));
  }
  return trace;
}

Result<std::vector<PromptItem>, Problem> parse_prompts(std::string_view text) {
  std::vector<PromptItem> prompts;
  Lines lines(text);
  bool is_json = false;
  while (const std::optional<std::string_view> line = lines.next()) {
    if (prompts.empty()) is_json = line->starts_with('{') || line->starts_with('"');
    if (prompts.size() >= kMostTraceItems) break;
    if (!is_json) {
      prompts.push_back({});
      prompts.back().text = *line;
      continue;
    }
    Result<PromptItem, Problem> item = parse_prompt_line(*line);
    if (!item) return at_line(lines.number, item.error().what);
    prompts.push_back(std::move(*item));
  }
  if (prompts.empty()) return Problem{"there is no prompt in it", ""};
  return prompts;
}

}  // namespace weir
