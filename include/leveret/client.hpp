/*
 * The client and its handlers, for leveret.hpp, which includes this file.
 */
#ifndef LEVERET_CLIENT_HPP
#define LEVERET_CLIENT_HPP

#include <leveret.hpp>

LEVERET_BEGIN

namespace detail {

/* Who is told of a handler that threw; shared by a client and its handlers, which may outlive each other. */
class watch {
public:
    void set(std::function<void(std::exception_ptr)> told) {
        auto next = told ? std::make_shared<const std::function<void(std::exception_ptr)>>(std::move(told)) : nullptr;
        const std::lock_guard<std::mutex> locked(lock_);
        told_.swap(next);
    }
#ifndef LEVERET_NO_EXCEPTIONS
    /* Inside a catch. What the one who is told throws is lost. */
    void tell() noexcept {
        try {
            std::unique_lock<std::mutex> locked(lock_);
            const auto told = told_;
            locked.unlock();
            if (told != nullptr) (*told)(std::current_exception());
        } catch (...) {}
    }
#endif

private:
    std::mutex lock_;
    std::shared_ptr<const std::function<void(std::exception_ptr)>> told_;
};

/* A handler as leveret.h holds it: freed by `drop`. */
template <class F> struct handler {
    F call;
    std::shared_ptr<watch> watched;

    static void drop(void *context) noexcept { delete static_cast<handler *>(context); }

    /* Calls the handler; what it throws ends here, and `failed` is called. */
    template <class Call, class Failed> void guarded(Call &&calls, Failed &&failed) noexcept {
#ifdef LEVERET_NO_EXCEPTIONS
        (void)failed;
        calls(call);
#else
        try {
            calls(call);
        } catch (...) {
            failed();
            watched->tell();
        }
#endif
    }

    static void on_message(void *context, const mqtt_message *raw) noexcept {
        static_cast<handler *>(context)->guarded([&](F &f) { f(message(raw)); }, [&] { mqtt_message_fail(raw); });
    }
    /* For events of one kind. */
    template <class Event, class Raw> static void on_event(void *context, const Raw *raw) noexcept {
        static_cast<handler *>(context)->guarded([&](F &f) { f(Event(raw)); }, [] {});
    }
    /* A hook that answers nothing, or true for "later"; with one that throws the answer goes out without words. */
    static bool on_packet(void *context, const mqtt_packet_event *raw) noexcept {
        bool later = false;
        static_cast<handler *>(context)->guarded(
            [&](F &f) {
                if constexpr (std::is_convertible_v<decltype(f(packet_event(raw))), bool>) later = f(packet_event(raw));
                else f(packet_event(raw));
            },
            [] {});
        return later;
    }
    static void on_events(void *context, const mqtt_event *raw, std::size_t count) noexcept {
        static_cast<handler *>(context)->guarded(
            [&](F &f) {
                std::vector<event> all;
                all.reserve(count);
                for (std::size_t i = 0; i < count; i++) all.emplace_back(&raw[i]);
                f(static_cast<const std::vector<event> &>(all));
            },
            [&] {
                for (std::size_t i = 0; i < count; i++)
                    if (raw[i].kind == MQTT_EVENT_MESSAGE) mqtt_message_fail(raw[i].data.message);
            });
    }
};

/* An authenticator, with the client that its answers go to. */
template <class F> struct authenticator {
    handler<F> held;
    mqtt_client *client;

    static void drop(void *context) noexcept { delete static_cast<authenticator *>(context); }
    /* One that throws refuses, with the words of the exception. */
    static void on_auth(void *context, const mqtt_auth_event *raw) noexcept {
        auto *self = static_cast<authenticator *>(context);
        self->held.guarded([&](F &f) { f(auth_event(raw)); }, [&] { self->refuse(raw->number); });
    }

private:
    void refuse(std::uint64_t number) noexcept {
#ifdef LEVERET_NO_EXCEPTIONS
        (void)number;
#else
        try {
            throw;
        } catch (const std::exception &thrown) {
            mqtt_auth_refuse(client, number, thrown.what());
        } catch (...) {
            mqtt_auth_refuse(client, number, "the authenticator threw");
        }
#endif
    }
};

/* What is asked before each connect, with the client that its answers go to. */
template <class F> struct before_connect {
    handler<F> held;
    mqtt_client *client;

    static void drop(void *context) noexcept { delete static_cast<before_connect *>(context); }
    /* What it returns is the answer, unless it returns nothing. One that throws refuses, with the words of the exception. */
    static void on_connect(void *context, const mqtt_connect_event *raw) noexcept {
        auto *self = static_cast<before_connect *>(context);
        self->held.guarded(
            [&](F &f) {
                if constexpr (std::is_convertible_v<decltype(f(connect_event(raw))), connect_options>) {
                    const connect_options said = f(connect_event(raw));
                    self->answer(raw->number, said);
                } else {
                    f(connect_event(raw));
                }
            },
            [&] { self->refuse(raw->number); });
    }

private:
    void answer(std::uint64_t number, const connect_options &said) noexcept {
        if (mqtt_connect_answer(client, number, said.raw()) == MQTT_OK) return;
        /* Kept, since the next call may replace it. */
        const std::string why = mqtt_last_error();
        mqtt_connect_refuse(client, number, why.c_str());
    }
    void refuse(std::uint64_t number) noexcept {
#ifdef LEVERET_NO_EXCEPTIONS
        (void)number;
#else
        try {
            throw;
        } catch (const std::exception &thrown) {
            mqtt_connect_refuse(client, number, thrown.what());
        } catch (...) {
            mqtt_connect_refuse(client, number, "the function before connect threw");
        }
#endif
    }
};

} // namespace detail

