#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <toml++/toml.h>

#include "conf/problems.h"
#include "conf/schema.h"
#include "conf/source.h"
#include "conf/substitute.h"

namespace postern::conf {

// Turns one value of the file into what its row of the schema asks for.
class ValueReader {
 public:
  ValueReader(const Variables& variables, Source& source, Problems& problems)
      : variables_(variables), source_(source), problems_(problems) {}

  // nullopt: it is not such a value, and `problems` says why. `path` is already marked in `source`; the
  // elements of a list are marked here, a word of SomeOf also by its name: "auth.mechanisms.plain".
  std::optional<Value> read(const Row& row, const std::string& path, const toml::node& node);

 private:
  using Answer = std::optional<Value>;
  struct Item {  // what a message needs to know
    const Row& row;
    const std::string& path;
    const toml::node& node;
  };

  Answer scalar(const Item& item);
  Answer text(const Item& item, std::string written);
  Answer number(const Item& item, const std::string& written);
  Answer flag(const Item& item, const std::string& written);
  Answer duration(const Item& item, const std::string& written);
  Answer size(const Item& item, const std::string& written);
  Answer choice(const Item& item, const std::string& written);
  Answer endpoint(const Item& item, const std::string& written);
  Answer network(const Item& item, const std::string& written);
  Answer host(const Item& item, std::string written);
  Answer url(const Item& item, const std::string& written);
  Answer service(const Item& item, const std::string& written);
  Answer headers(const Item& item);
  Answer integer_in_range(const Item& item, std::int64_t number);
  Answer not_a_string(const Item& item);
  Answer elements(const Item& item, const toml::array& array);
  Answer refused(const Item& item);
  std::string shown(const Item& item, std::string_view written) const;
  Answer fail(const Item& item, const std::string& message);  // message follows the path: "must be ..."

  const Variables& variables_;
  Source& source_;
  Problems& problems_;
};

}  // namespace postern::conf
