// leveret.hpp with exceptions: everything that leveret.h offers, handlers that throw, payloads that are not copied, objects that end.
#include <leveret_testing.hpp>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <poll.h>
#include <stdexcept>
#include <thread>

using namespace std::chrono_literals;

#define EXPECT(condition) ((condition) ? (void)0 : fail(#condition, __LINE__))

[[noreturn]] static void fail(const char *what, int line) {
    std::fprintf(stderr, "ffi-c/tests/wrapper.cpp:%d: not so: %s (last error: %s)\n", line, what, mqtt_last_error());
    std::exit(1);
}

static constexpr auto soon = 60s;

/* The code with which a call fails. */
template <class Call> static mqtt_result thrown(Call &&call) {
    try {
        call();
    } catch (const leveret::error &error) {
        EXPECT(error.what()[0] != 0 && error.why().code() == error.code() && !error.why().name().empty());
        return error.code();
    }
    return MQTT_OK;
}

template <class Condition> static void eventually(Condition &&holds, int line) {
    const auto deadline = std::chrono::steady_clock::now() + soon;
    while (!holds()) {
        if (std::chrono::steady_clock::now() > deadline) fail("eventually", line);
        std::this_thread::sleep_for(1ms);
    }
}
#define EVENTUALLY(condition) eventually([&] { return condition; }, __LINE__)

static leveret::client online(const leveret::testing::broker &broker, const leveret::options &options = {}) {
    leveret::client client(broker.url(), options);
    client.start();
    client.wait_for(leveret::status::online, soon);
    return client;
}

static void names_and_errors() {
    EXPECT(leveret::version() == "0.1.0");
    EXPECT(leveret::name(leveret::status::online) == "online");
    EXPECT(leveret::name(leveret::outcome_status::session_lost) == "session_lost");
    EXPECT(leveret::name(leveret::subscription_state::up) == "up");
    EXPECT(leveret::reason_name(MQTT_REASON_NOT_AUTHORIZED) == "not authorized");
    EXPECT(leveret::result_text(MQTT_QUEUE_FULL) == "the post office is full");
    EXPECT(thrown([] { leveret::client("ftp://nowhere"); }) == MQTT_INVALID_ARGUMENT);
    EXPECT(thrown([] { leveret::client(std::string_view("mqtt://a\0b", 10)); }) == MQTT_INVALID_ARGUMENT);
    EXPECT(thrown([] { leveret::options({{"keep_alvie", 1s}}); }) == MQTT_UNKNOWN_OPTION);
    EXPECT(thrown([] { leveret::options({{MQTT_OPT_KEEP_ALIVE, 1500ms}}); }) == MQTT_INVALID_ARGUMENT);
    EXPECT(thrown([] { leveret::set_runtime_threads(99); }) == MQTT_INVALID_ARGUMENT);
}

