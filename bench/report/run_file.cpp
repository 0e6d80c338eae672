#include "bench/report/run_file.h"

#include <stdio.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "bench/report/run_json.h"

namespace weir {
namespace {

using Json = nlohmann::json;

constexpr size_t kLargestFile = size_t{1} << 30;
constexpr int kDeepest = 64;

// Thrown within this file, never out of it.
struct Mistake {
  FileMistake mistake;
};

[[noreturn]] void fail(std::string where, std::string what, std::string help) {
  throw Mistake{{std::move(where), {std::move(what), std::move(help)}}};
}

std::string place_of(std::string_view text, size_t byte, size_t first_line) {
  const std::string_view before = text.substr(0, byte == 0 ? 0 : byte - 1);
  const size_t line = first_line + static_cast<size_t>(std::ranges::count(before, '\n'));
  const size_t start = before.rfind('\n');
  const size_t column = before.size() - (start == std::string_view::npos ? 0 : start + 1) + 1;
  return std::to_string(line) + ":" + std::to_string(column);
}

// "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error while ..." keeps
// what stands behind the place.
std::string reason_of(std::string_view what) {
  const size_t at = what.find("syntax error");
  std::string_view reason = at == std::string_view::npos ? what : what.substr(at);
  return std::string(reason.substr(0, 200));
}

Json parse(const std::string& path, std::string_view text, size_t first_line = 1) {
  // Depth is bounded by ourselves: the library recurses when it destroys.
  const auto too_deep = [](int depth, Json::parse_event_t, Json&) { return depth <= kDeepest; };
  try {
    return Json::parse(text, too_deep);
  } catch (const Json::parse_error& error) {
    fail(path + ":" + place_of(text, error.byte, first_line),
         "this is no JSON: " + reason_of(error.what()), "name a run.json that weir bench wrote");
  }
}

std::string kind_of(const Json& value) {
  if (value.is_null()) return "null";
  if (value.is_boolean()) return "true or false";
  if (value.is_number()) return "a number";
  if (value.is_string()) return "a string";
  return value.is_array() ? "an array" : "an object";
}

// A value and the way to it.
class Node {
 public:
  Node(const std::string& path, const Json& json, std::string pointer)
      : path_(path), json_(json), pointer_(std::move(pointer)) {}

  Node at(const std::string& key) const {
    if (!json_.is_object()) wrong("an object");
    const auto found = json_.find(key);
    if (found == json_.end()) {
      fail(path_ + ": " + pointer_ + "/" + key, "this key is missing",
           "name a run.json that weir bench wrote");
    }
    return {path_, *found, pointer_ + "/" + key};
  }
  bool has(const std::string& key) const { return json_.is_object() && json_.contains(key); }

  double number() const {
    if (!json_.is_number()) wrong("a number");
    return json_.get<double>();
  }
  uint64_t count() const {
    const double value = number();
    if (value < 0 || value > 1e15) wrong("a count");
    return static_cast<uint64_t>(value);
  }
  bool boolean() const {
    if (!json_.is_boolean()) wrong("true or false");
    return json_.get<bool>();
  }
  std::string text() const {
    if (!json_.is_string()) wrong("a string");
    return json_.get<std::string>();
  }
  // Whatever it is, for comparing.
  std::string plain() const { return json_.is_string() ? json_.get<std::string>() : json_.dump(); }

  std::vector<Node> items() const {
    if (!json_.is_array()) wrong("an array");
    std::vector<Node> nodes;
    for (size_t i = 0; i < json_.size(); ++i) {
      nodes.emplace_back(path_, json_[i], pointer_ + "/" + std::to_string(i));
    }
    return nodes;
  }
  std::vector<double> numbers() const {
    if (!json_.is_array()) wrong("an array of numbers");
    std::vector<double> values;
    values.reserve(json_.size());
    for (size_t i = 0; i < json_.size(); ++i) {
      if (!json_[i].is_number()) Node(path_, json_[i], pointer_ + "/" + std::to_string(i)).number();
      values.push_back(json_[i].get<double>());
    }
    return values;
  }

 private:
  [[noreturn]] void wrong(const std::string& expected) const {
    const std::string where = pointer_.empty() ? "" : ": " + pointer_;
    fail(path_ + where, "expected " + expected + ", got " + kind_of(json_),
         "name a run.json that weir bench wrote");
  }

