/*
 * The test broker of leveret for C++17: an MQTT broker inside the process, on a free port of 127.0.0.1, for tests. Over
 * leveret_testing.h, whose descriptions hold here too; not part of libraries built for devices.
 */
#ifndef LEVERET_TESTING_HPP
#define LEVERET_TESTING_HPP

#include <initializer_list>
#include <vector>

#include <leveret.hpp>
#include <leveret_testing.h>

LEVERET_BEGIN
namespace testing {

/** An option of a broker that is not there yet. */
struct option {
    const char *name, *value;
};

/** A running broker; its end stops it. Any thread may use it. */
class broker {
public:
#ifndef LEVERET_NO_EXCEPTIONS
    /** One that speaks both versions of MQTT. */
    broker() : broker(make()) {}
    /** One with options, whose names and values leveret_testing.h tells: `broker({{"tls", "true"}})`. */
    explicit broker(std::initializer_list<option> options) : broker(make(options)) {}
#endif
    /** Makes one, where constructors cannot tell errors. */
    static returns<broker> make() { return checked(mqtt_test_broker_new()); }
    /** Makes one with options. */
    static returns<broker> make(std::initializer_list<option> options) {
        std::vector<const char *> texts;
        for (const option &each : options) texts.insert(texts.end(), {each.name, each.value});
        texts.push_back(nullptr);
        return checked(mqtt_test_broker_new_with(texts.data()));
    }

    /** Where clients reach it, for its whole life. */
    std::string_view url() const { return mqtt_test_broker_url(raw()); }
    /** The certificate authority of this broker alone, as PEM, for its whole life; empty if it does not speak TLS. */
    std::string_view ca_pem() const { return or_empty(mqtt_test_broker_ca_pem(raw())); }
    /** A certificate with which a client identifies itself to this broker, as PEM. */
    std::string_view client_cert_pem() const { return or_empty(mqtt_test_broker_client_cert_pem(raw())); }
    /** The key that belongs to it. */
    std::string_view client_key_pem() const { return or_empty(mqtt_test_broker_client_key_pem(raw())); }
    /** Shows a new certificate ("valid") or a bad one ("expired") to clients that connect from now on. */
    returns<void> show_certificate(std::string_view certificate) {
        const detail::terminated name(certificate);
        LEVERET_TEXT(name, "certificate");
        return detail::done(mqtt_test_broker_show_certificate(raw(), name.c_str()));
    }
    /** Stops as if its machine had lost power; sessions and retained messages stay. */
    returns<void> stop() { return detail::done(mqtt_test_broker_stop(raw())); }
    /** Stops, forgetting sessions and retained messages. */
    returns<void> stop_and_forget() { return detail::done(mqtt_test_broker_stop_and_forget(raw())); }
    /** Listens again on the same port. */
    returns<void> start() { return detail::done(mqtt_test_broker_start(raw())); }
    /** Loses the next `count` packets of a type that clients send: "PUBLISH". */
    returns<void> swallow(std::string_view packet, std::uint64_t count = 1) {
        const detail::terminated text(packet);
        LEVERET_TEXT(text, "packet");
        return detail::done(mqtt_test_broker_swallow(raw(), text.c_str(), count));
    }
    /** Loses the next `count` packets of a type that the broker sends: "PUBACK". */
    returns<void> swallow_outgoing(std::string_view packet, std::uint64_t count = 1) {
        const detail::terminated text(packet);
        LEVERET_TEXT(text, "packet");
        return detail::done(mqtt_test_broker_swallow_outgoing(raw(), text.c_str(), count));
    }
    /** Stops reading from clients, or reads on. */
    returns<void> pause_reading(bool paused) { return detail::done(mqtt_test_broker_pause_reading(raw(), paused)); }
    /** Publishes a message from the broker itself. */
    returns<void> publish(std::string_view topic, bytes payload, int qos = 1, bool retain = false) {
        const detail::terminated text(topic);
        LEVERET_TEXT(text, "topic");
        return detail::done(mqtt_test_broker_publish(raw(), text.c_str(), payload.data(), payload.size(), qos, retain));
    }
    /** How many PUBLISH packets came from clients so far, repeated ones included. */
    std::size_t received_count() const { return mqtt_test_broker_received_count(raw()); }
    /** One of them, in order of arrival, from 0; it lives as long as the broker. */
    returns<mqtt_message> received(std::size_t index) const {
        mqtt_message raw_message;
        LEVERET_TRY(mqtt_test_broker_received(raw(), index, &raw_message));
        return raw_message;
    }
    /** Waits until at least `count` have come. */
    template <class Rep, class Period> returns<void> wait_received(std::size_t count, std::chrono::duration<Rep, Period> timeout) {
        return detail::done(mqtt_test_broker_wait_received(raw(), count, detail::timeout(timeout)));
    }
    /** For functions of leveret_testing.h; it stays this object's. */
    mqtt_test_broker *raw() const noexcept { return handle_.get(); }

private:
    struct freed {
        void operator()(mqtt_test_broker *handle) const { mqtt_test_broker_free(handle); }
    };

    explicit broker(mqtt_test_broker *made) : handle_(made) {}

    static std::string_view or_empty(const char *given) { return given == nullptr ? std::string_view() : std::string_view(given); }

    static returns<broker> checked(mqtt_test_broker *made) {
        if (made == nullptr) LEVERET_FAIL(failure::last(MQTT_SYSTEM));
        return broker(made);
    }

    std::unique_ptr<mqtt_test_broker, freed> handle_;
};

} // namespace testing
LEVERET_END

#endif
