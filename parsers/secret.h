#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace postern {

// Bytes that must not outlive their use: a password, a token, a command that carries one. Move-only; the
// memory is wiped when it is released, replaced or grown. There is no operator<< and no conversion to
// std::string; reveal() is the one way to the bytes, and grep finds every use of it.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view bytes) { append(bytes); }
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret();

  Secret clone() const { return Secret(reveal()); }

  void append(std::string_view bytes);  // may be a part of this secret
  void reserve(std::size_t capacity);
  void wipe_range(std::size_t begin, std::size_t end);  // overwrites with zeros; the size stays
  void drop_front(std::size_t size);                    // removes; what it leaves behind is wiped
  void clear();                                         // wipes and releases

  // Valid until the next call of a non-const member.
  std::string_view reveal() const { return {bytes_.get(), size_}; }
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }

  // Compares in time that depends on the sizes alone.
  friend bool operator==(const Secret& a, const Secret& b);

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

// Overwrites memory in a way that the compiler keeps.
void wipe(void* memory, std::size_t size);

// Makes room in a string that may hold a secret, and leaves no copy of it behind.
void reserve_wiping(std::string& text, std::size_t capacity);

}  // namespace postern
