/*
 * Options, letters, words, and how to connect, subscribe and close, for leveret.hpp, which includes this file.
 */
#ifndef LEVERET_LETTER_HPP
#define LEVERET_LETTER_HPP

#include <leveret.hpp>

LEVERET_BEGIN

/** The value of an option: a text, a number, a flag or a duration, as the option wants it. */
class option_value {
public:
    /** A text, and anything else as leveret.h takes it: "60s", "true", "none". */
    option_value(const char *text) : text_(text) {}
    /** A text. */
    option_value(std::string_view text) : text_(text) {}
    /** A text. */
    option_value(const std::string &text) : text_(text) {}
    /** A flag, or a whole number. */
    template <class N, class = std::enable_if_t<std::is_integral_v<N>>> option_value(N number) {
        if constexpr (std::is_same_v<N, bool>) text_ = number ? "true" : "false";
        else text_ = std::to_string(number);
    }
    /** A duration; what is left below a millisecond is cut off. */
    template <class Rep, class Period>
    option_value(std::chrono::duration<Rep, Period> time)
        : text_(std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(time).count()) + "ms") {}

    /** As text. */
    const std::string &text() const noexcept { return text_; }

private:
    std::string text_;
};

namespace detail {

/* A signer as leveret.h holds it: freed by `drop`. */
template <class F> struct signer {
    F call;

    static void drop(void *context) noexcept { delete static_cast<signer *>(context); }
    /* One that throws refuses, with the words of the exception. */
    static void on_sign(void *context, const mqtt_sign_event *raw) noexcept {
        F &call = static_cast<signer *>(context)->call;
#ifdef LEVERET_NO_EXCEPTIONS
        call(sign_event(raw));
#else
        try {
            call(sign_event(raw));
        } catch (const std::exception &thrown) {
            mqtt_sign_refuse(raw->signing, thrown.what());
        } catch (...) {
            mqtt_sign_refuse(raw->signing, "the signer threw");
        }
#endif
    }
};

} // namespace detail

/** Options for a client, which copies them. */
class options {
public:
    /** The defaults. */
    options() : handle_(mqtt_options_new()) {}
#ifndef LEVERET_NO_EXCEPTIONS
    /** Some: {{MQTT_OPT_CLIENT_ID, "door-7"}, {MQTT_OPT_KEEP_ALIVE, std::chrono::seconds(30)}}. */
    options(std::initializer_list<std::pair<std::string_view, option_value>> given) : options() {
        for (const auto &[option, value] : given) set(option, value);
    }
#endif
    /** Sets an option: one of MQTT_OPT_…. */
    returns<void> set(std::string_view option, const option_value &value) {
        const detail::terminated name(option), text(value.text());
        LEVERET_TEXT(name, "option");
        LEVERET_TEXT(text, option);
        return detail::done(mqtt_options_set(handle_.get(), name.c_str(), text.c_str()));
    }
    /** Sets an option that is bytes: MQTT_OPT_PASSWORD, MQTT_OPT_WILL_PAYLOAD. */
    returns<void> set_bytes(std::string_view option, bytes value) {
        const detail::terminated name(option);
        LEVERET_TEXT(name, "option");
        return detail::done(mqtt_options_set_bytes(handle_.get(), name.c_str(), value.data(), value.size()));
    }
    /** Adds a pair to an option that is a list of them: MQTT_OPT_USER_PROPERTIES. */
    returns<void> add(std::string_view option, std::string_view name, std::string_view value) {
        const detail::terminated option_text(option), name_text(name), value_text(value);
        LEVERET_TEXT(option_text, "option");
        LEVERET_TEXT(name_text, "name");
        LEVERET_TEXT(value_text, "value");
        return detail::done(mqtt_options_add(handle_.get(), option_text.c_str(), name_text.c_str(), value_text.c_str()));
    }
    /** Signs TLS handshakes with `f(leveret::sign_event)` in the place of a private key, until nullptr takes it away:
     * mqtt_options_set_signer. It may be called by several threads at a time; one that throws refuses. */
    template <class F> returns<void> signer(F &&f) {
        if constexpr (std::is_same_v<std::decay_t<F>, std::nullptr_t>) {
            return detail::done(mqtt_options_set_signer(handle_.get(), nullptr, nullptr, nullptr));
        } else {
            using held = detail::signer<std::decay_t<F>>;
            return detail::done(mqtt_options_set_signer(handle_.get(), held::on_sign, new held{std::forward<F>(f)}, held::drop));
        }
    }
    /** For functions of leveret.h. */
    mqtt_options *raw() const noexcept { return handle_.get(); }

private:
    struct freed {
        void operator()(mqtt_options *handle) const { mqtt_options_free(handle); }
    };
    std::unique_ptr<mqtt_options, freed> handle_;
};

