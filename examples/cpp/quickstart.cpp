// Quickstart in C++: connect, subscribe, publish, and learn what became of the letter.
//
// c++ -std=c++17 quickstart.cpp $(pkg-config --cflags --libs leveret) && ./a.out mqtt://localhost
#include <leveret.hpp>

#include <future>
#include <iostream>
#include <string>

int main(int count, char **arguments) try {
    using namespace std::chrono_literals;
    std::promise<std::string> state;

    leveret::client client(count > 1 ? arguments[1] : "mqtt://localhost", {{MQTT_OPT_KEEP_ALIVE, 30s}});
    client.on_connection([](leveret::connection_event event) {
        if (event.kind() == MQTT_CONNECTION_ATTEMPT_FAILED) std::cerr << event.text() << "\n";
    });
    client.start();

    // Both work at once, online or offline: what cannot be sent now waits in the local post office.
    client.subscribe("example/cpp/+", [&](leveret::message message) {
        state.set_value(std::string(message.levels().back()) + " is " + std::string(message.payload()));
    });
    leveret::receipt receipt = client.publish("example/cpp/door", "open", 10s);

    std::cout << state.get_future().get() << "\n";
    std::cout << "the letter is " << receipt.wait().name() << "\n";
    client.close(5s);
    return 0;
} catch (const leveret::error &error) {
    std::cerr << error.what() << "\n";
    return 1;
}
