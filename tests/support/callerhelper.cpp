// SPDX-License-Identifier: GPL-3.0-or-later
// A program that calls the gateway, told by lines on its standard input; it says what came of each in
// one line, and ends with its input:
//
//     connect IP PORT [COUNT]     ok        from now on these are its sockets
//     bind-device NAME            ok        for the connections after it
//     fork                        PID       a child that holds the sockets too
//     spawn PROGRAM               PID       the same, and runs PROGRAM, which is a copy of this one
//     close                       ok        its own ends of the sockets
//     chdir PATH, setuid UID, hide          ok
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace {

class Helper
{
public:
    /// What is answered.
    std::string run(std::istringstream words)
    {
        std::string command;
        std::string argument;
        words >> command >> std::ws;
        if (command == "connect")
            return connectAll(std::move(words));
        std::getline(words, argument);
        if (command == "fork" || command == "spawn")
            return child(argument);
        return outcome(doSimple(command, argument));
    }

private:
    static std::string outcome(bool isDone) { return isDone ? "ok" : "failed"; }

    bool doSimple(const std::string &command, const std::string &argument)
    {
        if (command == "chdir")
            return ::chdir(argument.c_str()) == 0;
        if (command == "setuid")
            return ::setuid(static_cast<uid_t>(std::stoul(argument))) == 0;
        if (command == "hide")
            return ::prctl(PR_SET_DUMPABLE, 0) == 0;
        if (command == "bind-device") {
            m_device = argument;
            return true;
        }
        if (command == "close") {
            for (const int socket : m_sockets)
                ::close(socket);
            m_sockets.clear();
            return true;
        }
        return false;
    }

    std::string connectAll(std::istringstream words)
    {
        std::string ip;
        std::uint16_t port = 0;
        int count = 1;
        words >> ip >> port >> count;
        for (int i = 0; i < (words ? count : 1); ++i) {
            if (!connectOne(ip, port))
                return "failed";
        }
        return "ok";
    }

    bool connectOne(const std::string &ip, std::uint16_t port)
    {
        sockaddr_storage storage{};
        auto *ip4 = reinterpret_cast<sockaddr_in *>(&storage);
        auto *ip6 = reinterpret_cast<sockaddr_in6 *>(&storage);
        if (inet_pton(AF_INET, ip.c_str(), &ip4->sin_addr) == 1) {
            ip4->sin_family = AF_INET;
            ip4->sin_port = htons(port);
        } else if (inet_pton(AF_INET6, ip.c_str(), &ip6->sin6_addr) == 1) {
            ip6->sin6_family = AF_INET6;
            ip6->sin6_port = htons(port);
        } else {
            return false;
        }
        const int socket = ::socket(storage.ss_family, SOCK_STREAM, 0);
        m_sockets.push_back(socket);
        const auto deviceSize = static_cast<socklen_t>(m_device.size());
        if (!m_device.empty()
            && ::setsockopt(socket, SOL_SOCKET, SO_BINDTODEVICE, m_device.data(), deviceSize) != 0)
            return false;
        return ::connect(socket, reinterpret_cast<sockaddr *>(&storage), sizeof storage) == 0;
    }

    /// Lives as long as this process. \a program may be empty.
    static std::string child(const std::string &program)
    {
        std::array<int, 2> ready{};
        if (::pipe2(ready.data(), O_CLOEXEC) != 0)
            return "failed";
        const pid_t pid = ::fork();
        if (pid == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (!program.empty()) // the pipe closes with exec
                ::execl(program.c_str(), program.c_str(), "hold", nullptr);
            ::close(ready[1]);
            for (;;)
                ::pause();
        }
        ::close(ready[1]);
        char byte = 0;
        const bool isReady = ::read(ready[0], &byte, 1) == 0;
        ::close(ready[0]);
        return isReady && pid > 0 ? std::to_string(pid) : "failed";
    }

    std::string m_device;
    std::vector<int> m_sockets;
};

} // namespace

int main(int count, char **)
{
    while (count > 1) // "hold"
        ::pause();
    Helper helper;
    std::string line;
    while (std::getline(std::cin, line))
        std::cout << helper.run(std::istringstream(line)) << std::endl;
    return 0;
}
