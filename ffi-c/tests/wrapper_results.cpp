// leveret.hpp without exceptions: each function that can fail returns a result.
#include <leveret_testing.hpp>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <thread>

using namespace std::chrono_literals;

#define EXPECT(condition) ((condition) ? (void)0 : fail(#condition, __LINE__))

[[noreturn]] static void fail(const char *what, int line) {
    std::fprintf(stderr, "ffi-c/tests/wrapper_results.cpp:%d: not so: %s (last error: %s)\n", line, what, mqtt_last_error());
    std::exit(1);
}

static_assert(std::is_same_v<decltype(std::declval<leveret::client &>().publish("t", "p")), leveret::result<leveret::receipt>>);
static_assert(!std::is_default_constructible_v<leveret::testing::broker>);

static void refusals() {
    leveret::options options;
    EXPECT(options.set(MQTT_OPT_KEEP_ALIVE, 30s));
    EXPECT(options.set_bytes(MQTT_OPT_PASSWORD, "secret"));
    EXPECT(options.add(MQTT_OPT_USER_PROPERTIES, "a", "b"));
    const auto wrong = options.set("keep_alvie", 30s);
    EXPECT(!wrong && wrong.error().code() == MQTT_UNKNOWN_OPTION && wrong.error().name() == "MQTT_UNKNOWN_OPTION");
    EXPECT(!leveret::client::make("ftp://nowhere"));
    EXPECT(leveret::client::make("ftp://nowhere", options).error().text().find("ftp") != std::string::npos);
    EXPECT(!leveret::testing::broker::make({{"protocol", "3"}}));
}

static void asked_and_signed() {
    std::atomic<int> asked{0};
    auto broker = leveret::testing::broker::make({{"client_certificates", "true"}});
    EXPECT(broker);
    leveret::options options;
    EXPECT(options.set(MQTT_OPT_TLS_CA, broker->ca_pem()) && options.set(MQTT_OPT_TLS_CERT, broker->client_cert_pem()));
    EXPECT(options.set(MQTT_OPT_BACKOFF_MAX, 50ms) && options.set(MQTT_OPT_BACKOFF_MIN, 10ms));
    EXPECT(options.signer([&](leveret::sign_event event) { EXPECT(!event.answer({}) && event.refuse("locked") && ++asked > 0); }));
    auto made = leveret::client::make(broker->url(), options);
    EXPECT(made.has_value());
    leveret::client client = *std::move(made);
    EXPECT(client.on_connect([&](leveret::connect_event event) {
        leveret::connect_options said;
        EXPECT(said.set(MQTT_CONNECT_OPT_USERNAME, "device") && said.set_bytes(MQTT_CONNECT_OPT_PASSWORD, "token"));
        EXPECT(!said.add(MQTT_CONNECT_OPT_USERNAME, "a", "b"));
        EXPECT(client.answer_connect(event.number(), said) && client.refuse_connect(event.number(), "too late"));
    }));
    EXPECT(client.start());
    const auto deadline = std::chrono::steady_clock::now() + 60s;
    while (asked < 2 && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(1ms);
    EXPECT(asked >= 2);
    EXPECT(client.on_connect(nullptr) && options.signer(nullptr));
}

int main() {
    std::atomic<int> messages{0};
    refusals();
    asked_and_signed();
    auto broker = leveret::testing::broker::make();
    EXPECT(broker);
    auto made = leveret::client::make(broker->url());
    EXPECT(made.has_value());
    leveret::client client = *std::move(made);
    EXPECT(client.on_message([&](leveret::message) { messages++; }));
    EXPECT(client.start() && client.wait_for(leveret::status::online, 60s));
    auto subscribed = client.subscribe("results", [&](leveret::message message) {
        EXPECT(message.fail());
        messages++;
    });
    EXPECT(subscribed);
    auto granted = subscribed->wait(60s);
    EXPECT(granted && *granted == 1);
    EXPECT(client.subscribe("results/ask", [](leveret::message message) { EXPECT(message.respond("answer")); }));
    auto response = client.request("results/ask", "?", 60s);
    EXPECT(response && response->payload() == "answer");
    const auto unanswered = client.request(leveret::letter("results/nobody"), 20ms);
    EXPECT(!unanswered && unanswered.error().code() == MQTT_TIMED_OUT);
    auto receipt = client.publish("results", "x");
    EXPECT(receipt);
    auto outcome = receipt->wait(60s);
    EXPECT(outcome && outcome->ok());
    auto again = receipt->wait(0s);
    EXPECT(!again && again.error().code() == MQTT_RECEIPT_FORGOTTEN);
    EXPECT(!client.publish("a/#", "x") && !client.fd() && !client.poll(0s));
    auto ping = client.ping(60s);
    EXPECT(ping && *ping > 0us);
    const auto deadline = std::chrono::steady_clock::now() + 60s;
    while (messages == 0 && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(1ms);
    EXPECT(messages == 1);
    EXPECT(client.close(5s) && client.stats() && client.status() == leveret::status::closed);
    EXPECT(!client.post("a", "x"));
    EXPECT(leveret::shutdown());
    std::puts("wrapper_results: ok");
}
