// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/json/structurals.h"

#include <algorithm>
#include <new>

// Not <third/party>: Debian puts the one header straight into the include path.
#include <simdjson.h>

namespace gatehouse::json {

struct Structurals::Indexer
{
    std::unique_ptr<simdjson::internal::dom_parser_implementation> stages;
    std::size_t capacity = 0; ///< the longest text, plus one

    void grow(std::size_t wanted);
};

void Structurals::Indexer::grow(std::size_t wanted)
{
    // simdjson frees its index before it allocates the next one: after a failure there is none.
    capacity = 0;
    const simdjson::error_code failure
        = stages ? stages->set_capacity(wanted)
                 : simdjson::get_active_implementation()->create_dom_parser_implementation(
                     wanted, 0, stages);
    if (failure != simdjson::SUCCESS)
        throw std::bad_alloc();
    capacity = wanted;
}

Structurals::Structurals()
    : m_indexer(std::make_unique<Indexer>())
{}
Structurals::~Structurals() = default;
Structurals::Structurals(Structurals &&) noexcept = default;
Structurals &Structurals::operator=(Structurals &&) noexcept = default;

std::optional<std::span<const std::uint32_t>> Structurals::find(std::string_view text)
{
    if (m_indexer->capacity <= text.size())
        m_indexer->grow(std::max(text.size() + 1, m_indexer->capacity + m_indexer->capacity / 2));
    auto &stages = *m_indexer->stages;
    const simdjson::error_code failure
        = stages.stage1(reinterpret_cast<const std::uint8_t *>(text.data()),
                        text.size(),
                        simdjson::stage1_mode::regular);
    if (failure != simdjson::SUCCESS)
        return {};
    return std::span(stages.structural_indexes.get(), stages.n_structural_indexes + 1);
}

std::size_t Structurals::capacity() const
{
    return m_indexer->capacity * sizeof(std::uint32_t);
}

} // namespace gatehouse::json
