#include "proxy/auth/verifier.h"

#include <atomic>
#include <doctest/doctest.h>
#include <latch>
#include <map>
#include <string>

#include "tests/unit/auth/hashes.h"

namespace postern::auth {
namespace {

std::shared_ptr<const PasswdFile> file(const std::string& text) {
  auto parsed = PasswdFile::parse(text);
  REQUIRE(parsed);
  return *parsed;
}

std::shared_ptr<const PasswdFile> users() {
  return file(std::string("bob:") + kSha256 + "\nalice:" + kOther + ":store:s2\nlocked:!" + kSha256 + "\n");
}

// A worker as the verifier sees it: woken by other threads, it takes its answers.
class Worker {
 public:
  std::vector<Checked> wait_for(std::size_t count) {
    std::vector<Checked> all;
    std::unique_lock lock(mutex_);
    while (all.size() < count) {
      woken_.wait(lock, [this] { return wakes_ > 0; });
      --wakes_;
      lock.unlock();
      for (Checked& answer : mailbox->take()) all.push_back(std::move(answer));
      lock.lock();
    }
    return all;
  }

  Checked ask(Verifier& verifier, std::string user, std::string_view password) {
    REQUIRE(verifier.submit(std::move(user), Secret(password), mailbox, {7, 9}));
    return wait_for(1)[0];
  }

  std::shared_ptr<Mailbox> mailbox = std::make_shared<Mailbox>([this] {
    std::lock_guard lock(mutex_);
    ++wakes_;
    woken_.notify_one();
  });

 private:
  std::mutex mutex_;
  std::condition_variable woken_;
  int wakes_ = 0;
};

// Keeps the only thread of a verifier busy until it is let go.
class Obstacle {
 public:
  explicit Obstacle(Verifier& verifier) {
    REQUIRE(verifier.submit("bob", Secret("x"), mailbox_, {}));
    reached_.wait();
  }
  void let_go() {
    if (!gone_.try_wait()) gone_.count_down();
  }
  ~Obstacle() { let_go(); }

