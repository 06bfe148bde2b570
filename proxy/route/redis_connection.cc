#include "proxy/route/redis_connection.h"

#include <algorithm>

namespace postern::route {

namespace {

constexpr Duration kConnectTime{5000};
constexpr Duration kIntroductionTime{5000};
constexpr Duration kFirstBackOff{50};
constexpr Duration kLongestBackOff{2000};
constexpr std::string_view kUser = "{user}";

std::string key_of(const std::string& pattern, const std::string& user) {
  std::string key;
  std::size_t at = 0;
  for (std::size_t next = 0; (next = pattern.find(kUser, at)) != std::string::npos;
       at = next + kUser.size()) {
    key.append(pattern, at, next - at).append(user);
  }
  return key.append(pattern, at);
}

// "WRONGTYPE" of "WRONGTYPE Operation against ...".
std::string code_of(const std::string& error) {
  const std::string code = error.substr(0, error.find(' '));
  const bool word = !code.empty() && code.size() <= 20 &&
                    std::ranges::all_of(code, [](char letter) { return letter >= 'A' && letter <= 'Z'; });
  return word ? "Redis says " + code : "Redis says that something is wrong";
}

}  // namespace

RedisConnection::RedisConnection(net::Reactor& reactor, const conf::Map::Redis& settings, Secret password,
                                 std::uint32_t slot, Answered answered, Noticed noticed)
    : reactor_(reactor),
      settings_(settings),
      password_(std::move(password)),
      slot_(slot),
      answered_(std::move(answered)),
      noticed_(std::move(noticed)),
      connection_alarm_([this] { link_ ? lose("no answer to AUTH or SELECT in time") : dial(); }),
      question_alarm_([this] { first_overdue(); }),
      back_off_(kFirstBackOff) {
  dial();
}

RedisConnection::~RedisConnection() = default;

// ------------------------------------------------------------------------------------------- the connection

void RedisConnection::dial() {
  reader_ = RedisReader();
  Link::Owner& owner = *this;
  link_ = std::make_unique<Link>(reactor_, owner,
                                 Link::Target{settings_.path, settings_.host, settings_.port, nullptr},
                                 kConnectTime, net::AnswerTicket{slot_, ++generation_});
}

void RedisConnection::addresses(const std::vector<Address>& addresses, net::AnswerTicket ticket) {
  if (link_ && link_->ticket() == ticket) link_->addresses(addresses);
}

void RedisConnection::link_up(Link& link) {
  introductions_ = 0;
  if (!password_.empty()) {
    const bool named = !settings_.user.empty();
    const Secret command = named ? write_redis({"AUTH", settings_.user, password_.reveal()})
                                 : write_redis({"AUTH", password_.reveal()});
    link.write(command.reveal());
    ++introductions_;
  }
  if (settings_.database != 0) {
    link.write(write_redis({"SELECT", std::to_string(settings_.database)}).reveal());
    ++introductions_;
  }
  if (introductions_ == 0) return introduced();
  reactor_.timers().start(connection_alarm_, reactor_.now() + kIntroductionTime);
}

void RedisConnection::introduced() {
  connection_alarm_.stop();
  ready_ = true;
  ready_at_ = reactor_.now();
  trouble_.clear();
  if (!told_.empty()) noticed_(true, {});
  told_.clear();
  for (const Asked& asked : asked_) send(asked);
}

void RedisConnection::link_down(Link&, const std::string& why) { lose(why); }

void RedisConnection::lose(std::string why) {
  const bool lasted = ready_ && reactor_.now() - ready_at_ > kLongestBackOff;
  if (lasted) back_off_ = kFirstBackOff;
  reactor_.timers().start(connection_alarm_, reactor_.now() + back_off_);
  back_off_ = std::min(2 * back_off_, kLongestBackOff);
  ready_ = false;
  link_.reset();
  trouble_ = std::move(why);
  if (trouble_ == told_) return;
  told_ = trouble_;
  noticed_(false, trouble_);
}

void RedisConnection::link_received(Link&, std::string_view bytes) {
  reader_.receive(bytes);
  while (true) {
    RedisReader::Event event = reader_.next();
    if (std::holds_alternative<RedisReader::NeedData>(event)) return;
    if (auto* reply = std::get_if<RedisReply>(&event)) {
      if (!take(std::move(*reply))) return;
      continue;
    }
    // Whatever brought this about shall not do so again.
    lose("not a reply to GET, or one of more than 64 KiB");
    if (!asked_.empty()) answer_first({RedisConnection::Result::Kind::Failed, trouble_});
    return;
  }
}

bool RedisConnection::take(RedisReply reply) {
  if (introductions_ > 0) {
    if (reply.kind != RedisReply::Kind::Text) {
      lose("AUTH or SELECT was refused: " + code_of(reply.text));
      return false;
    }
    if (--introductions_ == 0) introduced();
    return true;
  }
  if (asked_.empty()) {
    lose("a reply to nothing that was asked");
    return false;
  }
  switch (reply.kind) {
    case RedisReply::Kind::Text:
      answer_first({Result::Kind::Found, std::move(reply.text)});
      break;
    case RedisReply::Kind::Nil:
      answer_first({Result::Kind::Missing, {}});
      break;
    case RedisReply::Kind::Error:
      answer_first({Result::Kind::Failed, code_of(reply.text)});
      break;
    case RedisReply::Kind::Other:
      answer_first({Result::Kind::Failed, "a reply that GET does not have"});
      break;
  }
  return true;
}

// --------------------------------------------------------------------------------------------- the questions

bool RedisConnection::get(std::string user) {
  if (asked_.size() >= settings_.in_flight) return false;
  asked_.push_back({std::move(user), reactor_.now() + settings_.timeout});
  if (ready_) send(asked_.back());
  if (asked_.size() == 1) watch_first();
  return true;
}

void RedisConnection::send(const Asked& asked) {
  link_->write(write_redis({"GET", key_of(settings_.key, asked.user)}).reveal());
}

void RedisConnection::watch_first() {
  if (asked_.empty()) {
    question_alarm_.stop();
  } else {
    reactor_.timers().start(question_alarm_, asked_.front().deadline);
  }
}

void RedisConnection::first_overdue() {
  // Replies come in order: while the first is missing, none of the others can come.
  if (ready_) lose("no reply in time");
  const std::string why = trouble_;
  const Time now = reactor_.now();
  while (!asked_.empty() && asked_.front().deadline <= now) answer_first({Result::Kind::Failed, why});
}

void RedisConnection::answer_first(Result result) {
  const std::string user = std::move(asked_.front().user);
  asked_.pop_front();
  watch_first();
  answered_(user, std::move(result));
}

}  // namespace postern::route
