// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "tests/bench/payload.h"
#include "tests/bench/wire.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

enum class Mode { Post, Idle, Stream };

struct Options
{
    Mode mode = Mode::Post;
    sockaddr_in to{};
    std::string request;
    std::vector<sockaddr_in> from;
    std::uint64_t connections = 32;
    std::uint64_t requests = 0; // 0: as many as fit in `seconds`
    std::uint64_t events = 0;
    std::uint64_t opening = 64; // connections that wait for their first byte at the same time
    double rate = 0;
    double seconds = 0;
    double timeout = 120;
    bool hold = false; // until stdin ends
};

inline std::string wholeRequest(const Arguments &arguments, const Options &options)
{
    std::string path = arguments.text("--path", "/openai/v1/chat/completions");
    const bool streams = options.mode == Mode::Stream;
    if (streams) {
        path += "?events=" + std::to_string(options.events);
        path += "&rate=" + std::to_string(options.rate);
        path += "&batch=" + arguments.text("--batch", "1");
    }
    const std::string body = requestBody(arguments.count("--body", 1700), streams);
    return "POST " + path + " HTTP/1.1\r\nHost: " + arguments.text("--to", "")
           + "\r\nAccept: " + (streams ? "text/event-stream" : "application/json")
           + "\r\nContent-Type: application/json\r\nUser-Agent: OpenAI/Python 1.99.0"
             "\r\nAuthorization: Bearer "
           + arguments.text("--key", "none") + "\r\nContent-Length: " + std::to_string(body.size())
           + "\r\n\r\n" + body;
}

inline Options optionsOf(int argc, char **argv)
{
    const std::string_view mode = argc > 1 ? argv[1] : "";
    const Arguments arguments(argc, argv, 2);
    Options options;
    if (mode != "post" && mode != "idle" && mode != "stream") {
        std::fputs("usage: bench_load post|idle|stream --to ADDRESS:PORT …\n", stderr);
        std::exit(2);
    }
    options.mode = mode == "post" ? Mode::Post : mode == "idle" ? Mode::Idle : Mode::Stream;
    options.to = addressOf(arguments.text("--to", "127.0.0.1:4283"));
    options.connections = arguments.count("--connections", 32);
    options.seconds = arguments.real("--seconds", 0);
    options.requests = arguments.count("--requests", options.seconds > 0 ? 0 : options.connections);
    options.events = arguments.count("--events", 100);
    options.rate = arguments.real("--rate", 0);
    options.opening = arguments.count("--opening", 64);
    options.hold = arguments.count("--hold", 0) != 0;
    options.timeout = arguments.real("--timeout", 120);
    for (std::uint64_t i = 1; i <= arguments.count("--from", 0); ++i)
        options.from.push_back(addressOf("127.0.0." + std::to_string(i)));
    options.request = wholeRequest(arguments, options);
    return options;
}

} // namespace bench