  const std::string& path_;
  const Json& json_;
  std::string pointer_;
};

void read_weir(const Node& weir, RunFile* file) {
  const uint64_t format = weir.at("format").count();
  if (format != kRunFormat) {
    fail(file->path + ": /weir/format",
         "is " + std::to_string(format) + ", this weir reads " + std::to_string(kRunFormat),
         "compare with the weir that wrote it, or measure again");
  }
  file->version = weir.at("version").text();
  file->started_at = weir.at("started_at").text();
  for (const Node& target : weir.at("targets").items()) file->targets.push_back(target.text());
  const Node workload = weir.at("workload");
  for (const char* key :
       {"kind", "load", "work", "model", "endpoint", "streamed", "warm_up_s", "think_s", "speed"}) {
    file->workload.emplace_back(key, workload.at(key).plain());
  }
  file->seed = workload.at("seed").count();
  const Node tester = weir.at("tester");
  file->is_trusted = tester.at("trusted").boolean();
  for (const Node& reason : tester.at("reasons").items()) file->reasons.push_back(reason.text());
  file->was_interrupted = weir.at("interrupted").boolean();
  const Node requests = weir.at("requests");
  file->ok = requests.at("ok").count();
  for (const char* key : {"truncated", "failed", "rejected"})
    file->lost += requests.at(key).count();
  file->requests_per_s = weir.at("throughput").at("requests_per_s").number();
  file->output_tokens_per_s = weir.at("throughput").at("output_tokens_per_s").number();
}

// Whole seconds of the window; tokens are events times the tokens of a mean event.
void read_seconds(const Node& weir, RunFile* file) {
  const double begin = weir.at("window").at("begin_s").number();
  const double end = weir.at("window").at("end_s").number();
  const double events = weir.at("tokens").at("events").number();
  const double scale = events > 0 ? weir.at("tokens").at("output").number() / events : 0;
  const std::vector<double> ok = weir.at("timeline").at("ok").numbers();
  const std::vector<double> came = weir.at("timeline").at("token_events").numbers();
  if (ok.size() != came.size()) {
    fail(file->path + ": /weir/timeline", "its arrays are not of one length",
         "name a run.json that weir bench wrote");
  }
  for (size_t i = 0; i < ok.size(); ++i) {
    const double second = static_cast<double>(i);
    if (second + 0.001 < begin || second + 0.999 > end) continue;
    file->requests_by_second.push_back(ok[i]);
    file->tokens_by_second.push_back(came[i] * scale);
  }
}

void read_request(const Node& line, uint32_t owner, RunSeries* series) {
  if (line.has("ttft_ms")) series->ttft.add(owner, line.at("ttft_ms").number());
  if (line.has("tpot_ms")) series->tpot.add(owner, line.at("tpot_ms").number());
  if (line.has("e2el_ms")) series->e2el.add(owner, line.at("e2el_ms").number());
  for (const double gap : line.at("gaps_ms").numbers()) series->itl.add(owner, gap);
}

// False: these are not the requests of that run.
bool read_lines(const RunTexts& texts, uint64_t expected, RunSeries* series) {
  const std::string_view all(*texts.requests);
  uint64_t ok = 0;
  size_t number = 0;
  for (size_t at = 0; at < all.size();) {
    const size_t end = std::min(all.find('\n', at), all.size());
    const Json line = parse(texts.requests_path, all.substr(at, end - at), ++number);
    const std::string where = texts.requests_path + ":" + std::to_string(number);
    const Node node(where, line, "");
    at = end + 1;
    if (node.at("outcome").text() != "ok" || node.has("warm_up")) continue;
    read_request(node, static_cast<uint32_t>(ok++), series);
  }
  return ok == expected;
}

// What run.json itself has of each request: E2EL always, the rest with --detailed.
void read_arrays(const Node& run, RunFile* file) {
  const std::vector<double> latencies = run.at("latencies").numbers();
  const std::vector<double> queued = run.at("queue_times").numbers();
  const bool is_detailed = run.has("ttfts") && run.has("itls") && run.has("output_lens");
  const std::vector<double> ttfts = is_detailed ? run.at("ttfts").numbers() : latencies;
  const std::vector<double> lengths = is_detailed ? run.at("output_lens").numbers() : latencies;
  const std::vector<Node> itls = is_detailed ? run.at("itls").items() : std::vector<Node>{};
  const bool is_even = queued.size() == latencies.size() && ttfts.size() == latencies.size() &&
                       lengths.size() == latencies.size() &&
                       (!is_detailed || itls.size() == latencies.size());
  if (!is_even) {
    fail(file->path + ": /latencies", "the arrays of the requests are not of one length",
         "name a run.json that weir bench wrote");
  }
  for (size_t i = 0; i < latencies.size(); ++i) {
    if (latencies[i] <= 0) continue;  // lost
    const uint32_t owner = static_cast<uint32_t>(i);
    file->series.e2el.add(owner, (latencies[i] + queued[i]) * 1000);
    if (!is_detailed || ttfts[i] <= 0) continue;
    file->series.ttft.add(owner, (ttfts[i] + queued[i]) * 1000);
    if (lengths[i] > 1) {
      file->series.tpot.add(owner, (latencies[i] - ttfts[i]) * 1000 / (lengths[i] - 1));
    }
    for (const double gap : itls[i].numbers()) file->series.itl.add(owner, gap * 1000);
  }
}

RunFile read_texts(const RunTexts& texts) {
  RunFile file;
  file.path = texts.path;
  const Json json = parse(texts.path, texts.run);
  const Node run(file.path, json, "");
  if (!json.is_object() || !json.contains("weir")) {
    fail(texts.path,
         json.is_object() ? "there is no key \"weir\" in it: weir bench did not write it"
                          : "expected an object, got " + kind_of(json),
         "name a run.json that weir bench wrote");
  }
  const Node weir = run.at("weir");
  read_weir(weir, &file);
  read_seconds(weir, &file);
  bool is_read = false;
  if (texts.requests) {
    is_read = read_lines(texts, file.ok, &file.series);
    if (!is_read) file.note = texts.requests_path + " is of another run and was not used";
  }
  if (!is_read) {
    file.series = {};
    read_arrays(run, &file);
    if (file.note.empty()) file.note = "no requests.jsonl beside it";
  }
  for (Series* series :
       {&file.series.ttft, &file.series.tpot, &file.series.itl, &file.series.e2el}) {
    series->finish(ResampleOptions{}.most_rows);
  }
  return file;
}

std::optional<std::string> read_whole(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0 || S_ISDIR(status.st_mode)) return std::nullopt;
  FILE* file = fopen(path.c_str(), "rbe");
  if (file == nullptr) return std::nullopt;
  std::string text;
  std::array<char, 65536> block{};
  for (size_t got = 1; got > 0 && text.size() <= kLargestFile;) {
    got = fread(block.data(), 1, block.size(), file);
    text.append(block.data(), got);
  }
  const bool is_fine = ferror(file) == 0;
  fclose(file);
  if (!is_fine) return std::nullopt;
  return text;
}

}  // namespace

