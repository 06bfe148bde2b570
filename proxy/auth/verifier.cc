#include "proxy/auth/verifier.h"

#include <algorithm>
#include <cerrno>
#include <crypt.h>
#include <utility>

namespace postern::auth {

void Mailbox::post(Checked answer) {
  std::lock_guard lock(mutex_);
  if (!wake_) return;
  answers_.push_back(std::move(answer));
  if (answers_.size() == 1) wake_();
}

std::vector<Checked> Mailbox::take() {
  std::lock_guard lock(mutex_);
  return std::exchange(answers_, {});
}

void Mailbox::close() {
  std::lock_guard lock(mutex_);
  wake_ = nullptr;
  answers_.clear();
}

Verifier::Verifier(unsigned threads, std::size_t queue_limit, std::shared_ptr<const PasswdFile> file)
    : queue_limit_(queue_limit), file_(std::move(file)) {
  for (unsigned i = 0; i < std::max(threads, 1U); ++i) threads_.emplace_back([this] { work(); });
}

Verifier::~Verifier() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    queue_.clear();
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

bool Verifier::submit(std::string user, Secret password, std::shared_ptr<Mailbox> mailbox,
                      net::AnswerTicket ticket) {
  {
    std::lock_guard lock(mutex_);
    if (queue_.size() >= queue_limit_) return false;
    queue_.push_back({std::move(user), std::move(password), std::move(mailbox), ticket});
  }
  changed_.notify_one();
  return true;
}

bool Verifier::submit_known(const std::string& user, const std::shared_ptr<Mailbox>& mailbox,
                            net::AnswerTicket ticket) {
  const std::shared_ptr<const PasswdFile> file = this->file();
  const auto entry = file ? file->find(user) : std::nullopt;
  if (entry) {
    mailbox->post({ticket, Fault::None, std::string(entry->pool), std::string(entry->backend)});
  } else {
    mailbox->post({ticket, file ? Fault::BadCredentials : Fault::AuthUnavailable, {}, {}});
  }
  return true;
}

void Verifier::cancel(const Mailbox& mailbox, net::AnswerTicket ticket) {
  std::lock_guard lock(mutex_);
  std::erase_if(queue_, [&mailbox, ticket](const Question& question) {
    return question.mailbox.get() == &mailbox && question.ticket == ticket;
  });
}

void Verifier::replace(std::shared_ptr<const PasswdFile> file) {
  std::lock_guard lock(mutex_);
  std::swap(file_, file);
}

std::shared_ptr<const PasswdFile> Verifier::file() const {
  std::lock_guard lock(mutex_);
  return file_;
}

std::size_t Verifier::queued() const {
  std::lock_guard lock(mutex_);
  return queue_.size();
}

namespace {

Checked answer(const PasswdFile* file, std::string_view user, const Secret& password,
               net::AnswerTicket ticket) {
  if (!file) return {ticket, Fault::AuthUnavailable, {}, {}};
  const auto entry = file->find(user);
  const Verdict verdict = verify(password, entry ? entry->hash : file->decoy());
  if (verdict == Verdict::Failed) return {ticket, Fault::AuthUnavailable, {}, {}};
  if (verdict == Verdict::Wrong || !entry) return {ticket, Fault::BadCredentials, {}, {}};
  return {ticket, Fault::None, std::string(entry->pool), std::string(entry->backend)};
}

}  // namespace

void Verifier::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (stopping_) return;
    {
      const Question question = std::move(queue_.front());
      queue_.pop_front();
      const std::shared_ptr<const PasswdFile> file = file_;
      lock.unlock();
      question.mailbox->post(answer(file.get(), question.user, question.password, question.ticket));
    }
    lock.lock();
  }
}

files::FileWatch::Load load_into(std::shared_ptr<Verifier> verifier) {
  return [verifier = std::move(verifier)](
             const std::string& path,
             const std::stop_token& stop) -> std::expected<files::FileWatch::Content, files::Problems> {
    auto file = PasswdFile::load(path, stop);
    if (!file) return std::unexpected(std::move(file).error());
    return files::FileWatch::Content{.state = (*file)->state(),
                                     .users = (*file)->size(),
                                     .take = [verifier, read = *file] { verifier->replace(read); }};
  };
}

Verdict verify(const Secret& password, std::string_view hash) {
  if (password.reveal().contains('\0')) return Verdict::Wrong;
  Secret phrase = password.clone();
  phrase.append({"\0", 1});  // crypt(3) reads up to a NUL
  auto data = std::make_unique<crypt_data>();
  errno = 0;
  const char* computed = crypt_r(phrase.reveal().data(), std::string(hash).c_str(), data.get());
  // ERANGE: longer than any password that has a hash.
  const bool failed = !computed || computed[0] == '*';
  Verdict verdict = failed && errno != ERANGE ? Verdict::Failed : Verdict::Wrong;
  if (!failed) {
    const std::string_view its = computed;
    unsigned char difference = its.size() == hash.size() ? 0 : 1;
    for (std::size_t i = 0; i < std::min(its.size(), hash.size()); ++i) {
      difference |= static_cast<unsigned char>(its[i] ^ hash[i]);
    }
    if (difference == 0) verdict = Verdict::Right;
  }
  wipe(data.get(), sizeof *data);
  return verdict;
}

}  // namespace postern::auth
