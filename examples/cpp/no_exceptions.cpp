// Without exceptions, as on small devices: each function that can fail returns a result.
//
// c++ -std=c++17 -fno-exceptions no_exceptions.cpp $(pkg-config --cflags --libs leveret) && ./a.out mqtt://localhost
#include <leveret.hpp>

#include <cstdio>

static int failed(const leveret::failure &why) {
    std::fprintf(stderr, "%s\n", why.text().c_str());
    return 1;
}

int main(int count, char **arguments) {
    using namespace std::chrono_literals;
    auto made = leveret::client::make(count > 1 ? arguments[1] : "mqtt://localhost");
    if (!made) return failed(made.error());
    leveret::client client = *std::move(made);
    if (auto started = client.start(); !started) return failed(started.error());

    leveret::letter letter("example/cpp/temperature", "21.5");
    letter.qos(2).ttl(10s).content_type("text/plain").replace("temperature");
    auto receipt = client.publish(letter);
    if (!receipt) return failed(receipt.error());
    auto outcome = receipt->wait(20s);
    if (!outcome) return failed(outcome.error());
    std::printf("the letter is %s\n", std::string(outcome->name()).c_str());
    return client.close(5s) ? 0 : 1;
}