static void letters(leveret::testing::broker &broker) {
    leveret::client client = online(broker);
    const std::size_t before = broker.received_count();
    EXPECT(client.publish("cpp/text", "text").wait(soon).ok());
    EXPECT(client.publish("cpp/view", std::string_view("view"), 2).wait().delivered());
    EXPECT(client.publish("cpp/string", std::string("string"), 10s, 0).wait(soon).status() == leveret::outcome_status::sent);
    EXPECT(client.publish("cpp/vector", std::vector<unsigned char>{1, 0, 2}, 1, true).wait(soon).name() == "acknowledged");
    EXPECT(client.publish("cpp/array", std::array<char, 3>{'a', 'b', 'c'}).wait(soon).reason() >= 0);
    client.post("cpp/post", leveret::bytes());
    client.flush(soon);
    EXPECT(broker.received_count() == before + 6);
    const mqtt_message received = broker.received(before + 3);
    EXPECT(leveret::message(&received).payload() == std::string_view("\1\0\2", 3));

    leveret::letter letter("cpp/letter", "{}");
    letter.qos(2).ttl(60s).priority(leveret::priority::high).overflow(leveret::overflow::reject).replace("key").message_expiry(5s);
    letter.text_payload().content_type("application/json").response_topic("cpp/answer").correlation_data("42").user_property("a", "b");
    EXPECT(client.publish(letter).wait(soon).ok());
    const mqtt_message whole = broker.received(before + 6);
    const auto properties = leveret::message(&whole).properties();
    EXPECT(properties.text(MQTT_PROPERTY_CONTENT_TYPE) == "application/json");
    EXPECT(properties.text(MQTT_PROPERTY_CORRELATION_DATA) == "42" && properties.text(MQTT_PROPERTY_RESPONSE_TOPIC) == "cpp/answer");
    EXPECT(properties.user().size() == 1 && properties.user()[0].second == "b");
    EXPECT(!properties.get(MQTT_PROPERTY_SERVER_REFERENCE));

    EXPECT(thrown([&] { client.publish("a/+", "x"); }) == MQTT_INVALID_ARGUMENT);
    EXPECT(thrown([&] { client.publish("a", "x", 0s); }) == MQTT_INVALID_ARGUMENT);
    EXPECT(thrown([&] { client.publish("a", "x", 100000h); }) == MQTT_INVALID_ARGUMENT);
    EXPECT(thrown([&] { client.publish("a", "x", std::chrono::milliseconds(MQTT_TTL_DEFAULT)); }) == MQTT_INVALID_ARGUMENT);
    EXPECT(client.publish("a", "x", std::chrono::milliseconds(MQTT_TTL_DEFAULT - 1)).wait(soon).ok());
    EXPECT(client.publish("a", "x", leveret::forever).wait(soon).ok());
    leveret::letter lasting("a", "x");
    EXPECT(thrown([&] { client.publish(lasting.ttl(100000h)); }) == MQTT_INVALID_ARGUMENT);
    EXPECT(client.publish_many({lasting}).refused->code() == MQTT_INVALID_ARGUMENT);
    EXPECT(client.publish(lasting.no_ttl()).wait(soon).ok());
    EXPECT(thrown([&] { client.publish(std::string_view("a\0b", 3), "x"); }) == MQTT_INVALID_ARGUMENT);
    EXPECT(thrown([&] { client.publish(leveret::letter(std::string_view("a\0b", 3))); }) == MQTT_INVALID_ARGUMENT);
}

/* Payloads with an owner are not copied, and each is let go of once. */
static void owned_payloads(leveret::testing::broker &broker) {
    leveret::client client = online(broker);
    auto owner = std::make_shared<std::string>("owned");
    std::vector<leveret::letter> many;
    for (int i = 0; i < 3; i++) many.emplace_back("cpp/many", *owner, owner);
    leveret::published done = client.publish_many(many);
    EXPECT(done.receipts.size() == 3 && !done.refused);
    for (const leveret::receipt &receipt : done.receipts) EXPECT(receipt.wait(soon).ok());
    many.emplace_back("cpp/+", *owner, owner);
    done = client.publish_many(many);
    EXPECT(done.receipts.empty() && done.refused && done.refused->code() == MQTT_INVALID_ARGUMENT);
    many.clear();
    EVENTUALLY(owner.use_count() == 1);
    EXPECT(client.publish_many({}).receipts.empty());
}

static void receipts() {
    leveret::client client("mqtt://127.0.0.1:1");
    leveret::receipt receipt = client.publish("cpp/waiting", "x");
    EXPECT(thrown([&] { receipt.wait(1ms); }) == MQTT_TIMED_OUT);
    client.start();
    EXPECT(receipt.explain().find("waiting") != std::string::npos);
    EXPECT(receipt.cancel());
    EXPECT(receipt.wait(soon).status() == leveret::outcome_status::cancelled);
    EXPECT(thrown([&] { receipt.wait(0s); }) == MQTT_RECEIPT_FORGOTTEN);
    EXPECT(receipt.explain().empty() && !receipt.cancel());
    client.drain(soon);
    client.flush(soon);
}

