// A starter whose processes are told by the test what to do. Virtual time.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "discovery/replica_starter.h"

namespace weir {

class FakeStarter final : public ReplicaStarter {
 public:
  struct Process final : ReplicaProcess {
    Process(FakeStarter& starter, std::string id, ReplicaProcessUser& user)
        : starter_(starter), id_(std::move(id)), user_(user) {}
    ~Process() override { starter_.running.erase(id_); }
    void stop() override { is_stopping = true; }

    void reports(uint16_t port) { user_.on_replica_report({"host", "10.0.0.1", port, "0", "7.1"}); }
    void prints(std::string_view line) { user_.on_replica_output(line); }
    void gets_sigterm() { user_.on_replica_terminated(); }
    void ends(ReplicaEnd end) { user_.on_replica_end(end); }  // destroys it
    void exits(int code) {
      ends({ReplicaEndKind::exited, code, "exited with code " + std::to_string(code)});
    }
    void stops() { ends({ReplicaEndKind::stopped, 143, "stopped"}); }

    FakeStarter& starter_;
    std::string id_;
    ReplicaProcessUser& user_;
    bool is_stopping = false;
  };

  std::vector<std::string> command(const PlannedReplica&) const override { return {"fake"}; }
  Result<std::unique_ptr<ReplicaProcess>, Problem> start(const PlannedReplica& replica,
                                                         ReplicaProcessUser& user) override {
    ++starts;
    if (!refusal.empty()) return Problem{refusal, ""};
    auto process = std::make_unique<Process>(*this, replica.id, user);
    running[replica.id] = process.get();
    return std::unique_ptr<ReplicaProcess>(std::move(process));
  }
  void sweep(Callback<const ReplicaSweep&> done) override {
    ++sweeps;
    done(ReplicaSweep{});
  }

  Process& operator[](const std::string& id) { return *running.at(id); }

  std::map<std::string, Process*> running;
  std::string refusal;
  int starts = 0;
  int sweeps = 0;
};

}  // namespace weir
