/*
 * leveret for C++17 and later: handles that free themselves, texts as std::string_view, times as std::chrono, any callable as a
 * handler. It is a thin layer over leveret.h, whose rules and descriptions hold here too, and adds nothing to link.
 *
 * Errors are thrown as leveret::error. With -fno-exceptions, or LEVERET_NO_EXCEPTIONS defined before this header, each function that
 * can fail returns a leveret::result instead, and objects are made by `make` rather than by their constructors.
 *
 * A handler may throw. The exception ends there: a message is given back as failed (mqtt_message_fail: reason code 0x80 on MQTT 5), it
 * counts in stats().handler_failures, and on_handler_error is told. Handlers and what they captured are destroyed when leveret is done
 * with them; views that a handler gets are valid until it returns.
 *
 * Objects of this header may be moved, and may be used by several threads at a time where leveret.h says so of their handles. Moving or
 * destroying one is a change that no other thread may be in the way of. What refers to a client (receipt, reply) must not outlive it.
 */
#ifndef LEVERET_HPP
#define LEVERET_HPP

#include <leveret.h>

#include <chrono>
#include <cstring>
#include <exception>
#include <functional>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>
#if __has_include(<span>) && __cplusplus >= 202002L
#include <cstddef>
#include <span>
#endif

#if !defined(LEVERET_NO_EXCEPTIONS) && !defined(__cpp_exceptions)
/** Set by the header itself where the compiler has exceptions switched off: errors are returned. */
#define LEVERET_NO_EXCEPTIONS 1
#endif