static void handlers(leveret::testing::broker &broker) {
    std::atomic<int> messages{0}, others{0}, outcomes{0}, states{0}, onlines{0}, lines{0};
    leveret::client client(broker.url(), {{MQTT_OPT_CLIENT_ID, "cpp"}, {MQTT_OPT_CLEAN_START, true}, {MQTT_OPT_MAX_IN_FLIGHT, 10}});
    client.on_connection([&](leveret::connection_event event) {
        if (event.kind() != MQTT_CONNECTION_ONLINE) return;
        EXPECT(event.client_id() == "cpp" && event.version() == 5 && event.keep_alive() == 60s && event.text().empty());
        onlines++;
    });
    client.on_receipt([&](const leveret::receipt_event &event) { outcomes += event.outcome().ok() && event.receipt() != 0; });
    client.on_subscription([&](leveret::subscription_event event) {
        EXPECT(!event.filter().empty() && event.reason() >= -1);
        states += event.state() == leveret::subscription_state::up;
    });
    client.on_log([&](leveret::log_event) { lines++; });
    client.on_message([&](leveret::message) { others++; });
    client.start();
    client.wait_for(leveret::status::online, soon);
    std::optional<leveret::kept_message> kept;
    auto reply = client.subscribe("cpp/+/state", 2, [&](leveret::message message) {
        EXPECT(message.levels().size() == 3 && message.levels()[2] == "state" && !message.retain() && !message.dup());
#ifdef __cpp_lib_span
        EXPECT(message.payload_bytes().size() == 4);
#endif
        if (messages++ == 0) kept = message.keep();
    });
    EXPECT(reply.wait(soon) == 2);
    client.subscribe("cpp/other", leveret::subscribe_options().qos(1).no_local(false).retain_handling(2).timeout(60s), nullptr).wait();
    client.publish("cpp/door/state", "open", 2);
    client.publish("cpp/other", "else");
    EVENTUALLY(messages == 1 && others == 1 && outcomes == 2 && states == 2 && onlines == 1);
    EXPECT(kept->payload() == "open" && kept->topic() == "cpp/door/state" && kept->qos() == 2);
    leveret::kept_message copy = *kept;
    kept.reset();
    EXPECT(copy.payload() == "open");
    client.unsubscribe("cpp/+/state").wait(soon);
    client.on_message(nullptr);
    EXPECT(client.ping(soon) > 0us);
    EXPECT(client.stats().outcomes[MQTT_OUTCOME_ACKNOWLEDGED] == 2);
    client.reconnect();
    EVENTUALLY(onlines == 2);
    client.close(5s, true);
    EXPECT(client.status() == leveret::status::closed && thrown([&] { client.post("a", "x"); }) == MQTT_CLOSED);
}

/* Asking and answering, each with a few words and with all of them; on 3.1.1 the application says where. */
static void requests(leveret::testing::broker &broker) {
    leveret::client client = online(broker), old = online(broker, {{MQTT_OPT_PROTOCOL, "3.1.1"}});
    client
        .subscribe("cpp/ask",
                   [](leveret::message message) {
                       if (message.payload() == "letter") message.respond(leveret::letter("", "long").content_type("text/plain"));
                       else message.respond("short");
                   })
        .wait(soon);
    EXPECT(client.request("cpp/ask", "?").payload() == "short");
    EXPECT(client.request("cpp/ask", "?", soon).payload() == "short");
    const leveret::kept_message response = client.request(leveret::letter("cpp/ask", "letter").qos(2));
    EXPECT(response.payload() == "long" && response.qos() == 1);
    EXPECT(thrown([&] { client.request("cpp/nobody", "?", 20ms); }) == MQTT_TIMED_OUT);
    EXPECT(thrown([&] { client.request(leveret::letter("cpp/nobody"), 20ms); }) == MQTT_TIMED_OUT);

    old.subscribe("cpp/old", [](leveret::message message) { message.respond(leveret::letter("cpp/old/response", "old")); }).wait(soon);
    EXPECT(thrown([&] { old.request("cpp/old", "?", soon); }) == MQTT_NOT_SUPPORTED);
    EXPECT(old.request(leveret::letter("cpp/old").response_topic("cpp/old/response"), soon).payload() == "old");
}

