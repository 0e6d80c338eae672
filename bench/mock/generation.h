// One chat or completion in progress: its sequences in the engine, its answer on the connection,
// and what is to go wrong with it. Owned by its MockConnection; loop thread only. It ends by
// exactly one of: the answer is whole, a fault, the client left, the server was told to end.
#pragma once

#include <string>
#include <vector>

#include "weir/timer.h"

#include "bench/mock/engine.h"
#include "bench/mock/event_text.h"
#include "bench/mock/fault.h"
#include "bench/mock/inference_request.h"

namespace weir {

class MockConnection;
class PretendServer;

class Generation final : private SequenceUser {
 public:
  Generation(PretendServer& server, MockConnection& connection, InferenceRequest request,
             const Fault& fault);
  ~Generation();
  Generation(const Generation&) = delete;
  Generation& operator=(const Generation&) = delete;

  void start();           // writes the head of a stream, queues the sequences
  void abort();           // SIGTERM: finish_reason "abort" and a clean end
  void on_client_left();  // counts it
  void stop();            // generates nothing more

 private:
  struct Choice {
    Sequence sequence;
    uint32_t words = 0;  // of the answer so far
    bool is_finished = false;
  };

  void on_token(Sequence& sequence) override;
  void on_fault_due();
  bool strikes_now() const;
  void strike(Choice& choice);
  void write_token(Choice& choice);
  void finish_stream();
  void finish_plain();
  void fail_with_engine_error();
  void cut_plain_in_half();
  void end_with_abort(Choice* current);

  void append_roles(std::string& out);
  std::string_view next_word(const Choice& choice) const;
  const InferencePrompt& prompt_of(const Choice& choice) const;
  std::string plain_body();
  TokenUsage usage() const;
  TokenUsage usage_of(const Choice& choice) const;

  PretendServer& server_;
  MockConnection& connection_;
  InferenceRequest request_;
  Fault fault_;
  AnswerHead head_;
  EventText events_;
  std::vector<Choice> choices_;            // prompt by prompt; never grows after the constructor
  std::vector<std::string_view> reasons_;  // finish_reason of each choice
  Timer fault_timer_;
  size_t unfinished_ = 0;
  uint32_t written_ = 0;  // tokens of all choices
  bool has_roles_ = false;
  bool is_over_ = false;
};

}  // namespace weir