/* Of the two ways to tell errors each has a namespace of its own, so that a program may mix units of both. */
#ifdef LEVERET_NO_EXCEPTIONS
#define LEVERET_BEGIN   \
    namespace leveret { \
    inline namespace returning {
#else
#define LEVERET_BEGIN   \
    namespace leveret { \
    inline namespace throwing {
#endif
#define LEVERET_END \
    }               \
    }

LEVERET_BEGIN

/** Why a call failed: the code, the sentence of mqtt_last_error, and the broker's reason code. */
class failure {
public:
    /** A failure of one's own. */
    failure(mqtt_result code, std::string text, int reason = -1) : code_(code), reason_(reason), text_(std::move(text)) {}

    /** The failure of the last call on this thread, which answered `code`. */
    static failure last(mqtt_result code) { return failure(code, mqtt_last_error(), mqtt_last_reason()); }

    /** One of the negative results: MQTT_QUEUE_FULL. */
    mqtt_result code() const noexcept { return code_; }
    /** The name of the code: "MQTT_QUEUE_FULL". */
    std::string_view name() const noexcept { return mqtt_result_name(code_); }
    /** The broker's reason code, 0..=255, or -1 where it gave none. */
    int reason() const noexcept { return reason_; }
    /** What is wrong and what is allowed, as a sentence. */
    const std::string &text() const noexcept { return text_; }

private:
    mqtt_result code_;
    int reason_;
    std::string text_;
};

/** A value, or why there is none: what functions return where there are no exceptions. */
template <class T> class result {
public:
    /** With a value. */
    result(T value) : held_(std::in_place_index<0>, std::move(value)) {}
    /** Without one. */
    result(failure why) : held_(std::in_place_index<1>, std::move(why)) {}

    /** Whether there is a value. */
    bool has_value() const noexcept { return held_.index() == 0; }
    /** Whether there is a value. */
    explicit operator bool() const noexcept { return has_value(); }
    /** The value, which must be there. */
    T &operator*() & { return *std::get_if<0>(&held_); }
    /** The value, which must be there. */
    T &&operator*() && { return std::move(*std::get_if<0>(&held_)); }
    /** The value, which must be there. */
    T *operator->() { return std::get_if<0>(&held_); }
    /** Why there is no value; there must be none. */
    const failure &error() const { return *std::get_if<1>(&held_); }

private:
    std::variant<T, failure> held_;
};

/** Nothing, or why the call failed. */
template <> class result<void> {
public:
    /** It went well. */
    result() = default;
    /** It did not. */
    result(failure why) : why_(std::move(why)) {}

    /** Whether it went well. */
    bool has_value() const noexcept { return !why_.has_value(); }
    /** Whether it went well. */
    explicit operator bool() const noexcept { return has_value(); }
    /** Why the call failed, which it must have. */
    const failure &error() const { return *why_; }

private:
    std::optional<failure> why_;
};

#ifdef LEVERET_NO_EXCEPTIONS
/** What a function that can fail returns. */
template <class T> using returns = result<T>;
#else
/** What is thrown. `what()` is the sentence. */
class error : public std::exception {
public:
    /** Throws itself as this. */
    explicit error(failure why) : why_(std::make_shared<failure>(std::move(why))) {}
    /** What is wrong and what is allowed, as a sentence. */
    const char *what() const noexcept override { return why_->text().c_str(); }
    /** One of the negative results: MQTT_QUEUE_FULL. */
    mqtt_result code() const noexcept { return why_->code(); }
    /** The broker's reason code, 0..=255, or -1 where it gave none. */
    int reason() const noexcept { return why_->reason(); }
    /** All of it. */
    const failure &why() const noexcept { return *why_; }

private:
    std::shared_ptr<const failure> why_; /* copying an exception must not throw */
};

/** What a function that can fail returns: it throws leveret::error instead of returning a failure. */
template <class T> using returns = T;
#endif

/** A time to wait, or to live: as long as it takes. */
inline constexpr std::chrono::milliseconds forever = std::chrono::milliseconds::max();

/** Which callbacks run where; see MQTT_DISPATCH_POOL and so on. */
enum class dispatch { pool = MQTT_DISPATCH_POOL, poll = MQTT_DISPATCH_POLL, inline_ = MQTT_DISPATCH_INLINE };

/** The status of a client. */
enum class status { offline = MQTT_STATUS_OFFLINE, online = MQTT_STATUS_ONLINE, closed = MQTT_STATUS_CLOSED };

/** What became of a letter. */
enum class outcome_status {
    acknowledged = MQTT_OUTCOME_ACKNOWLEDGED,
    sent = MQTT_OUTCOME_SENT,
    expired = MQTT_OUTCOME_EXPIRED,
    dropped = MQTT_OUTCOME_DROPPED,
    rejected = MQTT_OUTCOME_REJECTED,
    cancelled = MQTT_OUTCOME_CANCELLED,
    session_lost = MQTT_OUTCOME_SESSION_LOST,
    closed = MQTT_OUTCOME_CLOSED
};

/** The state of a subscription. */
enum class subscription_state {
    down = MQTT_SUBSCRIPTION_DOWN,
    up = MQTT_SUBSCRIPTION_UP,
    downgraded = MQTT_SUBSCRIPTION_DOWNGRADED,
    refused = MQTT_SUBSCRIPTION_REFUSED
};

/** Which letters go first. */
enum class priority { high = MQTT_PRIORITY_HIGH, normal = MQTT_PRIORITY_NORMAL, low = MQTT_PRIORITY_LOW };

/** What gives way when the post office is full while offline. */
enum class overflow {
    by_default = MQTT_OVERFLOW_DEFAULT,
    drop_oldest = MQTT_OVERFLOW_DROP_OLDEST,
    drop_newest = MQTT_OVERFLOW_DROP_NEWEST,
    drop_lowest = MQTT_OVERFLOW_DROP_LOWEST,
    reject = MQTT_OVERFLOW_REJECT
};

/** The name of a status: "online". */
inline std::string_view name(status value) {
    return mqtt_status_name(static_cast<int>(value));
}
/** The name of an outcome: "acknowledged". */
inline std::string_view name(outcome_status value) {
    return mqtt_outcome_name(static_cast<int>(value));
}
/** The name of a state: "downgraded". */
inline std::string_view name(subscription_state value) {
    return mqtt_subscription_state_name(static_cast<int>(value));
}
/** The name of a reason code of the broker: "not authorized". */
inline std::string_view reason_name(int reason) {
    return mqtt_reason_name(reason);
}
/** What a result code means, as a sentence. */
inline std::string_view result_text(mqtt_result code) {
    return mqtt_result_text(code);
}
/** The version of the library: "0.1.0". */
inline std::string_view version() {
    return mqtt_version();
}

/** Packets that a hook is shown, several joined with |. */
enum class packets {
    connack = MQTT_PACKET_CONNACK,
    puback = MQTT_PACKET_PUBACK,
    pubrec = MQTT_PACKET_PUBREC,
    pubrel = MQTT_PACKET_PUBREL,
    pubcomp = MQTT_PACKET_PUBCOMP,
    suback = MQTT_PACKET_SUBACK,
    unsuback = MQTT_PACKET_UNSUBACK,
    disconnect = MQTT_PACKET_DISCONNECT,
    auth = MQTT_PACKET_AUTH
};

/** Both. */
constexpr packets operator|(packets a, packets b) {
    return static_cast<packets>(static_cast<int>(a) | static_cast<int>(b));
}
/** The standard's name of one packet: "PUBREC". */
inline std::string_view name(packets value) {
    return mqtt_packet_name(static_cast<int>(value));
}

/** Where an exchange of authentication is. */
enum class auth_stage { begin = MQTT_AUTH_BEGIN, more = MQTT_AUTH_CONTINUE, finish = MQTT_AUTH_FINISH };

/** The counters of a client. */
using statistics = mqtt_stats;

namespace detail {

#ifdef LEVERET_NO_EXCEPTIONS
inline failure fail(failure why) {
    return why;
}
#else
[[noreturn]] inline void fail(failure why) {
    throw error(std::move(why));
}
#endif

/* Ends a function that returns nothing but errors. */
inline returns<void> done(mqtt_result code) {
    if (code != MQTT_OK) return fail(failure::last(code));
    return returns<void>();
}

#ifdef LEVERET_NO_EXCEPTIONS
#define LEVERET_FAIL(why) return ::leveret::detail::fail(why)
#else
#define LEVERET_FAIL(why) ::leveret::detail::fail(why)
#endif

/* Ends the function if a call of leveret.h failed. */
#define LEVERET_TRY(call) \
    if (const mqtt_result leveret_code = (call); leveret_code != MQTT_OK) LEVERET_FAIL(::leveret::failure::last(leveret_code))

/* Ends the function if a text that has to end in NUL has one inside. */
#define LEVERET_TEXT(text, argument) \
    if ((text).broken())             \
    LEVERET_FAIL(::leveret::failure(MQTT_INVALID_ARGUMENT, std::string(argument) + " must not contain the character U+0000, but it does"))

/* What is said where a time to live is too long. */
inline constexpr const char *ttl_is_too_long = "ttl must be at most 4294967293 ms, or leveret::forever for none, but it is longer";

/* Ends the function if a letter cannot be said in C. */
#define LEVERET_LETTER(letter)                  \
    LEVERET_TEXT(letter, "text of the letter"); \
    if ((letter).lives_too_long()) LEVERET_FAIL(::leveret::failure(MQTT_INVALID_ARGUMENT, ::leveret::detail::ttl_is_too_long))

/* A text with a NUL at its end, short ones without an allocation. */
class terminated {
public:
    explicit terminated(std::string_view text) : broken_(text.find('\0') != std::string_view::npos) {
        if (text.size() >= sizeof short_) {
            long_.assign(text);
            return;
        }
        if (!text.empty()) std::memcpy(short_, text.data(), text.size());
        short_[text.size()] = 0;
    }
    const char *c_str() const { return long_.empty() ? short_ : long_.c_str(); }
    bool broken() const { return broken_; }

private:
    bool broken_;
    char short_[120];
    std::string long_;
};

/* A time to wait in whole milliseconds, rounded up; what is negative does not wait. */
template <class Rep, class Period> std::uint32_t timeout(std::chrono::duration<Rep, Period> time) {
    if (time <= time.zero()) return 0;
    if (std::chrono::duration<double, std::milli>(time).count() >= static_cast<double>(MQTT_TTL_DEFAULT - 1)) return MQTT_FOREVER;
    return static_cast<std::uint32_t>(std::chrono::ceil<std::chrono::milliseconds>(time).count());
}

/* A time to live in whole milliseconds, rounded up: `forever` is none. Nothing where it is longer than can be said. */
template <class Rep, class Period> std::optional<std::uint32_t> time_to_live(std::chrono::duration<Rep, Period> time) {
    if (time <= time.zero()) return 0;
    const double milliseconds = std::chrono::duration<double, std::milli>(time).count();
    if (milliseconds >= static_cast<double>(forever.count())) return MQTT_TTL_NONE;
    if (milliseconds > static_cast<double>(MQTT_TTL_DEFAULT - 1)) return std::nullopt;
    return static_cast<std::uint32_t>(std::chrono::ceil<std::chrono::milliseconds>(time).count());
}

inline std::string_view view(const char *text, std::size_t length) {
    return std::string_view(text, length);
}

} // namespace detail

/** Bytes that are borrowed for a call: of a text, of a container of chars or bytes, or a pointer and a length. */
class bytes {
public:
    /** No bytes. */
    bytes() = default;
    /** `size` bytes from `data`. */
    bytes(const void *data, std::size_t size) : data_(data), size_(size) {}
    /** The characters of a text. */
    bytes(const char *text) : bytes(std::string_view(text)) {}
    /** The characters of a text. */
    bytes(std::string_view text) : data_(text.data()), size_(text.size()) {}
    /** The elements of a std::string, std::vector, std::array, std::span and the like, each of one byte. */
    template <class C, class E = std::remove_pointer_t<decltype(std::declval<const C &>().data())>,
              class = std::enable_if_t<sizeof(E) == 1 && std::is_trivially_copyable_v<E>>>
    bytes(const C &container) : data_(container.data()), size_(container.size()) {}

    /** Where they are. */
    const void *data() const noexcept { return data_; }
    /** How many there are. */
    std::size_t size() const noexcept { return size_; }

private:
    const void *data_ = nullptr;
    std::size_t size_ = 0;
};

/** One property of a packet; its texts live as long as the message or event it was read from. */
class property {
public:
    /** As leveret.h knows it. */
    explicit property(const mqtt_property &raw) : raw_(raw) {}
    /** The name of a user property. */
    std::string_view name() const { return raw_.name == nullptr ? std::string_view() : detail::view(raw_.name, raw_.name_length); }
    /** The text or the bytes; empty for a number. */
    std::string_view value() const {
        return raw_.value == nullptr ? std::string_view() : detail::view(static_cast<const char *>(raw_.value), raw_.value_length);
    }
    /** The number, else 0. */
    std::uint32_t number() const noexcept { return raw_.number; }

private:
    mqtt_property raw_;
};

/** The MQTT 5 properties of a message or an event, as long as that lives. */
class properties {
public:
    /** As leveret.h knows them; NULL for none. */
    explicit properties(const mqtt_properties *raw) : raw_(raw) {}
    /** One property, MQTT_PROPERTY_…; of those that may stand more than once, the `index`th. */
    std::optional<property> get(int identifier, std::size_t index = 0) const {
        mqtt_property found;
        if (!mqtt_property_get(raw_, identifier, index, &found)) return std::nullopt;
        return property(found);
    }
    /** The text or bytes of a property; empty where there is none. */
    std::string_view text(int identifier) const {
        const auto found = get(identifier);
        return found ? found->value() : std::string_view();
    }
    /** Names and values of the user properties, in order. */
    std::vector<std::pair<std::string_view, std::string_view>> user() const {
        std::vector<std::pair<std::string_view, std::string_view>> all;
        while (const auto next = get(MQTT_PROPERTY_USER_PROPERTY, all.size())) all.emplace_back(next->name(), next->value());
        return all;
    }

private:
    const mqtt_properties *raw_;
};

class kept_message;
class letter;
class words;

/** A message, valid until the handler that got it returns; keep() makes it last. */
class message {
public:
    /** As leveret.h knows it. */
    explicit message(const mqtt_message *raw) : raw_(raw) {}
    /** The topic name. */
    std::string_view topic() const { return detail::view(raw_->topic, raw_->topic_length); }
    /** The levels of the topic name. */
    std::vector<std::string_view> levels() const {
        std::vector<std::string_view> all;
        std::string_view rest = topic();
        for (std::size_t slash; (slash = rest.find('/')) != std::string_view::npos; rest.remove_prefix(slash + 1))
            all.push_back(rest.substr(0, slash));
        all.push_back(rest);
        return all;
    }
    /** The payload, as the characters of a text. */
    std::string_view payload() const { return detail::view(static_cast<const char *>(raw_->payload), raw_->payload_length); }
#ifdef __cpp_lib_span
    /** The payload as bytes. */
    std::span<const std::byte> payload_bytes() const { return {static_cast<const std::byte *>(raw_->payload), raw_->payload_length}; }
#endif
    /** QoS of this delivery: 0, 1 or 2. */
    int qos() const noexcept { return raw_->qos; }
    /** Was it retained by the broker. */
    bool retain() const noexcept { return raw_->retain; }
    /** May the broker have sent this packet before. */
    bool dup() const noexcept { return raw_->dup; }
    /** The MQTT 5 properties. */
    leveret::properties properties() const { return leveret::properties(raw_->properties); }
    /** Acknowledges it, with the option manual_ack: mqtt_message_ack. */
    returns<void> ack(int reason = MQTT_REASON_SUCCESS) const { return detail::done(mqtt_message_ack(raw_, reason)); }
    /** Acknowledges it with words: mqtt_message_ack_with. */
    returns<void> ack(int reason, const words &words) const;
    /** Gives it back as not handled, as throwing does: mqtt_message_fail. */
    returns<void> fail() const { return detail::done(mqtt_message_fail(raw_)); }
    /** Answers it, on the response topic that it names: mqtt_message_respond. */
    returns<void> respond(bytes payload) const { return detail::done(mqtt_message_respond(raw_, payload.data(), payload.size(), nullptr)); }
    /** Answers it with all that can be said about a letter; one to "" goes to the response topic: mqtt_message_respond_with. */
    returns<void> respond(const letter &letter) const;
    /** Keeps it beyond its handler. */
    kept_message keep() const;
    /** For functions of leveret.h. */
    const mqtt_message *raw() const noexcept { return raw_; }

protected:
    /** The message itself, which somebody else keeps. */
    const mqtt_message *raw_;
};

/** A message that lasts as long as this object, and beyond its client. Copies share it. */
class kept_message : public message {
public:
    /** Keeps a message. */
    explicit kept_message(const message &other) : message(mqtt_message_ref(other.raw())) {}
    /** Takes over what a function of leveret.h gave, which may be NULL. */
    static kept_message adopt(const mqtt_message *raw) { return kept_message(raw); }
    /** Keeps it once more. */
    kept_message(const kept_message &other) : message(mqtt_message_ref(other.raw())) {}
    /** Takes it over. */
    kept_message(kept_message &&other) noexcept : message(std::exchange(other.raw_, nullptr)) {}
    /** Keeps another instead. */
    kept_message &operator=(kept_message other) noexcept {
        std::swap(raw_, other.raw_);
        return *this;
    }
    ~kept_message() { mqtt_message_unref(raw_); }

private:
    explicit kept_message(const mqtt_message *raw) : message(raw) {}
};

inline kept_message message::keep() const {
    return kept_message(*this);
}

/** What became of a letter. */
class outcome {
public:
    /** As leveret.h knows it. */
    explicit outcome(const mqtt_outcome &raw) : raw_(raw) {}
    /** Which of the outcomes. */
    outcome_status status() const noexcept { return static_cast<outcome_status>(raw_.status); }
    /** Its name: "acknowledged". */
    std::string_view name() const { return leveret::name(status()); }
    /** The broker's reason code, or -1 where nobody gave one. */
    int reason() const noexcept { return raw_.reason; }
    /** Did it go as asked: acknowledged, or at QoS 0 sent. */
    bool ok() const noexcept { return raw_.ok; }
    /** Does the broker have it for certain. */
    bool delivered() const noexcept { return raw_.delivered; }
    /** Not known to be delivered, but it had been sent. */
    bool maybe_delivered() const noexcept { return raw_.maybe_delivered; }

private:
    mqtt_outcome raw_;
};

/** News of the connection, for a handler. The fields are those of mqtt_connection_event. */
class connection_event {
public:
    /** As leveret.h knows it. */
    explicit connection_event(const mqtt_connection_event *raw) : raw_(raw) {}
    /** One of MQTT_CONNECTION_…. */
    int kind() const noexcept { return raw_->kind; }
    /** The broker's reason code, or -1. */
    int reason() const noexcept { return raw_->reason; }
    /** Online: the version of MQTT, 5 or 4. */
    int version() const noexcept { return raw_->version; }
    /** Online: does an earlier session go on. */
    bool session_present() const noexcept { return raw_->session_present; }
    /** Attempt failed: when the next one begins. */
    std::chrono::milliseconds retry_in() const { return std::chrono::milliseconds(raw_->retry_in_ms); }
    /** Online: the keep alive in force; 0 is off. */
    std::chrono::seconds keep_alive() const { return std::chrono::seconds(raw_->keep_alive_s); }
    /** Ping: the time until the answer. */
    std::chrono::microseconds round_trip() const { return std::chrono::microseconds(raw_->round_trip_us); }
    /** Online, attempt failed: which of the addresses, from 0. */
    std::size_t address() const noexcept { return raw_->address; }
    /** Online: the client id in force. */
    std::string_view client_id() const { return detail::view(raw_->client_id, raw_->client_id_length); }
    /** Offline, attempt failed: why. */
    std::string_view text() const { return detail::view(raw_->text, raw_->text_length); }
    /** The properties of CONNACK (online, attempt failed) or of the broker's DISCONNECT (offline). */
    leveret::properties properties() const { return leveret::properties(raw_->properties); }
    /** Offline, attempt failed: what kind of error it was; else MQTT_OK. */
    mqtt_result error() const noexcept { return raw_->error; }

private:
    const mqtt_connection_event *raw_;
};

/** The outcome of a letter, for a handler. */
class receipt_event {
public:
    /** As leveret.h knows it. */
    explicit receipt_event(const mqtt_receipt_event *raw) : raw_(raw) {}
    /** The number of the receipt. */
    std::uint64_t receipt() const noexcept { return raw_->receipt; }
    /** What became of the letter. */
    leveret::outcome outcome() const { return leveret::outcome(raw_->outcome); }
    /** The reason in the broker's words. */
    std::string_view text() const { return detail::view(raw_->text, raw_->text_length); }
    /** What else the broker said. */
    leveret::properties properties() const { return leveret::properties(raw_->properties); }

private:
    const mqtt_receipt_event *raw_;
};

/** A subscription changed its state, for a handler. */
class subscription_event {
public:
    /** As leveret.h knows it. */
    explicit subscription_event(const mqtt_subscription_event *raw) : raw_(raw) {}
    /** The topic filter. */
    std::string_view filter() const { return detail::view(raw_->filter, raw_->filter_length); }
    /** Its state now. */
    subscription_state state() const noexcept { return static_cast<subscription_state>(raw_->state); }
    /** The broker's code: the granted QoS, or why it refused; or -1. */
    int reason() const noexcept { return raw_->reason; }

private:
    const mqtt_subscription_event *raw_;
};

/** A line for the log, for a handler. */
class log_event {
public:
    /** As leveret.h knows it. */
    explicit log_event(const mqtt_log_event *raw) : raw_(raw) {}
    /** One of MQTT_LOG_…. */
    int level() const noexcept { return raw_->level; }
    /** The line. */
    std::string_view text() const { return detail::view(raw_->text, raw_->text_length); }

private:
    const mqtt_log_event *raw_;
};

/** A packet of the broker, for a hook. */
class packet_event {
public:
    /** As leveret.h knows it. */
    explicit packet_event(const mqtt_packet_event *raw) : raw_(raw) {}
    /** For client::answer; 0 where our answer can carry no words. */
    std::uint64_t number() const noexcept { return raw_->number; }
    /** Which packet. */
    packets packet() const noexcept { return static_cast<packets>(raw_->packet); }
    /** The packet identifier; 0 where there is none. */
    std::uint16_t packet_id() const noexcept { return raw_->packet_id; }
    /** The first of the reason codes, or -1. */
    int reason() const noexcept { return raw_->reason; }
    /** The reason codes: for SUBACK and UNSUBACK one for each filter. */
    std::vector<int> reasons() const { return std::vector<int>(raw_->reasons, raw_->reasons + raw_->reason_count); }
    /** CONNACK: does an earlier session go on. */
    bool session_present() const noexcept { return raw_->session_present; }
    /** The number of the letter's receipt; 0 for none. */
    std::uint64_t receipt() const noexcept { return raw_->receipt; }
    /** Its properties. */
    leveret::properties properties() const { return leveret::properties(raw_->properties); }

private:
    const mqtt_packet_event *raw_;
};

/** A step of enhanced authentication, for the authenticator. */
class auth_event {
public:
    /** As leveret.h knows it. */
    explicit auth_event(const mqtt_auth_event *raw) : raw_(raw) {}
    /** For client::authenticate and client::refuse_authentication. */
    std::uint64_t number() const noexcept { return raw_->number; }
    /** Where in the exchange it is. */
    auth_stage stage() const noexcept { return static_cast<auth_stage>(raw_->stage); }
    /** Is it a re-authentication on a connection that is up. */
    bool reauthentication() const noexcept { return raw_->reauthentication; }
    /** The authentication method. */
    std::string_view method() const { return detail::view(raw_->method, raw_->method_length); }
    /** The authentication data of the broker; none when beginning, and where it sent none. */
    std::optional<std::string_view> data() const {
        if (raw_->data == nullptr) return std::nullopt;
        return detail::view(static_cast<const char *>(raw_->data), raw_->data_length);
    }
    /** The properties of AUTH or CONNACK. */
    leveret::properties properties() const { return leveret::properties(raw_->properties); }

private:
    const mqtt_auth_event *raw_;
};

/** An attempt to connect that is about to begin, for client::on_connect. */
class connect_event {
public:
    /** As leveret.h knows it. */
    explicit connect_event(const mqtt_connect_event *raw) : raw_(raw) {}
    /** For client::answer_connect and client::refuse_connect. */
    std::uint64_t number() const noexcept { return raw_->number; }
    /** Counts the attempts of the client from 1; one that was not made gives its number to the next. */
    std::uint64_t attempt() const noexcept { return raw_->attempt; }
    /** Where it is to go, without user name and password. */
    std::string_view url() const { return detail::view(raw_->url, raw_->url_length); }

private:
    const mqtt_connect_event *raw_;
};

/** A handshake that is to be signed, for options::signer. Not to be used once that has returned. */
class sign_event {
public:
    /** As leveret.h knows it. */
    explicit sign_event(const mqtt_sign_event *raw) : raw_(raw) {}
    /** The signature scheme as TLS names it: "ecdsa_secp256r1_sha256". */
    std::string_view scheme() const { return detail::view(raw_->scheme, raw_->scheme_length); }
    /** What is to be signed, not hashed yet. */
    std::string_view message() const { return detail::view(static_cast<const char *>(raw_->message), raw_->message_length); }
    /** Gives the signature, for ECDSA in DER: mqtt_sign_answer. */
    returns<void> answer(bytes signature) const {
        return detail::done(mqtt_sign_answer(raw_->signing, signature.data(), signature.size()));
    }
    /** Refuses, and with it the attempt to connect: mqtt_sign_refuse. */
    returns<void> refuse(std::string_view why) const {
        const detail::terminated text(why);
        LEVERET_TEXT(text, "text");
        return detail::done(mqtt_sign_refuse(raw_->signing, text.c_str()));
    }

private:
    const mqtt_sign_event *raw_;
};

/** One of a batch of events; of the functions that name a kind, only the one for `kind` may be called. */
class event {
public:
    /** As leveret.h knows it. */
    explicit event(const mqtt_event *raw) : raw_(raw) {}
    /** One of MQTT_EVENT_…. */
    int kind() const noexcept { return raw_->kind; }
    /** MQTT_EVENT_MESSAGE */
    leveret::message message() const { return leveret::message(raw_->data.message); }
    /** MQTT_EVENT_CONNECTION */
    connection_event connection() const { return connection_event(raw_->data.connection); }
    /** MQTT_EVENT_RECEIPT */
    receipt_event receipt() const { return receipt_event(raw_->data.receipt); }
    /** MQTT_EVENT_SUBSCRIPTION */
    subscription_event subscription() const { return subscription_event(raw_->data.subscription); }
    /** MQTT_EVENT_LOG */
    log_event log() const { return log_event(raw_->data.log); }

private:
    const mqtt_event *raw_;
};

LEVERET_END

#include "leveret/letter.hpp"
#include "leveret/client.hpp"

#endif