/* What a handler throws ends in it, is told and counted, and the client goes on. */
static void handlers_that_throw(leveret::testing::broker &broker, const char *protocol) {
    std::atomic<int> told{0}, calls{0}, others{0};
    leveret::client client = online(broker, {{MQTT_OPT_PROTOCOL, protocol}});
    client.on_handler_error([&](std::exception_ptr thrown) {
        try {
            std::rethrow_exception(thrown);
        } catch (const std::runtime_error &error) {
            told += std::string_view(error.what()) == "no";
        } catch (const std::logic_error &) {
        } catch (int) {
            told++;
        }
        throw 7; /* also this ends there */
    });
    client.on_receipt([&](leveret::receipt_event) {
        others++;
        throw 1;
    });
    client.on_connection([&](leveret::connection_event) { throw std::logic_error("perhaps one of being online"); });
    const auto throws = [&](leveret::message) {
        calls++;
        throw std::runtime_error("no");
    };
    client.subscribe("throws", 1, throws).wait(soon);
    for (int i = 0; i < 5; i++) client.publish("throws", "x");
    EVENTUALLY(calls == 5 && others == 5 && told == 10 && client.stats().handler_failures == 5);
    client.on_receipt(nullptr);
    client.subscribe("batch", nullptr).wait(soon);
    client.on_events([&](const std::vector<leveret::event> &events) {
        for (const leveret::event &event : events)
            if (event.kind() == MQTT_EVENT_MESSAGE) throw std::runtime_error(std::string(event.message().payload()));
    });
    client.publish("batch", "no", 2);
    EVENTUALLY(client.stats().handler_failures == 6);
    client.on_connection(nullptr);
    EXPECT(client.ping(soon) > 0us && client.status() == leveret::status::online);
}

/* Without throwing: by hand, and with the acknowledgement left to the application. */
static void failing_by_hand(leveret::testing::broker &broker) {
    std::atomic<int> calls{0};
    leveret::client client = online(broker);
    const auto fails = [&](leveret::message message) {
        message.fail();
        calls++;
    };
    client.subscribe("fails", 1, fails).wait(soon);
    client.publish("fails", "x");
    EVENTUALLY(calls == 1 && client.stats().handler_failures == 1);
    leveret::client manual = online(broker, {{MQTT_OPT_MANUAL_ACK, true}});
    const auto refuses = [&](leveret::message message) {
        message.ack(MQTT_REASON_QUOTA_EXCEEDED);
        calls++;
    };
    manual.subscribe("manual", 1, refuses).wait(soon);
    manual.publish("manual", "x");
    EVENTUALLY(calls == 2);
}

/* What a handler holds is destroyed once, when it is replaced and when the client ends; also inside itself. */
static void handlers_end(leveret::testing::broker &broker) {
    auto held = std::make_shared<int>(0);
    std::atomic<bool> freed{false};
    {
        leveret::client client = online(broker);
        client.on_log([held](leveret::log_event) {});
        client.on_log([held](leveret::log_event) {});
        EXPECT(held.use_count() == 2);
        client.subscribe("held", 1, [held](leveret::message) {});
        leveret::client moved = std::move(client);
        client = std::move(moved);
        EXPECT(thrown([&] { client.subscribe("wrong/#/filter", 1, [held](leveret::message) {}); }) == MQTT_INVALID_ARGUMENT);
        EXPECT(held.use_count() == 3);
    }
    EXPECT(held.use_count() == 1);
    auto inside = std::make_unique<leveret::client>(online(broker));
    leveret::client *its = inside.get();
    auto reply = its->subscribe("inside", 1, [&inside, &freed, held](leveret::message) {
        inside.reset();
        freed = true;
    });
    reply.wait(soon);
    broker.publish("inside", "x");
    EVENTUALLY(freed && held.use_count() == 1);
}

