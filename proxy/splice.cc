#include "proxy/session_context.h"

namespace postern {

namespace {

// One direction has ended: how long the other may be silent before both are closed.
constexpr std::chrono::seconds kHalfClosed{30};

// Do the client's last words look like its goodbye? Only the log wants to know.
bool says_goodbye(Protocol protocol, std::string_view bytes) {
  const std::string_view word = protocol == Protocol::Imap ? "LOGOUT\r\n" : "QUIT\r\n";
  if (bytes.size() < word.size()) return false;
  const std::string_view end = bytes.substr(bytes.size() - word.size());
  for (std::size_t i = 0; i < word.size(); ++i) {
    const char letter = end[i] >= 'a' && end[i] <= 'z' ? static_cast<char>(end[i] - 'a' + 'A') : end[i];
    if (letter != word[i]) return false;
  }
  return true;
}

}  // namespace

Step Splice::begin(SessionContext& context) {
  last_activity = context.reactor.now();
  greeting += store_rest;
  count_out(context, store_rest);
  std::string().swap(store_rest);
  const bool told = context.front.write(greeting);
  std::string().swap(greeting);
  if (!told) return client_ended(context, Channel::Reading::State::Failed);
  const std::string rest = std::exchange(client_rest, {});
  if (!rest.empty() && !to_store(context, rest)) return store_ended(context, Channel::Reading::State::Failed);
  if (front_ended) {
    front_ended = false;
    Step step = client_ended(context, Channel::Reading::State::End);
    if (!std::holds_alternative<Keep>(step)) return step;
  }
  context.front.want_read(!front_ended && back->unwritten() == 0);
  back->want_read(context.front.unwritten() == 0);
  return Keep{};
}

bool Splice::to_store(SessionContext& context, std::string_view bytes) {
  context.record.bytes_in += bytes.size();
  context.metrics.of(context.protocol()).bytes_in.add(bytes.size());
  goodbye = says_goodbye(context.protocol(), bytes);
  if (!back->write(bytes)) return false;
  if (back->unwritten() > 0) context.front.want_read(false);
  return true;
}

void Splice::count_out(SessionContext& context, std::string_view bytes) {
  context.record.bytes_out += bytes.size();
  context.metrics.of(context.protocol()).bytes_out.add(bytes.size());
  if (context.protocol() == Protocol::Imap) boundary.feed(bytes);
}

bool Splice::to_client(SessionContext& context, std::string_view bytes) {
  count_out(context, bytes);
  if (!context.front.write(bytes)) return false;
  if (context.front.unwritten() > 0) back->want_read(false);
  return true;
}

Step Splice::front_readable(SessionContext& context) {
  if (front_is_over() || back->unwritten() > 0) return Keep{};
  const Channel::Reading reading = context.front.read();
  last_activity = context.reactor.now();
  if (!reading.bytes.empty() && !back_is_over() && !to_store(context, reading.bytes)) {
    return store_ended(context, Channel::Reading::State::Failed);
  }
  if (reading.state == Channel::Reading::State::Open) return Keep{};
  if (may_end(context)) return client_ended(context, reading.state);
  front_end = reading.state;
  context.front.want_read(false);
  return Keep{};
}

Step Splice::front_flushed(SessionContext& context) {
  last_activity = context.reactor.now();
  if (back_ended) return ended(context);
  if (!back_is_over()) back->want_read(true);
  return Keep{};
}

Step Splice::back_ready(SessionContext& context, bool readable, bool writable) {
  if (writable && back->unwritten() > 0) {
    if (!back->flush()) return store_ended(context, Channel::Reading::State::Failed);
    last_activity = context.reactor.now();
    if (back->unwritten() == 0 && !front_is_over()) context.front.want_read(true);
  }
  if (!readable || back_is_over() || context.front.unwritten() > 0) return Keep{};
  // The store ends the connection right behind its goodbye: both reach the client at once.
  const Channel::Reading reading = back->read(goodbye);
  last_activity = context.reactor.now();
  const bool ends = reading.state != Channel::Reading::State::Open;
  const bool now = ends && may_end(context);
  if (now && reading.state == Channel::Reading::State::End) {
    return store_ended(context, reading.state, reading.bytes);
  }
  if (!reading.bytes.empty() && !to_client(context, reading.bytes)) {
    return client_ended(context, Channel::Reading::State::Failed);
  }
  if (now) return store_ended(context, reading.state);
  if (ends) {
    back_end = reading.state;
    back->want_read(false);
  }
  return Keep{};
}

// False: in line, until admitted().
bool Splice::may_end(SessionContext& context) {
  const bool in_line =
      front_end != Channel::Reading::State::Open || back_end != Channel::Reading::State::Open;
  return !in_line && context.host.departures().enter(context.ticket);
}

Step Splice::admitted(SessionContext& context) {
  if (front_end != Channel::Reading::State::Open) {
    Step step = client_ended(context, std::exchange(front_end, Channel::Reading::State::Open));
    if (!std::holds_alternative<Keep>(step)) return step;
  }
  if (back_end != Channel::Reading::State::Open) {
    return store_ended(context, std::exchange(back_end, Channel::Reading::State::Open));
  }
  return Keep{};
}

Step Splice::client_ended(SessionContext& context, Channel::Reading::State state) {
  if (state == Channel::Reading::State::Failed) {
    if (goodbye) {
      context.end_well();
    } else {
      context.end(observe::EndedBy::Client, Fault::ClientReset);
    }
    return Over{};
  }
  if (goodbye) {
    context.end_well();
  } else {
    context.end(observe::EndedBy::Client, Fault::None);
  }
  front_ended = true;
  context.front.want_read(false);
  if (back_ended) return ended(context);
  back->finish(state == Channel::Reading::State::End ? Channel::Ending::Whole : Channel::Ending::Cut);
  return Keep{};
}

Step Splice::store_ended(SessionContext& context, Channel::Reading::State state, std::string_view last) {
  if (state == Channel::Reading::State::End) {
    count_out(context, last);
    if (!context.front.finish(Channel::Ending::Whole, last)) {
      return client_ended(context, Channel::Reading::State::Failed);
    }
  }
  if (goodbye) {
    context.end_well();
  } else {
    context.end(observe::EndedBy::Store,
                state == Channel::Reading::State::Failed ? Fault::StoreReset : Fault::None);
  }
  back_ended = true;
  if (state != Channel::Reading::State::End) {
    // What was cut off must not look whole: the client gets what came, and no goodbye of TLS behind it.
    auto closing = std::make_unique<Closing>();
    closing->ending = goodbye ? Channel::Ending::Whole : Channel::Ending::Cut;
    return closing;
  }
  back->want_read(false);
  return ended(context);
}

// After the store's end: nothing is left to do once the client has all and has ended too.
Step Splice::ended(SessionContext& context) {
  if (context.front.unwritten() > 0) return Keep{};
  if (front_ended) return Over{};
  return Keep{};
}

bool Splice::can_say_goodbye(const SessionContext& context) const {
  return context.protocol() == Protocol::Imap && !front_ended && !back_ended && boundary.at_boundary() &&
         context.front.unwritten() == 0;
}

Step Splice::dismiss(SessionContext& context, Fault reason) {
  context.end(reason == Fault::IdleTimeout ? observe::EndedBy::ClientTimeout : observe::EndedBy::Killed,
              reason);
  auto closing = std::make_unique<Closing>();
  if (can_say_goodbye(context)) {
    const FaultRow& row = describe(reason);
    std::string words = "* BYE ";
    if (!row.imap_code.empty()) words.append("[").append(row.imap_code).append("] ");
    words.append(row.text).append("\r\n");
    if (!context.front.write(words)) return Over{};
  } else if (context.protocol() == Protocol::Imap) {
    closing->ending = Channel::Ending::Cut;
  }
  return closing;
}

Step Splice::expired(SessionContext& context) {
  const Time now = context.reactor.now();
  if (now < deadline(context)) return Keep{};
  if (context.end_noted) return Over{};  // one direction had ended, and the other did not
  return dismiss(context, Fault::IdleTimeout);
}

Time Splice::deadline(const SessionContext& context) const {
  if (front_ended || back_ended) return last_activity + kHalfClosed;
  return last_activity + context.snapshot->limits.idle;
}

}  // namespace postern