 private:
  std::latch reached_{1};
  std::latch gone_{1};
  std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>([this] {
    reached_.count_down();
    gone_.wait();
  });
};

}  // namespace

TEST_CASE("the right password is told from every other") {
  Verifier verifier(1, 10, users());
  Worker worker;
  struct Row {
    const char* user;
    std::string password;
    Fault fault;
    const char* pool;
    const char* backend;
  };
  for (const Row& row : {
           Row{"bob", "secret", Fault::None, "", ""},
           Row{"alice", "other", Fault::None, "store", "s2"},
           Row{"alice", "secret", Fault::BadCredentials, "", ""},
           Row{"bob", "secret ", Fault::BadCredentials, "", ""},
           Row{"bob", "", Fault::BadCredentials, "", ""},
           Row{"bob", std::string("secret\0", 7), Fault::BadCredentials, "", ""},
           Row{"bob", std::string(10'000, 'x'), Fault::BadCredentials, "", ""},
           Row{"nobody", "secret", Fault::BadCredentials, "", ""},
           Row{"nobody", std::string(10'000, 'x'), Fault::BadCredentials, "", ""},
           Row{"locked", "secret", Fault::BadCredentials, "", ""},
           Row{"", "secret", Fault::BadCredentials, "", ""},
       }) {
    CAPTURE(row.user);
    CAPTURE(row.password);
    const Checked answer = worker.ask(verifier, row.user, row.password);
    CHECK(answer.fault == row.fault);
    CHECK(answer.pool == row.pool);
    CHECK(answer.backend == row.backend);
    CHECK(answer.ticket == net::AnswerTicket{7, 9});
  }
}

TEST_CASE("the password of the user whose hash is the decoy opens no account that does not exist") {
  const auto one = file(std::string("bob:") + kSha256 + "\n");
  CHECK(one->decoy() == kSha256);
  Verifier verifier(1, 10, one);
  Worker worker;
  CHECK(worker.ask(verifier, "nobody", "secret").fault == Fault::BadCredentials);
}

TEST_CASE("without a file nobody is refused: the fault is ours") {
  Verifier verifier(1, 10, nullptr);
  Worker worker;
  CHECK(worker.ask(verifier, "bob", "secret").fault == Fault::AuthUnavailable);
  verifier.replace(users());
  CHECK(worker.ask(verifier, "bob", "secret").fault == Fault::None);
}

TEST_CASE("a hash that crypt(3) cannot compute is a failure, not a refusal") {
  CHECK(verify(Secret("secret"), "$6") == Verdict::Failed);
  CHECK(verify(Secret("secret"), "") == Verdict::Failed);
}

TEST_CASE("a full queue refuses at once, and takes questions again when it has room") {
  Verifier verifier(1, 2, users());
  Worker worker;
  Obstacle obstacle(verifier);
  CHECK(verifier.submit("bob", Secret("secret"), worker.mailbox, {1, 1}));
  CHECK(verifier.submit("bob", Secret("secret"), worker.mailbox, {2, 1}));
  CHECK_FALSE(verifier.submit("bob", Secret("secret"), worker.mailbox, {3, 1}));
  CHECK(verifier.queued() == 2);
  obstacle.let_go();
  CHECK(worker.wait_for(2).size() == 2);
  CHECK(worker.ask(verifier, "bob", "secret").fault == Fault::None);
}

TEST_CASE("a cancelled question is not answered, others are") {
  Verifier verifier(1, 10, users());
  Worker worker;
  Worker other;
  Obstacle obstacle(verifier);
  CHECK(verifier.submit("bob", Secret("secret"), worker.mailbox, {1, 1}));
  CHECK(verifier.submit("bob", Secret("secret"), worker.mailbox, {1, 2}));
  CHECK(verifier.submit("bob", Secret("secret"), other.mailbox, {1, 1}));
  verifier.cancel(*worker.mailbox, {1, 1});
  CHECK(verifier.queued() == 2);
  obstacle.let_go();
  CHECK(worker.wait_for(1)[0].ticket == net::AnswerTicket{1, 2});
  CHECK(other.wait_for(1)[0].ticket == net::AnswerTicket{1, 1});
}

TEST_CASE("a question that waits is checked against the file that has replaced the old one") {
  Verifier verifier(1, 10, users());
  Worker worker;
  Obstacle obstacle(verifier);
  CHECK(verifier.submit("bob", Secret("other"), worker.mailbox, {1, 1}));
  verifier.replace(file(std::string("bob:") + kOther + "\n"));
  obstacle.let_go();
  CHECK(worker.wait_for(1)[0].fault == Fault::None);
}

TEST_CASE("a verifier that dies drops what waits, and its threads end") {
  Worker worker;
  std::atomic<bool> woken{false};
  const auto mailbox = std::make_shared<Mailbox>([&woken] { woken = true; });
  {
    Verifier verifier(1, 1'000, users());
    Obstacle obstacle(verifier);
    for (std::uint32_t i = 0; i < 1'000; ++i) CHECK(verifier.submit("bob", Secret("x"), mailbox, {i, 0}));
    for (std::uint32_t i = 0; i < 1'000; ++i) verifier.cancel(*mailbox, {i, 0});
  }
  CHECK_FALSE(woken);
}

TEST_CASE("a closed mailbox wakes nobody and keeps nothing") {
  int wakes = 0;
  Mailbox mailbox([&wakes] { ++wakes; });
  mailbox.post({});
  mailbox.post({});
  CHECK(wakes == 1);
  CHECK(mailbox.take().size() == 2);
  CHECK(mailbox.take().empty());
  mailbox.post({});
  CHECK(wakes == 2);
  mailbox.close();
  mailbox.post({});
  CHECK(wakes == 2);
  CHECK(mailbox.take().empty());
}

TEST_CASE("many workers ask many threads, and each gets its own answers") {
  Verifier verifier(3, 1'000, users());
  std::vector<std::thread> threads;
  for (std::uint32_t worker_number = 0; worker_number < 3; ++worker_number) {
    threads.emplace_back([&verifier, worker_number] {
      Worker worker;
      std::map<std::uint32_t, Fault> due;
      for (std::uint32_t i = 0; i < 60; ++i) {
        const std::uint32_t slot = worker_number * 1'000 + i;
        const bool right = i % 3 == 0;
        due[slot] = right ? Fault::None : Fault::BadCredentials;
        CHECK(verifier.submit(i % 3 == 1 ? "nobody" : "bob", Secret(right ? "secret" : "wrong"),
                              worker.mailbox, {slot, worker_number}));
        if (i == 30) verifier.replace(users());
      }
      for (const Checked& answer : worker.wait_for(60)) {
        CHECK(answer.ticket.generation == worker_number);
        CHECK(due[answer.ticket.slot] == answer.fault);
        due.erase(answer.ticket.slot);
      }
      CHECK(due.empty());
      worker.mailbox->close();
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace postern::auth
