#include "bench/report/report_settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "bench/report/run_json.h"

namespace weir {
namespace {

constexpr size_t kMostMetadata = 64;
constexpr size_t kShortestSecret = 8;  // shorter ones would take words out of other texts

std::string because() {
  return std::string(": ") + strerror(errno);
}

Result<Ok, Problem> read_metadata(const std::vector<std::string>& texts, ReportSettings* settings) {
  for (const std::string& text : texts) {
    const size_t sign = text.find('=');
    const std::string key = text.substr(0, sign);
    if (sign == std::string::npos || is_taken_key(key)) {
      return Problem{"--metadata " + fit(text, settings->secrets, 200) + ": " +
                         (sign == std::string::npos ? "there is no = in it"
                                                    : "the result has that key anyway"),
                     "write --metadata KEY=VALUE with a key of your own"};
    }
    settings->metadata.emplace_back(fit(key, settings->secrets),
                                    fit(text.substr(sign + 1), settings->secrets));
  }
  if (settings->metadata.size() <= kMostMetadata) return Ok{};
  return Problem{"--metadata: more than 64 of them", "drop some of them"};
}

Result<Ok, Problem> check_folder(const std::string& path, std::string_view option) {
  struct stat status {};
  if (path.empty()) return Ok{};
  if (stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) {
    return Problem{std::string(option) + " " + path + ": that is a folder",
                   "name a file, or use --out for a folder with all outputs"};
  }
  std::string folder = std::filesystem::path(path).parent_path().string();
  if (folder.empty()) folder = ".";
  if (access(folder.c_str(), W_OK) == 0) return Ok{};
  return Problem{
      std::string(option) + " " + path + ": nothing can be written to " + folder + because(),
      "make that folder, or name another one"};
}

Result<Ok, Problem> write_all(int fd, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Problem{path + " could not be written" + because(), "make room for it"};
    text.remove_prefix(static_cast<size_t>(written));
  }
  return Ok{};
}

Result<Ok, Problem> write_new(const std::string& path, int flags, std::string_view text) {
  const int fd = open(path.c_str(), flags | O_WRONLY | O_CLOEXEC, 0666);
  if (fd < 0) {
    return Problem{path + " could not be opened" + because(), "name a place you may write to"};
  }
  Result<Ok, Problem> result = write_all(fd, text, path);
  if (close(fd) != 0 && result) {
    return Problem{path + " could not be written" + because(), "make room for it"};
  }
  return result;
}

}  // namespace

Result<ReportSettings, Problem> read_settings(const ReportOptions& options) {
  ReportSettings settings;
  for (const char* name : {"OPENAI_API_KEY", "VLLM_API_KEY", "WEIR_API_KEY", "HF_TOKEN"}) {
    const char* value = getenv(name);
    if (value != nullptr && *value != '\0') settings.secrets.emplace_back(value);
  }
  for (const std::string& secret : options.secrets) {
    if (secret.size() >= kShortestSecret) settings.secrets.push_back(secret);
  }
  settings.verdict.allow_failed = options.allow_failed;
  settings.is_detailed = options.detailed;
  settings.goodput_texts = options.goodput;
  Result<std::vector<Condition>, Problem> slo = parse_conditions(options.slo, "--slo");
  if (!slo) return slo.error();
  settings.verdict.slo = std::move(*slo);
  Result<std::vector<Condition>, Problem> fail_on = parse_conditions(options.fail_on, "--fail-on");
  if (!fail_on) return fail_on.error();
  settings.verdict.fail_on = std::move(*fail_on);
  Result<std::vector<GoodputLimit>, Problem> goodput = parse_goodput(options.goodput);
  if (!goodput) return goodput.error();
  settings.goodput = std::move(*goodput);
  if (!options.percentiles.empty()) {
    Result<std::vector<double>, Problem> percents = parse_percentiles(options.percentiles);
    if (!percents) return percents.error();
    settings.percents = std::move(*percents);
  }
  const Result<Ok, Problem> metadata = read_metadata(options.metadata, &settings);
  if (!metadata) return metadata.error();
  return settings;
}

Result<ReportFiles, Problem> choose_files(const ReportOptions& options) {
  ReportFiles files;
  if (options.out.ends_with(".json")) {
    files.run = options.out;
  } else if (!options.out.empty()) {
    const std::filesystem::path folder(options.out);
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) {
      return Problem{"--out " + options.out + ": that folder cannot be made: " + error.message(),
                     "name a file that ends with .json, or a folder you may write to"};
    }
    files.run = folder / "run.json";
    files.requests = folder / "requests.jsonl";
    files.html = folder / "report.html";
    files.markdown = folder / "report.md";
    files.junit = folder / "junit.xml";
    files.steps = folder / "summary.json";
  }
  if (!options.jsonl.empty()) files.requests = options.jsonl;
  if (!options.html.empty()) files.html = options.html;
  if (!options.markdown.empty()) files.markdown = options.markdown;
  if (!options.junit.empty()) files.junit = options.junit;
  const std::array<std::pair<std::string_view, const std::string*>, 5> all{
      {{"--out", &files.run},
       {"--jsonl", &files.requests},
       {"--html", &files.html},
       {"--md", &files.markdown},
       {"--junit", &files.junit}}};
  for (const auto& [option, path] : all) {
    const Result<Ok, Problem> fine = check_folder(*path, option);
    if (!fine) return fine.error();
  }
  return files;
}

Result<Ok, Problem> write_file(const std::string& path, std::string_view text) {
  struct stat status {};
  if (stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    return write_new(path, 0, text);  // a pipe, /dev/null
  }
  const std::string beside = path + ".part" + std::to_string(getpid());
  Result<Ok, Problem> result = write_new(beside, O_CREAT | O_TRUNC, text);
  if (result && rename(beside.c_str(), path.c_str()) != 0) {
    result = Problem{path + " could not be written" + because(), "name a place you may write to"};
  }
  if (!result) unlink(beside.c_str());
  return result;
}

}  // namespace weir