Result<RunFile, FileMistake> read_run_texts(const RunTexts& texts) {
  try {
    return read_texts(texts);
  } catch (const Mistake& mistake) {
    return mistake.mistake;
  } catch (const Json::exception& error) {
    return FileMistake{texts.path,
                       {"this cannot be read: " + reason_of(error.what()),
                        "name a run.json that weir bench wrote"}};
  }
}

Result<RunFile, FileMistake> read_run_file(const std::string& path) {
  std::error_code error;
  const bool is_folder = std::filesystem::is_directory(path, error);
  std::filesystem::path run(path);
  if (is_folder) run /= "run.json";
  RunTexts texts;
  texts.path = run.string();
  std::optional<std::string> text = read_whole(texts.path);
  if (!text) {
    return FileMistake{texts.path,
                       {"this file cannot be read",
                        "name a run.json, or the folder that --out of weir bench made"}};
  }
  texts.run = std::move(*text);
  texts.requests_path = (run.parent_path() / "requests.jsonl").string();
  texts.requests = read_whole(texts.requests_path);
  if (texts.run.size() > kLargestFile ||
      (texts.requests && texts.requests->size() > kLargestFile)) {
    return FileMistake{texts.path, {"it is larger than 1 GiB", "compare shorter runs"}};
  }
  return read_run_texts(texts);
}

}  // namespace weir