/* Hooks that say words, answer later and throw; an authenticator that refuses by throwing; and all that can be said at the end. */
static void hooks(leveret::testing::broker &broker) {
    using leveret::packets;
    std::atomic<int> errors{0}, seen{0}, later{0};
    std::atomic<std::uint64_t> number{0};
    leveret::client client(broker.url(), {{MQTT_OPT_MANUAL_ACK, true}});
    client.on_handler_error([&](std::exception_ptr) { errors++; });
    client.on_packet(packets::pubrec | packets::suback, [&](leveret::packet_event packet) {
        EXPECT(!packet.properties().get(MQTT_PROPERTY_SERVER_REFERENCE) && !packet.session_present());
        if (packet.packet() == packets::suback)
            EXPECT(packet.reasons() == std::vector<int>{1} && packet.reason() == 1 && packet.receipt() == 0);
        else client.answer(packet.number(), leveret::words("seen").user_property("hook", "words"));
        seen++;
    });
    client.start();
    client.wait_for(leveret::status::online, soon);
    client.subscribe("words", 1, [](leveret::message message) { message.ack(0, leveret::words("fine").user_property("a", "b")); })
        .wait(soon);
    client.post("words", "x");
    EXPECT(client.publish("elsewhere", "x", 2).wait(soon).ok());
    EVENTUALLY(seen == 2); // the answer is on its way before the hook has returned
    client.on_packet(packets::pubrec, [&](leveret::packet_event packet) {
        EXPECT(leveret::name(packet.packet()) == "PUBREC" && packet.packet_id() != 0);
        number = packet.number();
        return ++later > 0;
    });
    leveret::receipt receipt = client.publish("elsewhere", "x", 2);
    EVENTUALLY(later == 1);
    EXPECT(thrown([&] { receipt.wait(10ms); }) == MQTT_TIMED_OUT);
    EXPECT(thrown([&] { client.answer(number, leveret::words(std::string_view("a\0b", 3))); }) == MQTT_INVALID_ARGUMENT);
    client.answer(number, leveret::words("at last"));
    EXPECT(receipt.wait(soon).ok());
    client.on_packet(packets::pubrec, [](leveret::packet_event) { throw std::runtime_error("no"); });
    EXPECT(client.publish("elsewhere", "x", 2).wait(soon).ok() && errors == 1);
    client.on_packet(packets::pubrec, nullptr);
    client.unsubscribe("words", {{"a", "b"}}).wait(soon);
    EXPECT(thrown([&] { client.reauthenticate().wait(soon); }) == MQTT_NOT_SUPPORTED);
    EXPECT(thrown([&] { client.on_auth([](leveret::auth_event) {}); }) == MQTT_INVALID_ARGUMENT);
    client.close(leveret::close_options().timeout(1s).end_session().with_will().words(leveret::words("home").user_property("a", "b")));
    EXPECT(client.status() == leveret::status::closed);
}

static void authenticates(leveret::testing::broker &broker) {
    std::atomic<int> steps{0}, refused{0}, failed{0};
    leveret::client client(broker.url(),
                           {{MQTT_OPT_AUTHENTICATION_METHOD, "OAUTH2"}, {MQTT_OPT_BACKOFF_MIN, 10ms}, {MQTT_OPT_BACKOFF_MAX, 50ms}});
    client.on_connection([&](leveret::connection_event event) {
        if (event.text().find("no token") != std::string_view::npos) refused++;
        if (event.reason() == MQTT_REASON_BAD_AUTHENTICATION_METHOD) failed++;
    });
    client.on_auth([&](leveret::auth_event step) {
        EXPECT(step.stage() == leveret::auth_stage::begin && step.method() == "OAUTH2" && !step.data() && !step.reauthentication());
        EXPECT(step.properties().user().empty());
        const int number = ++steps;
        if (number == 1) throw std::runtime_error("no token yet");
        if (number == 2) client.refuse_authentication(step.number(), "no token again");
        else client.authenticate(step.number(), "token", leveret::words("here"));
    });
    client.start();
    EVENTUALLY(refused >= 2 && failed >= 1);
    client.on_auth(nullptr);
}

