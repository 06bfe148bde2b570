#include "proxy/net/signals.h"

#include <utility>
#include <uv.h>

namespace postern::net {

Signals::Signals(uv_loop_s* loop, const std::vector<int>& numbers, std::function<void(int number)> received)
    : received_(std::move(received)) {
  for (const int number : numbers) {
    auto* handle = new uv_signal_t;
    uv_signal_init(loop, handle);
    handle->data = this;
    uv_signal_start(
        handle,
        [](uv_signal_t* signal, int received_number) {
          if (signal->data != nullptr) static_cast<Signals*>(signal->data)->received_(received_number);
        },
        number);
    handles_.push_back(handle);
  }
}

Signals::~Signals() {
  for (uv_signal_t* handle : handles_) {
    handle->data = nullptr;
    uv_close(reinterpret_cast<uv_handle_t*>(handle),
             [](uv_handle_t* closed) { delete reinterpret_cast<uv_signal_t*>(closed); });
  }
}

}  // namespace postern::net
