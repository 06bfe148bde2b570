#pragma once

#include <expected>
#include <memory>
#include <vector>

#include "conf/loader.h"
#include "proxy/observe/metrics.h"
#include "proxy/snapshot.h"
#include "proxy/time.h"

namespace postern {

// Makes what sessions use of what an operator wrote: contexts of TLS, pools, routes, the password file. Reads
// files, opens no socket. With `previous`, backends keep their state and the ticket keys and verifier go on.
// `metrics` may be null: then everything has number 0 (a check). On failure every problem that was found.
std::expected<std::shared_ptr<const Snapshot>, std::vector<conf::Diagnostic>> compose(
    const conf::Loaded& loaded, const Snapshot* previous, observe::Metrics* metrics, Time now);

// This snapshot is the one in use from now on: what it shares with its predecessor follows it.
void put_into_use(const Snapshot& snapshot);

}  // namespace postern