/** The receipt of a letter, by which its outcome is asked for. Not to be used once its client is gone. */
class receipt {
public:
    /** Of a client, by its number. */
    receipt(mqtt_client *client, std::uint64_t number) : client_(client), number_(number) {}
    /** As receipt_event::receipt tells it. */
    std::uint64_t number() const noexcept { return number_; }
    /** Waits for the outcome, and claims it: mqtt_receipt_wait. */
    template <class Rep, class Period> returns<outcome> wait(std::chrono::duration<Rep, Period> timeout) const {
        mqtt_outcome raw;
        LEVERET_TRY(mqtt_receipt_wait(client_, number_, detail::timeout(timeout), &raw));
        return outcome(raw);
    }
    /** Waits for the outcome as long as it takes. */
    returns<outcome> wait() const { return wait(forever); }
    /** Takes the letter back: whether it was still there. */
    returns<bool> cancel() const {
        bool found = false;
        LEVERET_TRY(mqtt_cancel(client_, number_, &found));
        return found;
    }
    /** Says where the letter is and why; empty if it is settled. */
    returns<std::string> explain() const {
        std::string text(256, '\0');
        std::size_t length = 0;
        LEVERET_TRY(mqtt_explain(client_, number_, &text[0], text.size(), &length));
        if (length >= text.size()) {
            text.resize(length + 64); /* it tells ages, which may have grown */
            LEVERET_TRY(mqtt_explain(client_, number_, &text[0], text.size(), &length));
        }
        text.resize(length < text.size() ? length : text.size() - 1);
        return text;
    }

private:
    mqtt_client *client_;
    std::uint64_t number_;
};

/** The broker's answer to a subscribe, unsubscribe or re-authentication, on its way. Nobody has to wait for it. */
class reply {
public:
    /** Of a client, by its number. */
    reply(mqtt_client *client, std::uint64_t number) : client_(client), number_(number) {}
    /** Waits for the answer: the granted QoS, or the broker's code. mqtt_reply_wait. */
    template <class Rep, class Period> returns<int> wait(std::chrono::duration<Rep, Period> timeout) const {
        int reason = 0;
        LEVERET_TRY(mqtt_reply_wait(client_, number_, detail::timeout(timeout), &reason));
        return reason;
    }
    /** Waits for the answer as long as it takes. */
    returns<int> wait() const { return wait(forever); }

private:
    mqtt_client *client_;
    std::uint64_t number_;
};

