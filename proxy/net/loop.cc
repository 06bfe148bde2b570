#include "proxy/net/loop.h"

#include <algorithm>
#include <cstdlib>
#include <utility>
#include <uv.h>

#include "proxy/net/socket.h"

namespace postern::net {

namespace {

std::int64_t nanoseconds() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

template <class Handle>
void close_and_delete(Handle* handle) {
  uv_close(reinterpret_cast<uv_handle_t*>(handle),
           [](uv_handle_t* closed) { delete reinterpret_cast<Handle*>(closed); });
}

}  // namespace

Loop::Loop(Hooks hooks)
    : loop_(std::make_unique<uv_loop_t>()),
      hooks_(std::move(hooks)),
      wheel_(std::chrono::steady_clock::now()),
      timer_(new uv_timer_t),
      prepare_(new uv_prepare_t),
      async_(new uv_async_t),
      idle_(new uv_idle_t) {
  if (uv_loop_init(loop_.get()) != 0) std::abort();  // out of descriptors before anything began
  uv_timer_init(loop_.get(), timer_);
  uv_prepare_init(loop_.get(), prepare_);
  uv_idle_init(loop_.get(), idle_);
  uv_async_init(loop_.get(), async_, [](uv_async_t* handle) {
    auto* self = static_cast<Loop*>(handle->data);
    event(handle->loop);
    if (self->stopped_) uv_stop(handle->loop);
    if (self->hooks_.woken) self->hooks_.woken();
  });
  loop_->data = this;
  timer_->data = prepare_->data = async_->data = this;
  uv_prepare_start(prepare_, [](uv_prepare_t* handle) { static_cast<Loop*>(handle->data)->prepare(); });
  if (hooks_.addresses) resolver_ = std::make_unique<Resolver>(loop_.get(), hooks_.addresses);
  if (hooks_.offloaded) offload_ = std::make_unique<Offload>(loop_.get(), hooks_.offloaded);
}

Loop::~Loop() {
  resolver_.reset();
  offload_.reset();
  close_and_delete(timer_);
  close_and_delete(prepare_);
  close_and_delete(async_);
  close_and_delete(idle_);
  // Only closing handles are left, whose owners are gone, and work that another thread has begun.
  uv_run(loop_.get(), UV_RUN_DEFAULT);
  if (uv_loop_close(loop_.get()) != 0) std::abort();  // an owner outlived its loop
}

void Loop::run() {
  while (!stopped_.exchange(false)) uv_run(loop_.get(), UV_RUN_DEFAULT);
  note_turn(turn());
}

void Loop::stop() {
  stopped_ = true;
  uv_async_send(async_);
}

void Loop::wake() { uv_async_send(async_); }

Time Loop::now() const { return std::chrono::steady_clock::now(); }

std::expected<std::unique_ptr<Transport>, int> Loop::dial(const Endpoint& to, TransportOwner* owner,
                                                          int side) {
  return Socket::dial(loop_.get(), to, owner, side);
}

std::expected<std::unique_ptr<Transport>, int> Loop::dial_local(const std::string& path,
                                                                TransportOwner* owner, int side) {
  return Socket::dial_local(loop_.get(), path, owner, side);
}

void Loop::resolve(const std::string& host, AnswerTicket ticket) { resolver_->resolve(host, ticket, now()); }

void Loop::offload(std::function<void()> work, AnswerTicket ticket) {
  offload_->begin(std::move(work), ticket);
}

Duration Loop::take_longest_turn() {
  return std::chrono::duration_cast<Duration>(std::exchange(longest_turn_, Time::duration::zero()));
}

void Loop::stay_awake(bool awake) {
  if (awake) {
    uv_idle_start(idle_, [](uv_idle_t*) {});
  } else {
    uv_idle_stop(idle_);
  }
}

void Loop::event(uv_loop_s* loop) {
  auto* self = static_cast<Loop*>(loop->data);
  if (self->turn_began_ == 0) self->turn_began_ = nanoseconds();
}

// A turn's work lies between the first event and the next wait. libuv calls for events several times in one
// turn when there are many, so that its own clock does not tell when the first came.
Time::duration Loop::turn() const {
  return Time::duration(turn_began_ == 0 ? 0 : nanoseconds() - turn_began_);
}

// To read the clock costs as much as a hundred instructions: once in a turn is enough for most.
void Loop::prepare() {
  Time::duration took = turn();
  if (hooks_.end_of_turn && hooks_.end_of_turn(took)) took = turn();
  note_turn(took);
  arm();
}

void Loop::note_turn(Time::duration took) {
  longest_turn_ = std::max(longest_turn_, took);
  turn_began_ = 0;
}

void Loop::arm() {
  const Time next = wheel_.next();
  if (next == armed_) return;
  armed_ = next;
  if (next == kNever) {
    uv_timer_stop(timer_);
    return;
  }
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - now()).count();
  uv_timer_start(
      timer_,
      [](uv_timer_t* handle) {
        auto* self = static_cast<Loop*>(handle->data);
        self->armed_ = kNever;
        event(handle->loop);
        self->wheel_.advance(self->now());
      },
      static_cast<std::uint64_t>(std::max<std::int64_t>(left, 0)), 0);
}

}  // namespace postern::net
