#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace postern::pool {

// Weighted rendezvous hashing: every member gets a score for the user, the highest is the user's home, and
// the others follow in the order of their scores. The score depends on the user and on the member's own name
// and weight alone, so that it is the same on every machine, after every restart and for every order of the
// members; when a member leaves or changes its weight, only the users that it loses or wins move.

// The name under which a user is hashed: ASCII letters in lower case, all other octets as they are. Hashing
// alone uses it: Bob@ and bob@ share a home, while every other layer has the octets that the client sent.
std::string canonical_user(std::string_view user);

std::uint64_t backend_seed(std::string_view backend_name);

// -weight / ln(u), with u in (0, 1) from XXH3 over the canonical user, seeded by the backend's name. 0 for a
// weight of 0, which wins against nobody.
double score(std::string_view canonical_user, std::uint64_t backend_seed, unsigned weight);

}  // namespace postern::pool