/** What publish_many did: the receipts of the letters accepted, the first ones, and why it ended before the last. */
struct published {
    /** One for each letter that was accepted. */
    std::vector<receipt> receipts;
    /** Why the next one was refused; none if all were accepted. */
    std::optional<failure> refused;
};

/** A client: one connection that is kept up, and the post office behind it. Its end frees it: mqtt_client_free. */
class client {
public:
#ifndef LEVERET_NO_EXCEPTIONS
    /** Of the broker at `url`, or of several, separated by spaces. It connects once started. */
    explicit client(std::string_view url, const leveret::options &how = leveret::options()) : client(make(url, how)) {}
#endif
    /** Makes one, where constructors cannot tell errors. */
    static returns<client> make(std::string_view url, const leveret::options &how = leveret::options()) {
        const detail::terminated text(url);
        LEVERET_TEXT(text, "url");
        mqtt_client *made = mqtt_client_new(text.c_str(), how.raw());
        if (made == nullptr) LEVERET_FAIL(failure::last(MQTT_INVALID_ARGUMENT));
        return client(made);
    }
    /** Takes it over. What was taken over may only be destroyed or assigned to. */
    client(client &&) noexcept = default;
    /** Takes it over; the one that was here is freed. */
    client &operator=(client &&) noexcept = default;

    /** Lets it begin to connect; from then on it never gives up. */
    returns<void> start() { return detail::done(mqtt_client_start(raw())); }
    /** Whether it is connected. */
    leveret::status status() const { return static_cast<leveret::status>(mqtt_client_status(raw())); }
    /** Waits until it has a status, also if that came and went meanwhile. */
    template <class Rep, class Period> returns<void> wait_for(leveret::status wanted, std::chrono::duration<Rep, Period> timeout) {
        return detail::done(mqtt_client_wait_for(raw(), static_cast<int>(wanted), detail::timeout(timeout)));
    }
    /** Dials anew, at once. */
    returns<void> reconnect() { return detail::done(mqtt_client_reconnect(raw())); }
    /** Waits until every letter published before has its outcome. */
    template <class Rep, class Period> returns<void> flush(std::chrono::duration<Rep, Period> timeout) {
        return detail::done(mqtt_client_flush(raw(), detail::timeout(timeout)));
    }
    /** Measures a round trip to the broker. */
    template <class Rep, class Period> returns<std::chrono::microseconds> ping(std::chrono::duration<Rep, Period> timeout) {
        std::uint64_t microseconds = 0;
        LEVERET_TRY(mqtt_client_ping(raw(), detail::timeout(timeout), &microseconds));
        return std::chrono::microseconds(microseconds);
    }
    /** Waits for room in the post office, after MQTT_QUEUE_FULL. */
    template <class Rep, class Period> returns<void> drain(std::chrono::duration<Rep, Period> timeout) {
        return detail::done(mqtt_client_wait_writable(raw(), detail::timeout(timeout)));
    }
    /** Closes it for good: lets letters go out for `timeout`, says DISCONNECT, settles what is left. */
    template <class Rep, class Period> returns<void> close(std::chrono::duration<Rep, Period> timeout) {
        return detail::done(mqtt_client_close(raw(), detail::timeout(timeout)));
    }
    /** Closes it, saying whether the session at the broker ends. */
    template <class Rep, class Period> returns<void> close(std::chrono::duration<Rep, Period> timeout, bool end_session) {
        return detail::done(mqtt_client_close_with(raw(), detail::timeout(timeout), end_session));
    }
    /** Closes it with all that can be said about it: mqtt_client_close_options. */
    returns<void> close(const close_options &how) {
        std::vector<mqtt_pair> pairs;
        LEVERET_TEXT(how, "text of the options");
        const mqtt_close_options plain = how.raw(pairs);
        return detail::done(mqtt_client_close_options(raw(), &plain));
    }
    /** Authenticates once more; the reply says how that ended: mqtt_client_reauthenticate. */
    returns<reply> reauthenticate() {
        std::uint64_t number = 0;
        LEVERET_TRY(mqtt_client_reauthenticate(raw(), &number));
        return reply(raw(), number);
    }
    /** The counters. */
    returns<statistics> stats() const {
        statistics counted;
        LEVERET_TRY(mqtt_client_stats(raw(), &counted));
        return counted;
    }

