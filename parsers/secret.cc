#include "parsers/secret.h"

#include <algorithm>
#include <string.h>
#include <utility>

namespace postern {

Secret::Secret(Secret&& other) noexcept
    : bytes_(std::move(other.bytes_)),
      size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)) {}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this == &other) return *this;
  clear();
  bytes_ = std::move(other.bytes_);
  size_ = std::exchange(other.size_, 0);
  capacity_ = std::exchange(other.capacity_, 0);
  return *this;
}

Secret::~Secret() { clear(); }

void Secret::append(std::string_view bytes) {
  if (bytes.empty()) return;
  if (bytes.size() <= capacity_ - size_) {
    std::ranges::copy(bytes, bytes_.get() + size_);
    size_ += bytes.size();
    return;
  }
  // A new block beside the old one, so that `bytes` may lie in the old one.
  Secret grown;
  grown.capacity_ = std::max({size_ + bytes.size(), 2 * capacity_, std::size_t{32}});
  grown.bytes_ = std::make_unique_for_overwrite<char[]>(grown.capacity_);
  std::ranges::copy(reveal(), grown.bytes_.get());
  std::ranges::copy(bytes, grown.bytes_.get() + size_);
  grown.size_ = size_ + bytes.size();
  *this = std::move(grown);
}

void Secret::reserve(std::size_t capacity) {
  if (capacity <= capacity_) return;
  Secret grown;
  grown.capacity_ = capacity;
  grown.bytes_ = std::make_unique_for_overwrite<char[]>(capacity);
  std::ranges::copy(reveal(), grown.bytes_.get());
  grown.size_ = size_;
  *this = std::move(grown);
}

void Secret::wipe_range(std::size_t begin, std::size_t end) {
  end = std::min(end, size_);
  if (begin < end) wipe(bytes_.get() + begin, end - begin);
}

void Secret::drop_front(std::size_t size) {
  size = std::min(size, size_);
  if (size == 0) return;
  std::ranges::copy(reveal().substr(size), bytes_.get());
  wipe(bytes_.get() + size_ - size, size);
  size_ -= size;
}

void Secret::clear() {
  if (bytes_) wipe(bytes_.get(), capacity_);
  bytes_.reset();
  size_ = 0;
  capacity_ = 0;
}

bool operator==(const Secret& a, const Secret& b) {
  if (a.size_ != b.size_) return false;
  volatile unsigned difference = 0;
  for (std::size_t i = 0; i < a.size_; ++i) {
    difference = difference | static_cast<unsigned>(static_cast<unsigned char>(a.bytes_[i]) ^
                                                    static_cast<unsigned char>(b.bytes_[i]));
  }
  return difference == 0;
}

void wipe(void* memory, std::size_t size) {
  if (size > 0) explicit_bzero(memory, size);  // a view of nothing may have no address
}

void reserve_wiping(std::string& text, std::size_t capacity) {
  if (capacity <= text.capacity()) return;
  std::string larger;
  larger.reserve(capacity);
  larger = text;
  std::swap(text, larger);
  wipe(larger.data(), larger.size());
}

}  // namespace postern
