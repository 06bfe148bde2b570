#pragma once

#include <cstddef>
#include <expected>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "parsers/address.h"
#include "parsers/fault.h"
#include "proxy/auth/keyed_hash.h"

namespace postern::auth {

// How many sessions each address and each user has. Counted always, so that a limit that a reload brings
// applies at once; an entry without a session is erased. Shared by all threads; outlives its tickets.
class Limiter {
 public:
  struct Limits {  // 0: none
    unsigned sessions_per_address = 0;
    unsigned prelogin_per_address = 0;
    unsigned sessions_per_user = 0;
  };

  class AddressTicket;
  class UserTicket;

  explicit Limiter(Limits limits) : limits_(limits) {}
  Limiter(const Limiter&) = delete;
  ~Limiter();

  void set_limits(Limits limits);  // sessions that are above them stay

  // Counts a session of this address that is not logged in yet. The error is AddressLimit.
  std::expected<AddressTicket, Fault> admit(const Address& address);

  // Counts a session of this user, octet for octet. The error is UserLimit.
  std::expected<UserTicket, Fault> enter(std::string_view user);

  struct Size {
    std::size_t addresses = 0;
    std::size_t users = 0;
  };
  Size size() const;  // entries in the tables

 private:
  struct AddressCount {
    unsigned sessions = 0;
    unsigned prelogin = 0;
  };
  using Addresses = std::unordered_map<Address, AddressCount, KeyedHash>;
  using Users = std::unordered_map<std::string, unsigned, KeyedHash, std::equal_to<>>;

  mutable std::mutex mutex_;  // guards what follows
  Limits limits_;
  Addresses addresses_;  // by limit_key()
  Users users_;
};

// A session of an address, from accept to close.
class Limiter::AddressTicket {
 public:
  AddressTicket() = default;
  AddressTicket(AddressTicket&& other) noexcept
      : limiter_(std::exchange(other.limiter_, nullptr)), entry_(other.entry_), prelogin_(other.prelogin_) {}
  AddressTicket& operator=(AddressTicket&& other) noexcept;
  ~AddressTicket() { release(); }

  void logged_in();  // no longer counts as prelogin
  void release();

  explicit operator bool() const { return limiter_ != nullptr; }

 private:
  friend class Limiter;
  AddressTicket(Limiter* limiter, Addresses::value_type* entry)
      : limiter_(limiter), entry_(entry), prelogin_(true) {}

  Limiter* limiter_ = nullptr;
  Addresses::value_type* entry_ = nullptr;
  bool prelogin_ = false;
};

// A session of a user, from the accepted login to close.
class Limiter::UserTicket {
 public:
  UserTicket() = default;
  UserTicket(UserTicket&& other) noexcept
      : limiter_(std::exchange(other.limiter_, nullptr)), entry_(other.entry_) {}
  UserTicket& operator=(UserTicket&& other) noexcept;
  ~UserTicket() { release(); }

  void release();

  explicit operator bool() const { return limiter_ != nullptr; }

 private:
  friend class Limiter;
  UserTicket(Limiter* limiter, Users::value_type* entry) : limiter_(limiter), entry_(entry) {}

  Limiter* limiter_ = nullptr;
  Users::value_type* entry_ = nullptr;
};

}  // namespace postern::auth
