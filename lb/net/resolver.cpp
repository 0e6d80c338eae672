#include "lb/net/resolver.h"

#include "lb/net/thread_without_signals.h"

namespace weir {

Resolver::Resolver(EventLoop& loop, ResolverUser& user)
    : user_(user), answered_(loop, bind<&Resolver::on_answers>(this)) {}

Resolver::~Resolver() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    questions_.clear();
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Resolver::ask(const Address& address) {
  {
    const std::lock_guard lock(mutex_);
    if (questions_.size() < kMostWaiting) {
      questions_.push_back(address);
    } else {
      answers_.push_back({address, Problem{"too many names to resolve at once", ""}});
      answered_.post();
    }
  }
  if (!thread_.joinable()) thread_ = thread_without_signals([this] { work(); });
  wake_.notify_one();
}

void Resolver::work() {
  for (;;) {
    Address address;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return is_stopping_ || !questions_.empty(); });
      if (is_stopping_) return;
      address = std::move(questions_.front());
      questions_.pop_front();
    }
    ResolvedAddresses result = resolve(address);
    const std::lock_guard lock(mutex_);
    if (is_stopping_) return;
    answers_.push_back({std::move(address), std::move(result)});
    answered_.post();
  }
}

void Resolver::on_answers() {
  std::vector<Answer> answers;
  {
    const std::lock_guard lock(mutex_);
    answers.swap(answers_);
  }
  for (const Answer& answer : answers) user_.on_resolved(answer.address, answer.result);
}

}  // namespace weir
