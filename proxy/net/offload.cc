#include "proxy/net/offload.h"

#include <cstdlib>
#include <memory>
#include <utility>
#include <uv.h>

#include "proxy/net/loop.h"

namespace postern::net {

// Owned by libuv from uv_queue_work() to the callback of its end, which always comes.
struct Offload::Job {
  uv_work_t request{};
  Offload* owner;  // null: nobody waits any more
  std::function<void()> work;
  AnswerTicket ticket;
};

Offload::Offload(uv_loop_s* loop, Done done) : loop_(loop), done_(std::move(done)) {}

Offload::~Offload() {
  for (Job* job : under_way_) {
    job->owner = nullptr;
    uv_cancel(reinterpret_cast<uv_req_t*>(&job->request));
  }
}

void Offload::begin(std::function<void()> work, AnswerTicket ticket) {
  auto* job = new Job{.owner = this, .work = std::move(work), .ticket = ticket};
  job->request.data = job;
  under_way_.insert(job);
  const int queued = uv_queue_work(
      loop_, &job->request, [](uv_work_t* request) { static_cast<Job*>(request->data)->work(); },
      [](uv_work_t* request, int) {
        const std::unique_ptr<Job> ended(static_cast<Job*>(request->data));
        if (ended->owner == nullptr) return;
        Loop::event(request->loop);
        ended->owner->under_way_.erase(ended.get());
        ended->owner->done_(ended->ticket);
      });
  if (queued != 0) std::abort();  // there is no work without a function
}

}  // namespace postern::net
