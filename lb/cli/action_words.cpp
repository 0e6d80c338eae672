#include "lb/cli/action_words.h"

#include <string_view>

#include "bench/engine/chaos.h"

namespace weir {
namespace {

constexpr std::string_view kFlag = "--at";
constexpr size_t kMostShown = 80;

bool is_verb(std::string_view word) {
  return word == "drain" || word == "undrain" || word == "exec";
}

// What may stand behind an action: an option, or a URL of a target.
bool begins_something_else(std::string_view word) {
  return word.starts_with("--") || word.starts_with("-H") || word == "-h" ||
         (!word.starts_with('/') && word.find(':') != word.npos);
}

std::string shown(const std::string& text) {
  return "\"" + text.substr(0, kMostShown) + "\"";
}

Problem nothing_behind(const std::string& what, const std::string& example) {
  return {"--at: " + what, "write " + example};
}

class Joiner {
 public:
  explicit Joiner(std::vector<std::string> words) : words_(std::move(words)) {}

  Result<std::vector<std::string>, Problem> run() {
    while (at_ < words_.size()) {
      const std::string word = words_[at_++];
      if (word == kFlag) {
        const Result<Ok, Problem> taken = take_action();
        if (!taken) return taken.error();
      } else if (word.starts_with("--at=")) {
        words_[--at_] = word.substr(kFlag.size() + 1);
        const Result<Ok, Problem> taken = take_action();
        if (!taken) return taken.error();
      } else {
        out_.push_back(word);
      }
    }
    return std::move(out_);
  }

 private:
  bool has_word() const { return at_ < words_.size() && !words_[at_].starts_with("--"); }

  Result<Ok, Problem> take_action() {
    const std::string example = "--at 30s drain n01-0";
    if (!has_word()) return nothing_behind("a time and an action are missing", example);
    std::string time = words_[at_++];
    std::string action;
    if (is_verb(time)) return nothing_behind("the time comes first", "--at 30s " + time + " ...");
    if (const size_t blank = time.find(' '); blank != time.npos) {
      action = time.substr(blank + 1);
      time.resize(blank);
    } else {
      if (!has_word()) {
        return nothing_behind("behind " + shown(time) + " an action is missing", example);
      }
      action = words_[at_++];
    }
    if (is_verb(action)) {
      const Result<Ok, Problem> whole = complete(&action);
      if (!whole) return whole.error();
    } else if (action.find(' ') == action.npos) {  // before its next word is taken for a URL
      std::string both = time;
      both += " " + action;
      return parse_action(both).error();
    }
    out_.insert(out_.end(), {std::string(kFlag), std::move(time), std::move(action)});
    return Ok{};
  }

  // "drain" and its backend as words of their own.
  Result<Ok, Problem> complete(std::string* action) {
    const bool is_exec = *action == "exec";
    const std::string verb = *action;
    if (!has_word()) {
      return nothing_behind(
          "\"" + verb + "\" of " + (is_exec ? "which command?" : "what?"),
          is_exec ? "--at 60s exec 'ssh n02 pkill -9 vllm'" : "--at 30s " + verb + " n01-0");
    }
    *action += " " + words_[at_++];
    if (at_ == words_.size() || begins_something_else(words_[at_])) return Ok{};
    std::string rest = words_[at_ - 1];
    for (size_t i = at_; i < words_.size() && !begins_something_else(words_[i]); ++i) {
      rest += " " + words_[i];
    }
    if (is_exec) {
      return nothing_behind(
          "the command of \"exec\" is one word, and " + shown(words_[at_]) + " stands behind it",
          "it in quotes, like exec '" + rest.substr(0, kMostShown) + "'");
    }
    return nothing_behind(shown(words_[at_]) + " stands behind " + shown(*action),
                          "an --at of its own for each backend");
  }

  std::vector<std::string> words_;
  std::vector<std::string> out_;
  size_t at_ = 0;
};

}  // namespace

Result<std::vector<std::string>, Problem> join_actions(std::vector<std::string> words) {
  return Joiner(std::move(words)).run();
}

}  // namespace weir