    /** Where handlers run; before the start. */
    returns<void> dispatch(leveret::dispatch where) { return detail::done(mqtt_client_dispatch(raw(), static_cast<int>(where))); }
    /** The descriptor that is readable when poll has something to do. */
    returns<int> fd() {
        const int descriptor = mqtt_client_fd(raw());
        if (descriptor < 0) LEVERET_FAIL(failure::last(MQTT_INVALID_ARGUMENT));
        return descriptor;
    }
    /** Runs handlers for what has come, on this thread: for how many events. */
    template <class Rep, class Period> returns<std::size_t> poll(std::chrono::duration<Rep, Period> timeout) {
        std::size_t handled = 0;
        LEVERET_TRY(mqtt_client_poll(raw(), detail::timeout(timeout), &handled));
        return handled;
    }

    /** Calls `f(leveret::message)` with messages that no subscription's own handler takes. nullptr ends it, here and below. */
    template <class F> returns<void> on_message(F &&f) {
        return on(mqtt_client_on_message_with, std::forward<F>(f), [](auto h) { return h->on_message; });
    }
    /** Calls `f(leveret::connection_event)` with news of the connection. */
    template <class F> returns<void> on_connection(F &&f) {
        return on(mqtt_client_on_connection_with, std::forward<F>(f),
                  [](auto h) { return h->template on_event<connection_event, mqtt_connection_event>; });
    }
    /** Calls `f(leveret::receipt_event)` with the outcome of each letter that has a receipt. */
    template <class F> returns<void> on_receipt(F &&f) {
        return on(mqtt_client_on_receipt_with, std::forward<F>(f),
                  [](auto h) { return h->template on_event<receipt_event, mqtt_receipt_event>; });
    }
    /** Calls `f(leveret::subscription_event)` when a subscription changes its state. */
    template <class F> returns<void> on_subscription(F &&f) {
        return on(mqtt_client_on_subscription_with, std::forward<F>(f),
                  [](auto h) { return h->template on_event<subscription_event, mqtt_subscription_event>; });
    }
    /** Calls `f(leveret::log_event)` with lines for a log. */
    template <class F> returns<void> on_log(F &&f) {
        return on(mqtt_client_on_log_with, std::forward<F>(f), [](auto h) { return h->template on_event<log_event, mqtt_log_event>; });
    }
    /** Calls `f(const std::vector<leveret::event> &)` with batches of all that no other handler takes. */
    template <class F> returns<void> on_events(F &&f) {
        return on(mqtt_client_on_events_with, std::forward<F>(f), [](auto h) { return h->on_events; });
    }
    /** Calls `f(leveret::packet_event)` with these packets of the broker. A hook that returns true answers later. */
    template <class F> returns<void> on_packet(leveret::packets which, F &&f) {
        const int bits = static_cast<int>(which);
        const auto registers = [bits](mqtt_client *client, mqtt_packet_callback callback, void *context, mqtt_drop drop) {
            return mqtt_client_on_packet_with(client, bits, callback, context, drop);
        };
        return on(registers, std::forward<F>(f), [](auto h) { return h->on_packet; });
    }
    /** Puts words on our answer to a packet, inside its hook or later: mqtt_packet_answer. */
    returns<void> answer(std::uint64_t packet, const words &words) {
        std::vector<mqtt_pair> pairs;
        LEVERET_TEXT(words, "text of the words");
        words.point(pairs);
        return detail::done(mqtt_packet_answer(raw(), packet, words.reason_string(), pairs.data(), pairs.size()));
    }
    /** Calls `f(leveret::auth_event)` with each step of enhanced authentication: mqtt_client_on_auth. One that throws refuses. */
    template <class F> returns<void> on_auth(F &&f) {
        if constexpr (std::is_same_v<std::decay_t<F>, std::nullptr_t>) {
            return detail::done(mqtt_client_on_auth_with(raw(), nullptr, nullptr, nullptr));
        } else {
            using held = detail::authenticator<std::decay_t<F>>;
            auto *made = new held{{std::forward<F>(f), watched_}, raw()};
            return detail::done(mqtt_client_on_auth_with(raw(), held::on_auth, made, held::drop));
        }
    }
    /** Answers a step with data for the broker, or with none: mqtt_auth_answer. */
    returns<void> authenticate(std::uint64_t step, std::optional<bytes> data = std::nullopt, const words &words = leveret::words()) {
        std::vector<mqtt_pair> pairs;
        LEVERET_TEXT(words, "text of the words");
        words.point(pairs);
        const void *first = !data ? nullptr : data->data() == nullptr ? "" : data->data();
        return detail::done(
            mqtt_auth_answer(raw(), step, first, data ? data->size() : 0, words.reason_string(), pairs.data(), pairs.size()));
    }
    /** Refuses a step, and with it the connection: mqtt_auth_refuse. */
    returns<void> refuse_authentication(std::uint64_t step, std::string_view why) {
        const detail::terminated text(why);
        LEVERET_TEXT(text, "text");
        return detail::done(mqtt_auth_refuse(raw(), step, text.c_str()));
    }
    /** Calls `f(leveret::connect_event)` before each attempt to connect: mqtt_client_on_connect. The connect_options that it returns
     * are the answer; one that returns nothing has it answered or refused by number, at once or later. One that throws refuses. */
    template <class F> returns<void> on_connect(F &&f) {
        if constexpr (std::is_same_v<std::decay_t<F>, std::nullptr_t>) {
            return detail::done(mqtt_client_on_connect_with(raw(), nullptr, nullptr, nullptr));
        } else {
            using held = detail::before_connect<std::decay_t<F>>;
            auto *made = new held{{std::forward<F>(f), watched_}, raw()};
            return detail::done(mqtt_client_on_connect_with(raw(), held::on_connect, made, held::drop));
        }
    }
    /** Lets an attempt begin, with what these options say: mqtt_connect_answer. */
    returns<void> answer_connect(std::uint64_t attempt, const connect_options &said = connect_options()) {
        return detail::done(mqtt_connect_answer(raw(), attempt, said.raw()));
    }
    /** Lets an attempt fail; another follows: mqtt_connect_refuse. */
    returns<void> refuse_connect(std::uint64_t attempt, std::string_view why) {
        const detail::terminated text(why);
        LEVERET_TEXT(text, "text");
        return detail::done(mqtt_connect_refuse(raw(), attempt, text.c_str()));
    }
    /** Is called with what a handler threw, on the thread of that handler. Without it only the counters tell. */
    void on_handler_error(std::function<void(std::exception_ptr)> told) { watched_->set(std::move(told)); }

