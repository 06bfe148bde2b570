#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "parsers/fault.h"
#include "proxy/net/reactor.h"

namespace postern::route {

// What a map says of a user: "pool" or "pool/backend".
struct Place {
  std::string pool;
  std::string backend;  // empty: the pool decides

  // nullopt: not of this form.
  static std::optional<Place> parse(std::string_view text);
  bool operator==(const Place&) const = default;
};

struct MapAnswer {
  net::AnswerTicket ticket;
  Fault fault = Fault::None;  // LookupUnavailable: not answered, and no last known good answer; LookupInvalid
  std::optional<Place> place;  // nullopt without a fault: the map does not have this user
  bool cached = false;         // fresh from the cache: the map was not asked
  bool stale = false;          // the last known good answer, because the map could not be asked
  std::string detail;          // with a fault: one sentence for the operator
};

// Users that are spread by hand: [map.NAME]. Each worker has its own object of a map; everything in it
// happens on the worker's loop.
class Map {
 public:
  // Called from the loop, never from within a member of the map; once for each find() that answered nullopt
  // and was not cancelled, within the map's own timeout.
  using Deliver = std::function<void(MapAnswer)>;

  virtual ~Map() = default;

  // An answer at once (a file, the cache), or nullopt: it comes by Deliver.
  virtual std::optional<MapAnswer> find(std::string_view user, net::AnswerTicket ticket) = 0;
  virtual void cancel(net::AnswerTicket ticket) = 0;
};

}  // namespace postern::route
