// What comes from other programs and machines, cut, doubled and overwritten: an answer or a
// Problem, never a crash. The seed is fixed.
#include <fstream>
#include <iterator>
#include <random>

#include <gtest/gtest.h>

#include "discovery/hostlist.h"
#include "discovery/port_choice.h"
#include "discovery/replica_report.h"
#include "discovery/serve_template.h"
#include "discovery/slurm_queue.h"

namespace weir {
namespace {

std::string fixture(const char* name) {
  std::ifstream file(std::string(WEIR_FIXTURES "/slurm/") + name);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string mangled(std::string text, std::mt19937& random) {
  constexpr std::string_view kBytes = "[]{},-=:()|. 019\n\0\xff";
  const auto below = [&](size_t bound) { return bound == 0 ? 0 : random() % bound; };
  for (size_t changes = 1 + below(4); changes > 0 && !text.empty(); --changes) {
    const size_t at = below(text.size());
    switch (below(4)) {
      case 0:
        text[at] = kBytes[below(kBytes.size())];
        break;
      case 1:
        text.insert(at, 1, kBytes[below(kBytes.size())]);
        break;
      case 2:
        text.erase(at, below(20));
        break;
      default:
        text.insert(at, text.substr(below(text.size()), below(30)));
        break;
    }
  }
  return text;
}

template <typename Parse>
void feed(const std::string& text, int times, Parse parse) {
  std::mt19937 random(20261122);
  for (int i = 0; i < times; ++i) parse(mangled(text, random));
}

TEST(MangledTextTest, HostListsGiveBoundedNamesOrAProblem) {
  feed("gpu[01-03,07],cn-[1-2]-ib[0-1].x", 3000, [](const std::string& text) {
    const auto names = expand_hostlist(text);
    if (names) {
      EXPECT_LE(names.value().size(), kMaxHosts);
    } else {
      EXPECT_FALSE(names.error().what.empty());
    }
  });
}

TEST(MangledTextTest, SlurmsAnswersGiveAValueOrAProblem) {
  feed(fixture("scontrol_show_job_d.txt"), 500,
       [](const std::string& t) { (void)parse_job_gpus(t); });
  feed("JobId=1\n Nodes=n[1-2] CPU_IDs=0-7 GRES=gpu:a100:4(IDX:0-3),gpu:2\n", 3000,
       [](const std::string& t) { (void)parse_job_gpus(t); });
  feed(fixture("scontrol_o_show_node.txt"), 500,
       [](const std::string& t) { (void)parse_node_addresses(t); });
  feed("2.1|weir-1-n01-0\n2.batch|batch\n", 2000,
       [](const std::string& t) { (void)parse_steps(t); });
  feed("2026-11-22T06:46:25|1-29:59:01", 3000,
       [](const std::string& t) { (void)parse_time_left(t); });
}

TEST(MangledTextTest, ReportsAreTakenWholeOrNotAtAll) {
  feed("weir-replica v1 host=gpu01 addr=10.0.0.1 port=61033 gpus=0,1 step=2.3", 3000,
       [](const std::string& text) {
         const auto report = parse_report(text);
         EXPECT_TRUE(!report || report->port != 0);
       });
  feed("weir-replica end 137", 500, [](const std::string& text) { (void)parse_end(text); });
  feed("32768\t60999\n", 500, [](const std::string& text) { (void)parse_port_range(text); });
}

TEST(MangledTextTest, ServeCommandsAreFilledInAndChecked) {
  feed("vllm {model} --port {port} --x '{\"a\": {\"b\": 1}}' {prot} ${port}", 2000,
       [](const std::string& text) {
         (void)fill_serve(text, {"h", "1", "0", "0", "n", "k"});
         EXPECT_LE(check_serve(text).size(), text.size());
       });
}

}  // namespace
}  // namespace weir