    /** Publishes with the client's time to live; never waits for the network. MQTT_QUEUE_FULL: drain waits for room. */
    returns<receipt> publish(std::string_view topic, bytes payload, int qos = 1, bool retain = false) {
        return publish_within(topic, payload, MQTT_TTL_DEFAULT, qos, retain);
    }
    /** Publishes with a time to live of its own: at most 4294967293 ms, or `leveret::forever` for none. */
    template <class Rep, class Period>
    returns<receipt> publish(std::string_view topic, bytes payload, std::chrono::duration<Rep, Period> ttl, int qos = 1,
                             bool retain = false) {
        const std::optional<std::uint32_t> milliseconds = detail::time_to_live(ttl);
        if (!milliseconds) LEVERET_FAIL(failure(MQTT_INVALID_ARGUMENT, detail::ttl_is_too_long));
        return publish_within(topic, payload, *milliseconds, qos, retain);
    }
    /** Publishes a letter with all that can be said about it. */
    returns<receipt> publish(const letter &letter) {
        std::uint64_t number = 0;
        std::vector<mqtt_pair> pairs;
        LEVERET_LETTER(letter);
        const mqtt_letter plain = letter.raw(pairs);
        LEVERET_TRY(mqtt_publish_with(raw(), &plain, &number));
        return receipt(raw(), number);
    }
    /** Asks, and waits for the response: mqtt_request. */
    template <class Rep = std::int64_t, class Period = std::milli>
    returns<kept_message> request(std::string_view topic, bytes payload,
                                  std::chrono::duration<Rep, Period> timeout = std::chrono::milliseconds(10000)) {
        const detail::terminated text(topic);
        LEVERET_TEXT(text, "topic");
        const mqtt_message *response = nullptr;
        LEVERET_TRY(mqtt_request(raw(), text.c_str(), payload.data(), payload.size(), detail::timeout(timeout), &response));
        return kept_message::adopt(response);
    }
    /** Asks with all that can be said about the letter; on MQTT 3.1.1 its response_topic is needed: mqtt_request_with. */
    template <class Rep = std::int64_t, class Period = std::milli>
    returns<kept_message> request(const letter &letter, std::chrono::duration<Rep, Period> timeout = std::chrono::milliseconds(10000)) {
        std::vector<mqtt_pair> pairs;
        LEVERET_LETTER(letter);
        const mqtt_letter plain = letter.raw(pairs);
        const mqtt_message *response = nullptr;
        LEVERET_TRY(mqtt_request_with(raw(), &plain, detail::timeout(timeout), &response));
        return kept_message::adopt(response);
    }
    /** Publishes and keeps no receipt: for letters nobody will ask for. */
    returns<void> post(std::string_view topic, bytes payload, int qos = 1, bool retain = false) {
        const detail::terminated text(topic);
        LEVERET_TEXT(text, "topic");
        return detail::done(mqtt_publish(raw(), text.c_str(), payload.data(), payload.size(), qos, retain, nullptr));
    }
    /** Publishes many letters in order, faster than one by one; the first that is refused ends it. */
    published publish_many(const std::vector<letter> &letters) {
        std::vector<std::vector<mqtt_pair>> pairs(letters.size());
        std::vector<mqtt_letter> plain;
        std::vector<std::uint64_t> numbers(letters.size());
        std::size_t accepted = 0;
        published done;
        done.receipts.reserve(letters.size());
        plain.reserve(letters.size());
        for (const letter &letter : letters) {
            if (letter.broken()) {
                done.refused.emplace(MQTT_INVALID_ARGUMENT, "text of a letter must not contain the character U+0000, but it does");
                return done;
            }
            if (letter.lives_too_long()) {
                done.refused.emplace(MQTT_INVALID_ARGUMENT, detail::ttl_is_too_long);
                return done;
            }
        }
        for (std::size_t i = 0; i < letters.size(); i++) plain.push_back(letters[i].raw(pairs[i]));
        const mqtt_result code = mqtt_publish_many(raw(), plain.data(), plain.size(), numbers.data(), &accepted);
        if (code != MQTT_OK) done.refused = failure::last(code);
        for (std::size_t i = 0; i < accepted; i++) done.receipts.emplace_back(raw(), numbers[i]);
        return done;
    }

