// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QRandomGenerator>

#include <array>
#include <cstdint>

namespace gatehouse::net {

/// 20 hexadecimal digits that name one exchange.
using RequestId = std::array<char, 20>;

/// Hands out request ids: 48 random bits of this worker's, then a count, so that two never meet and
/// their order shows. Of one worker's thread.
class RequestIds
{
public:
    RequestIds() { write(QRandomGenerator::system()->generate64(), 0, randomDigits); }

    [[nodiscard]] const RequestId &next()
    {
        write(++m_count, randomDigits, m_id.size());
        return m_id;
    }

private:
    static constexpr std::size_t randomDigits = 12;

    void write(std::uint64_t number, std::size_t begin, std::size_t end)
    {
        for (std::size_t at = end; at-- > begin; number >>= 4)
            m_id[at] = "0123456789abcdef"[number & 15];
    }

    RequestId m_id{};
    std::uint64_t m_count = 0;
};

} // namespace gatehouse::net