/** What one attempt to connect is to say, for client::on_connect; what is not set is as the options of the client have it. */
class connect_options {
public:
    /** Says nothing. */
    connect_options() : handle_(mqtt_connect_options_new()) {}
#ifndef LEVERET_NO_EXCEPTIONS
    /** Says some: {{MQTT_CONNECT_OPT_USERNAME, "door-7"}, {MQTT_CONNECT_OPT_PASSWORD, token}}. */
    connect_options(std::initializer_list<std::pair<std::string_view, option_value>> given) : connect_options() {
        for (const auto &[option, value] : given) set(option, value);
    }
#endif
    /** Sets an option: one of MQTT_CONNECT_OPT_…. */
    returns<void> set(std::string_view option, const option_value &value) {
        const detail::terminated name(option), text(value.text());
        LEVERET_TEXT(name, "option");
        LEVERET_TEXT(text, option);
        return detail::done(mqtt_connect_options_set(handle_.get(), name.c_str(), text.c_str()));
    }
    /** Sets an option that is bytes: MQTT_CONNECT_OPT_PASSWORD, MQTT_CONNECT_OPT_WILL_PAYLOAD. */
    returns<void> set_bytes(std::string_view option, bytes value) {
        const detail::terminated name(option);
        LEVERET_TEXT(name, "option");
        return detail::done(mqtt_connect_options_set_bytes(handle_.get(), name.c_str(), value.data(), value.size()));
    }
    /** Adds a pair to an option that is a list of them: MQTT_CONNECT_OPT_WEBSOCKET_HEADERS. */
    returns<void> add(std::string_view option, std::string_view name, std::string_view value) {
        const detail::terminated option_text(option), name_text(name), value_text(value);
        LEVERET_TEXT(option_text, "option");
        LEVERET_TEXT(name_text, "name");
        LEVERET_TEXT(value_text, "value");
        return detail::done(mqtt_connect_options_add(handle_.get(), option_text.c_str(), name_text.c_str(), value_text.c_str()));
    }
    /** For functions of leveret.h. */
    const mqtt_connect_options *raw() const noexcept { return handle_.get(); }

private:
    struct freed {
        void operator()(mqtt_connect_options *handle) const { mqtt_connect_options_free(handle); }
    };
    std::unique_ptr<mqtt_connect_options, freed> handle_;
};

namespace detail {

/* Names and values, kept, and as leveret.h wants them. */
class pairs {
public:
    void add(std::string_view name, std::string_view value) { kept_.emplace_back(name, value); }
    void point(std::vector<mqtt_pair> &into) const {
        into.clear();
        for (const auto &[name, value] : kept_) into.push_back({name.c_str(), value.c_str()});
    }
    bool broken() const {
        for (const auto &[name, value] : kept_)
            if (name.find('\0') != std::string::npos || value.find('\0') != std::string::npos) return true;
        return false;
    }

private:
    std::vector<std::pair<std::string, std::string>> kept_;
};

inline void release_owner(void *owner) {
    delete static_cast<std::shared_ptr<const void> *>(owner);
}

} // namespace detail

/**
 * All that can be said about one letter; what is not said stays at its default: QoS 1, the client's time to live.
 *
 * leveret::letter("doors/front", "open").qos(2).ttl(std::chrono::seconds(10))
 */
class letter {
public:
    /** To a topic, with a payload that is borrowed until it is published, and copied then. */
    explicit letter(std::string_view topic, bytes payload = bytes()) : topic_(topic), payload_(payload) {}
    /** With a payload that is not copied: it stays as it is as long as leveret holds a share of `owner`. */
    letter(std::string_view topic, bytes payload, std::shared_ptr<const void> owner)
        : topic_(topic), payload_(payload), owner_(std::move(owner)) {}

