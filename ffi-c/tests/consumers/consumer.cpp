// A program in C++ built outside the tree from the installed package: it delivers a letter to the test broker and receives it.
#include <leveret_testing.hpp>

#include <future>
#include <iostream>
#include <string>

int main() {
    using namespace std::chrono_literals;
    std::promise<std::string> received;
    leveret::testing::broker broker;
    leveret::client client(broker.url());
    client.start();
    client.subscribe("consumer", 2, [&](leveret::message message) { received.set_value(std::string(message.payload())); }).wait(10s);
    const leveret::outcome outcome = client.publish("consumer", "a letter", 2).wait(10s);
    std::cout << "received " << received.get_future().get() << "\n" << outcome.name() << std::endl;
}