static void asked_before_each_connect(leveret::testing::broker &broker) {
    std::atomic<int> asked{0}, failed{0}, dropped{0};
    std::atomic<std::uint64_t> later{0};
    struct told {
        std::atomic<int> &count;
        ~told() { count++; }
    };
    auto tells = std::make_shared<told>(told{dropped});
    dropped = 0;
    {
        leveret::client client(broker.url(), {{MQTT_OPT_BACKOFF_MIN, 10ms}, {MQTT_OPT_BACKOFF_MAX, 50ms}, {MQTT_OPT_PROTOCOL, "5"}});
        client.on_connection([&](leveret::connection_event event) {
            static constexpr std::string_view why[] = {"no token yet", "will_topic must be given where will_payload is", "no token again"};
            const auto text = event.text();
            if (failed < 3 && event.kind() == MQTT_CONNECTION_ATTEMPT_FAILED && text.find(why[failed]) != std::string_view::npos) failed++;
        });
        client.on_connect([&, tells = std::move(tells)](leveret::connect_event event) -> leveret::connect_options {
            EXPECT(event.url() == broker.url() && event.attempt() == 1);
            const int number = ++asked;
            if (number == 1) throw std::runtime_error("no token yet");
            if (number == 2) return {{MQTT_CONNECT_OPT_WILL_PAYLOAD, "gone"}};
            if (number == 3) client.refuse_connect(event.number(), "no token again");
            leveret::connect_options said{{MQTT_CONNECT_OPT_USERNAME, "device"}, {MQTT_CONNECT_OPT_WILL_TOPIC, "wills"}};
            said.set_bytes(MQTT_CONNECT_OPT_PASSWORD, "token");
            said.add(MQTT_CONNECT_OPT_WILL_USER_PROPERTIES, "a", "b");
            return said;
        });
        client.start();
        client.wait_for(leveret::status::online, soon);
        EXPECT(failed == 3 && dropped == 0);
        client.on_connect([&](leveret::connect_event event) { later = event.number(); });
        EVENTUALLY(dropped == 1);
        client.reconnect();
        EVENTUALLY(later != 0);
        client.answer_connect(later);
        client.wait_for(leveret::status::online, soon);
        client.on_connect(nullptr);
        EXPECT(thrown([&] { client.refuse_connect(1, std::string_view("a\0b", 3)); }) == MQTT_INVALID_ARGUMENT);
        EXPECT(thrown([&] { leveret::connect_options({{"usrname", "x"}}); }) == MQTT_UNKNOWN_OPTION);
    }
}

static void signed_elsewhere() {
    leveret::testing::broker broker({{"client_certificates", "true"}});
    std::atomic<int> asked{0}, refused{0};
    leveret::options options{{MQTT_OPT_TLS_CA, broker.ca_pem()},
                             {MQTT_OPT_TLS_CERT, broker.client_cert_pem()},
                             {MQTT_OPT_BACKOFF_MIN, 10ms},
                             {MQTT_OPT_BACKOFF_MAX, 50ms}};
    options.signer([&](leveret::sign_event event) {
        EXPECT(event.scheme() == "ecdsa_secp256r1_sha256" && event.message().size() > 64);
        EXPECT(thrown([&] { event.answer({}); }) == MQTT_INVALID_ARGUMENT);
        event.answer("not of this key");
        if (++asked % 2 == 0) throw std::runtime_error("the element is locked");
        event.refuse("the element is locked");
    });
    leveret::client client(broker.url(), options);
    client.on_connection([&](leveret::connection_event event) {
        if (event.text().find("the element is locked") != std::string_view::npos) refused++;
    });
    client.start();
    EVENTUALLY(asked >= 2 && refused >= 2);
    options.signer(nullptr);
    EXPECT(thrown([&] { leveret::client(broker.url(), options); }) == MQTT_INVALID_ARGUMENT);
}