    /** Subscribes; `f(leveret::message)` is called with each message for the filter. */
    template <class F> returns<reply> subscribe(std::string_view filter, F &&f) {
        return subscribe(filter, subscribe_options(), std::forward<F>(f));
    }
    /** Subscribes with a QoS: the highest with which the broker is to deliver. */
    template <class F> returns<reply> subscribe(std::string_view filter, int qos, F &&f) {
        return subscribe(filter, subscribe_options().qos(qos), std::forward<F>(f));
    }
    /** Subscribes with options. With nullptr for the handler, messages go to on_message or on_events. */
    template <class F> returns<reply> subscribe(std::string_view filter, const subscribe_options &how, F &&f) {
        const detail::terminated text(filter);
        std::uint64_t number = 0;
        std::vector<mqtt_pair> pairs;
        LEVERET_TEXT(text, "topic filter");
        LEVERET_TEXT(how, "user property");
        const mqtt_subscribe_options plain = how.raw(pairs);
        mqtt_result code;
        if constexpr (std::is_same_v<std::decay_t<F>, std::nullptr_t>) {
            code = mqtt_subscribe_with(raw(), text.c_str(), &plain, nullptr, nullptr, nullptr, &number);
        } else {
            auto *held = hold(std::forward<F>(f));
            code = mqtt_subscribe_with(raw(), text.c_str(), &plain, held->on_message, held, held->drop, &number);
        }
        LEVERET_TRY(code);
        return reply(raw(), number);
    }
    /** Ends the subscription to a filter: no handler of it begins afterwards. */
    returns<reply> unsubscribe(std::string_view filter) {
        const detail::terminated text(filter);
        std::uint64_t number = 0;
        LEVERET_TEXT(text, "topic filter");
        LEVERET_TRY(mqtt_unsubscribe(raw(), text.c_str(), &number));
        return reply(raw(), number);
    }

