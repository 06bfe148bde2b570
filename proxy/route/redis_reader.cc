#include "proxy/route/redis_reader.h"

#include <hiredis/hiredis.h>
#include <hiredis/read.h>
#include <new>
#include <utility>
#include <vector>

namespace postern::route {

namespace {

RedisReply* make(RedisReply::Kind kind, std::string text = {}) {
  return new RedisReply{kind, std::move(text)};
}

// What the reader builds its replies with; an array fails as if memory were out.
redisReplyObjectFunctions* builders() {
  static redisReplyObjectFunctions functions = [] {
    redisReplyObjectFunctions builder{};
    builder.createString = [](const redisReadTask* task, char* text, std::size_t size) -> void* {
      const bool error = task->type == REDIS_REPLY_ERROR;
      return make(error ? RedisReply::Kind::Error : RedisReply::Kind::Text, std::string(text, size));
    };
    builder.createArray = [](const redisReadTask*, auto) -> void* { return nullptr; };
    builder.createInteger = [](const redisReadTask*, long long) -> void* {
      return make(RedisReply::Kind::Other);
    };
    builder.createNil = [](const redisReadTask*) -> void* { return make(RedisReply::Kind::Nil); };
    builder.freeObject = [](void* reply) { delete static_cast<RedisReply*>(reply); };
    return builder;
  }();
  return &functions;
}

}  // namespace

void RedisReader::Free::operator()(redisReader* reader) const { redisReaderFree(reader); }

RedisReader::RedisReader() : reader_(redisReaderCreateWithFunctions(builders())) {
  if (!reader_) throw std::bad_alloc();
}

void RedisReader::receive(std::string_view bytes) {
  if (broken_) return;
  broken_ = redisReaderFeed(reader_.get(), bytes.data(), bytes.size()) != REDIS_OK;
}

RedisReader::Event RedisReader::next() {
  if (broken_) return Broken{};
  void* result = nullptr;
  broken_ = redisReaderGetReply(reader_.get(), &result) != REDIS_OK;
  const std::unique_ptr<RedisReply> reply(static_cast<RedisReply*>(result));
  if (!broken_ && !reply) broken_ = reader_->len - reader_->pos > kLongestReply;
  if (broken_ || (reply && reply->text.size() > kLongestReply)) {
    broken_ = true;
    return Broken{};
  }
  if (!reply) return NeedData{};
  return std::move(*reply);
}

Secret write_redis(std::initializer_list<std::string_view> words) {
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  texts.reserve(words.size());
  sizes.reserve(words.size());
  for (const std::string_view word : words) {
    texts.push_back(word.data());
    sizes.push_back(word.size());
  }
  char* command = nullptr;
  const int size =
      redisFormatCommandArgv(&command, static_cast<int>(words.size()), texts.data(), sizes.data());
  if (size < 0) throw std::bad_alloc();
  Secret written(std::string_view(command, static_cast<std::size_t>(size)));
  wipe(command, static_cast<std::size_t>(size));
  redisFreeCommand(command);
  return written;
}

}  // namespace postern::route