static void in_a_loop_of_ones_own(leveret::testing::broker &broker) {
    int messages = 0; /* no lock: it is this thread that calls */
    leveret::client client(broker.url());
    client.dispatch(leveret::dispatch::poll);
    client.start();
    client.wait_for(leveret::status::online, soon);
    client.subscribe("polled", [&](leveret::message) { messages++; }).wait(soon);
    for (int i = 0; i < 100; i++) client.post("polled", "x");
    while (messages < 100) {
        pollfd readable{client.fd(), POLLIN, 0};
        EXPECT(poll(&readable, 1, 60000) == 1);
        client.poll(0s);
    }
    leveret::client other(broker.url());
    EXPECT(thrown([&] { other.fd(); }) == MQTT_INVALID_ARGUMENT && thrown([&] { other.poll(0s); }) == MQTT_INVALID_ARGUMENT);
}

static void the_broker() {
    leveret::testing::broker broker({{"protocol", "5"}, {"receive_maximum", "3"}});
    leveret::client client = online(broker, {{MQTT_OPT_BACKOFF_MIN, 10ms}, {MQTT_OPT_BACKOFF_MAX, 50ms}, {MQTT_OPT_PASSWORD, "p"}});
    broker.swallow("PUBLISH");
    broker.swallow_outgoing("UNSUBACK");
    leveret::receipt receipt = client.publish("a", "x", 1h);
    /* Behind this connection's PUBLISH: swallowed on the next one it would never be answered. */
    client.ping(soon);
    EXPECT(thrown([&] { receipt.wait(1ms); }) == MQTT_TIMED_OUT);
    broker.stop();
    broker.start();
    broker.pause_reading(true);
    broker.pause_reading(false);
    EXPECT(receipt.wait(soon).ok());
    broker.wait_received(1, soon);
    broker.stop_and_forget();
    broker.start();
    client.wait_for(leveret::status::online, soon);
    EXPECT(thrown([&] { broker.swallow("PUBLICATION"); }) == MQTT_INVALID_ARGUMENT);
    EXPECT(thrown([&] { broker.received(99); }) == MQTT_INVALID_ARGUMENT);
    EXPECT(thrown([&] { broker.show_certificate("valid"); }) == MQTT_NOT_SUPPORTED && broker.ca_pem().empty());
    EXPECT(broker.client_cert_pem().empty() && broker.client_key_pem().empty());
    leveret::testing::broker secure({{"tls", "true"}});
    EXPECT(secure.url().substr(0, 8) == "mqtts://" && secure.ca_pem().substr(0, 27) == "-----BEGIN CERTIFICATE-----");
    EXPECT(!secure.client_cert_pem().empty() && !secure.client_key_pem().empty());
    secure.show_certificate("expired");
}

int main() {
    leveret::testing::broker broker;
    names_and_errors();
    letters(broker);
    owned_payloads(broker);
    receipts();
    handlers(broker);
    handlers_that_throw(broker, "5");
    handlers_that_throw(broker, "3.1.1");
    failing_by_hand(broker);
    requests(broker);
    handlers_end(broker);
    hooks(broker);
    authenticates(broker);
    asked_before_each_connect(broker);
    signed_elsewhere();
    in_a_loop_of_ones_own(broker);
    the_broker();
    leveret::options options;
    options.set_bytes(MQTT_OPT_PASSWORD, "secret");
    options.add(MQTT_OPT_USER_PROPERTIES, "a", "b");
    leveret::shutdown();
    std::puts("wrapper: ok");
}