    /** 0, 1 or 2. */
    letter &qos(int value) { return plain_.qos = value, *this; }
    /** Whether the broker keeps it for those who subscribe later. */
    letter &retain(bool value = true) { return plain_.retain = value, *this; }
    /** How long it is of use, counted from the publish: at most 4294967293 ms, or `leveret::forever` for as long as it takes. */
    template <class Rep, class Period> letter &ttl(std::chrono::duration<Rep, Period> time) {
        const std::optional<std::uint32_t> milliseconds = detail::time_to_live(time);
        lives_too_long_ = !milliseconds;
        plain_.ttl_ms = milliseconds.value_or(MQTT_TTL_DEFAULT);
        return *this;
    }
    /** It waits as long as it takes. */
    letter &no_ttl() { return ttl(forever); }
    /** Which letters go first. */
    letter &priority(leveret::priority value) { return plain_.priority = static_cast<int>(value), *this; }
    /** What gives way when the post office is full while offline. */
    letter &overflow(leveret::overflow value) { return plain_.overflow = static_cast<int>(value), *this; }
    /** Key of which only the newest letter is wanted. */
    letter &replace(std::string_view key) { return replace_ = key, *this; }
    /** MQTT 5: how long the broker keeps it for receivers that are not there. */
    letter &message_expiry(std::chrono::seconds time) { return plain_.message_expiry_s = time.count(), *this; }
    /** MQTT 5: whether the payload is UTF-8 text. */
    letter &text_payload(bool value = true) { return plain_.payload_format = value ? 1 : 0, *this; }
    /** MQTT 5: content type, such as "application/json". */
    letter &content_type(std::string_view value) { return content_type_ = value, *this; }
    /** MQTT 5: topic on which an answer is expected. */
    letter &response_topic(std::string_view value) { return response_topic_ = value, *this; }
    /** MQTT 5: what the answer is to carry. */
    letter &correlation_data(bytes value) {
        correlation_.emplace(static_cast<const char *>(value.size() == 0 ? "" : value.data()), value.size());
        return *this;
    }
    /** MQTT 5: one more user property. */
    letter &user_property(std::string_view name, std::string_view value) { return user_.add(name, value), *this; }

    /** Whether a text has a NUL inside, which no text of MQTT may. */
    bool broken() const {
        const auto has_nul = [](const std::string &text) { return text.find('\0') != std::string::npos; };
        return has_nul(topic_) || has_nul(replace_.value_or("")) || has_nul(content_type_.value_or("")) ||
               has_nul(response_topic_.value_or("")) || user_.broken();
    }
    /** Whether its time to live is longer than can be said; then it is refused. */
    bool lives_too_long() const { return lives_too_long_; }
    /** As leveret.h wants it: valid as long as this letter and `pairs` are. It has to be published, since it may hold a share. */
    mqtt_letter raw(std::vector<mqtt_pair> &pairs) const {
        const auto text = [](const std::optional<std::string> &given) { return given ? given->c_str() : nullptr; };
        mqtt_letter raw = plain_;
        raw.topic = topic_.c_str();
        raw.payload = payload_.data();
        raw.payload_length = payload_.size();
        if (owner_ != nullptr) {
            raw.release = detail::release_owner;
            raw.release_context = new std::shared_ptr<const void>(owner_);
        }
        raw.replace = text(replace_);
        raw.content_type = text(content_type_);
        raw.response_topic = text(response_topic_);
        if (correlation_) {
            raw.correlation_data = correlation_->data();
            raw.correlation_data_length = correlation_->size();
        }
        user_.point(pairs);
        raw.user_properties = pairs.data();
        raw.user_property_count = pairs.size();
        return raw;
    }

private:
    mqtt_letter plain_ = MQTT_LETTER_INIT;
    bool lives_too_long_ = false;
    std::string topic_;
    bytes payload_;
    std::shared_ptr<const void> owner_;
    std::optional<std::string> replace_, content_type_, response_topic_;
    std::optional<std::string> correlation_;
    detail::pairs user_;
};

inline returns<void> message::respond(const letter &letter) const {
    std::vector<mqtt_pair> pairs;
    LEVERET_LETTER(letter);
    mqtt_letter plain = letter.raw(pairs);
    if (*plain.topic == 0) plain.topic = nullptr;
    return detail::done(mqtt_message_respond_with(raw_, &plain, nullptr));
}

