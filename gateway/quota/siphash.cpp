// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/quota/siphash.h"

#include <bit>
#include <cstddef>
#include <cstring>

namespace gatehouse::quota {

namespace {

struct State
{
    std::uint64_t v0, v1, v2, v3;

    void rounds(int count)
    {
        for (; count > 0; --count) {
            v0 += v1;
            v1 = std::rotl(v1, 13) ^ v0;
            v0 = std::rotl(v0, 32);
            v2 += v3;
            v3 = std::rotl(v3, 16) ^ v2;
            v0 += v3;
            v3 = std::rotl(v3, 21) ^ v0;
            v2 += v1;
            v1 = std::rotl(v1, 17) ^ v2;
            v2 = std::rotl(v2, 32);
        }
    }
    void take(std::uint64_t word)
    {
        v3 ^= word;
        rounds(2);
        v0 ^= word;
    }
    [[nodiscard]] std::uint64_t mixed() const { return v0 ^ v1 ^ v2 ^ v3; }
};

/// Up to eight bytes, the first one the lowest.
std::uint64_t wordOf(std::string_view bytes)
{
    std::uint64_t word = 0;
    if constexpr (std::endian::native == std::endian::little) {
        std::memcpy(&word, bytes.data(), bytes.size());
    } else {
        for (std::size_t i = bytes.size(); i-- > 0;)
            word = word << 8 | static_cast<unsigned char>(bytes[i]);
    }
    return word;
}

} // namespace

Hash128 sipHash(std::string_view text, const SipKey &key)
{
    State state{key[0] ^ 0x736f6d6570736575,
                key[1] ^ 0x646f72616e646f6d ^ 0xee,
                key[0] ^ 0x6c7967656e657261,
                key[1] ^ 0x7465646279746573};
    const std::uint64_t length = text.size();
    for (; text.size() >= 8; text.remove_prefix(8))
        state.take(wordOf(text.substr(0, 8)));
    state.take(length << 56 | wordOf(text));
    state.v2 ^= 0xee;
    state.rounds(4);
    const std::uint64_t low = state.mixed();
    state.v1 ^= 0xdd;
    state.rounds(4);
    return {low, state.mixed()};
}

} // namespace gatehouse::quota