    /** Ends it with user properties for the broker: mqtt_unsubscribe_with. */
    returns<reply> unsubscribe(std::string_view filter,
                               std::initializer_list<std::pair<std::string_view, std::string_view>> user_properties) {
        const detail::terminated text(filter);
        detail::pairs kept;
        std::vector<mqtt_pair> pairs;
        std::uint64_t number = 0;
        for (const auto &[name, value] : user_properties) kept.add(name, value);
        LEVERET_TEXT(text, "topic filter");
        LEVERET_TEXT(kept, "user property");
        kept.point(pairs);
        LEVERET_TRY(mqtt_unsubscribe_with(raw(), text.c_str(), pairs.data(), pairs.size(), &number));
        return reply(raw(), number);
    }

    /** For functions of leveret.h; it stays this object's. */
    mqtt_client *raw() const noexcept { return handle_.get(); }

private:
    struct freed {
        void operator()(mqtt_client *handle) const { mqtt_client_free(handle); }
    };

    explicit client(mqtt_client *made) : handle_(made), watched_(std::make_shared<detail::watch>()) {}

    template <class F> detail::handler<std::decay_t<F>> *hold(F &&f) {
        return new detail::handler<std::decay_t<F>>{std::forward<F>(f), watched_};
    }
    /* Registers a handler with one of the functions of leveret.h; `as` picks its function. */
    template <class Register, class F, class As> returns<void> on(Register registers, F &&f, As as) {
        if constexpr (std::is_same_v<std::decay_t<F>, std::nullptr_t>) {
            return detail::done(registers(raw(), nullptr, nullptr, nullptr));
        } else {
            auto *held = hold(std::forward<F>(f));
            return detail::done(registers(raw(), as(held), held, held->drop));
        }
    }
    returns<receipt> publish_within(std::string_view topic, bytes payload, std::uint32_t ttl_ms, int qos, bool retain) {
        const detail::terminated text(topic);
        std::uint64_t number = 0;
        LEVERET_TEXT(text, "topic");
        LEVERET_TRY(mqtt_publish_ttl(raw(), text.c_str(), payload.data(), payload.size(), qos, retain, ttl_ms, &number));
        return receipt(raw(), number);
    }

    std::unique_ptr<mqtt_client, freed> handle_;
    std::shared_ptr<detail::watch> watched_;
};

/** Sets how many threads do the network for all clients; before the first client is made. */
inline returns<void> set_runtime_threads(std::uint32_t threads) {
    return detail::done(mqtt_set_runtime_threads(threads));
}

/** Stops the threads of leveret; clients that are open end at once. */
inline returns<void> shutdown() {
    return detail::done(mqtt_shutdown());
}

LEVERET_END

#endif