/** How to subscribe; what is not said stays at its default. */
class subscribe_options {
public:
    /** The highest QoS with which the broker is to deliver. */
    subscribe_options &qos(int value) { return plain_.qos = value, *this; }
    /** MQTT 5: do not deliver what this client itself publishes. */
    subscribe_options &no_local(bool value = true) { return plain_.no_local = value, *this; }
    /** MQTT 5: deliver with the retain flag as it was published. */
    subscribe_options &retain_as_published(bool value = true) { return plain_.retain_as_published = value, *this; }
    /** MQTT 5: retained messages come 0 at each subscribe, 1 only if the subscription is new, 2 never. */
    subscribe_options &retain_handling(int value) { return plain_.retain_handling = value, *this; }
    /** How long to wait for the broker's answer while online. */
    template <class Rep, class Period> subscribe_options &timeout(std::chrono::duration<Rep, Period> time) {
        return plain_.timeout_ms = detail::timeout(time), *this;
    }
    /** MQTT 5: one more user property of the SUBSCRIBE. */
    subscribe_options &user_property(std::string_view name, std::string_view value) { return user_.add(name, value), *this; }

    /** Whether a text has a NUL inside, which no text of MQTT may. */
    bool broken() const { return user_.broken(); }
    /** As leveret.h wants them: valid as long as these options and `pairs` are. */
    mqtt_subscribe_options raw(std::vector<mqtt_pair> &pairs) const {
        mqtt_subscribe_options raw = plain_;
        user_.point(pairs);
        raw.user_properties = pairs.data();
        raw.user_property_count = pairs.size();
        return raw;
    }

private:
    mqtt_subscribe_options plain_ = MQTT_SUBSCRIBE_OPTIONS_INIT;
    detail::pairs user_;
};

/**
 * A reason string and user properties for what is answered, on MQTT 5.
 *
 * leveret::words("too much").user_property("limit", "10")
 */
class words {
public:
    /** None. */
    words() = default;
    /** Why, in words for people. */
    explicit words(std::string_view reason_string) : reason_string_(reason_string) {}
    /** One more user property. */
    words &user_property(std::string_view name, std::string_view value) { return user_.add(name, value), *this; }

    /** Whether a text has a NUL inside, which no text of MQTT may. */
    bool broken() const { return user_.broken() || (reason_string_ && reason_string_->find('\0') != std::string::npos); }
    /** As leveret.h wants it; NULL for none. */
    const char *reason_string() const { return reason_string_ ? reason_string_->c_str() : nullptr; }
    /** The user properties as leveret.h wants them: valid as long as these words and `pairs` are. */
    void point(std::vector<mqtt_pair> &pairs) const { user_.point(pairs); }

private:
    std::optional<std::string> reason_string_;
    detail::pairs user_;
};

inline returns<void> message::ack(int reason, const words &words) const {
    std::vector<mqtt_pair> pairs;
    LEVERET_TEXT(words, "text of the words");
    words.point(pairs);
    return detail::done(mqtt_message_ack_with(raw_, reason, words.reason_string(), pairs.data(), pairs.size()));
}

/** How to close a client; what is not said is as client::close without a time does it. */
class close_options {
public:
    /** How long letters may still go out. */
    template <class Rep, class Period> close_options &timeout(std::chrono::duration<Rep, Period> time) {
        return plain_.timeout_ms = detail::timeout(time), *this;
    }
    /** Whether the broker is to forget the session. */
    close_options &end_session(bool value = true) { return plain_.end_session = value ? 1 : 0, *this; }
    /** Let the broker publish the will all the same. */
    close_options &with_will(bool value = true) { return plain_.with_will = value, *this; }
    /** MQTT 5: how long the broker keeps the session from now on. */
    close_options &session_expiry(std::chrono::seconds time) { return plain_.session_expiry_s = time.count(), *this; }
    /** MQTT 5: reason string and user properties of the DISCONNECT. */
    close_options &words(leveret::words value) { return words_ = std::move(value), *this; }

    /** Whether a text has a NUL inside, which no text of MQTT may. */
    bool broken() const { return words_.broken(); }
    /** As leveret.h wants them: valid as long as these options and `pairs` are. */
    mqtt_close_options raw(std::vector<mqtt_pair> &pairs) const {
        mqtt_close_options raw = plain_;
        words_.point(pairs);
        raw.reason_string = words_.reason_string();
        raw.user_properties = pairs.data();
        raw.user_property_count = pairs.size();
        return raw;
    }

private:
    mqtt_close_options plain_ = MQTT_CLOSE_OPTIONS_INIT;
    leveret::words words_;
};

LEVERET_END

#endif
