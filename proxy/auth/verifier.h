#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "parsers/fault.h"
#include "parsers/secret.h"
#include "proxy/auth/passwd.h"
#include "proxy/files/file_watch.h"
#include "proxy/net/reactor.h"

namespace postern::auth {

// What became of one question.
struct Checked {
  net::AnswerTicket ticket;
  Fault fault = Fault::None;  // None: the password is right; BadCredentials; AuthUnavailable
  std::string pool;           // from the file, empty when it does not say; meaningful with None alone
  std::string backend;
};

// Where the answers for one worker wait until it takes them. `wake` is called by another thread whenever the
// first answer comes into an empty box; it must be short and must not call the box. After close() it is never
// called again, so that what it wakes may then be destroyed.
class Mailbox {
 public:
  explicit Mailbox(std::function<void()> wake) : wake_(std::move(wake)) {}

  void post(Checked answer);
  std::vector<Checked> take();
  void close();

 private:
  std::mutex mutex_;
  std::vector<Checked> answers_;
  std::function<void()> wake_;  // empty: closed
};

// Checks passwords against a password file, in threads of its own because crypt(3) takes its time. Shared by
// all workers.
class Verifier {
 public:
  // `file` may be null: every answer is AuthUnavailable until replace().
  Verifier(unsigned threads, std::size_t queue_limit, std::shared_ptr<const PasswdFile> file);
  // Unanswered questions are dropped, their passwords wiped; waits for the checks that run.
  ~Verifier();
  Verifier(const Verifier&) = delete;

  // False: the queue is full and there will be no answer: say Fault::AuthUnavailable. The answer comes to the
  // mailbox, always later and from another thread.
  bool submit(std::string user, Secret password, std::shared_ptr<Mailbox> mailbox, net::AnswerTicket ticket);

  // The same for a user that has proved itself otherwise: None when the file has it, else BadCredentials.
  bool submit_known(const std::string& user, const std::shared_ptr<Mailbox>& mailbox,
                    net::AnswerTicket ticket);

  // Forgets a question that nobody waits for. Its answer may still come.
  void cancel(const Mailbox& mailbox, net::AnswerTicket ticket);

  // What a reload has read; questions that wait are checked against it.
  void replace(std::shared_ptr<const PasswdFile> file);

  std::shared_ptr<const PasswdFile> file() const;
  std::size_t queued() const;

 private:
  struct Question {
    std::string user;
    Secret password;
    std::shared_ptr<Mailbox> mailbox;
    net::AnswerTicket ticket;
  };
  void work();

  const std::size_t queue_limit_;
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::deque<Question> queue_;
  std::shared_ptr<const PasswdFile> file_;
  bool stopping_ = false;

  std::vector<std::thread> threads_;
};

// For the watch over the password file: gives the verifier what is read.
files::FileWatch::Load load_into(std::shared_ptr<Verifier> verifier);

enum class Verdict : std::uint8_t {
  Right,
  Wrong,
  Failed,  // crypt(3) could not compute it: no memory, or a method that it does not know
};

// Whether the password has this hash. Takes as long as the hash demands.
Verdict verify(const Secret& password, std::string_view hash);

}  // namespace postern::auth
