// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"
#include "gateway/http/head.h"
#include "gateway/json/document.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace gatehouse {

/// What a body is, by its bytes first and its Content-Type second: bytes that begin as JSON are JSON
/// whatever the field says, since providers read them so.
enum class BodyKind : std::uint8_t { None, Json, Multipart, Form, Opaque };

/// A request's body, gathered for policies and read lazily, once for all of them. The bytes go on to
/// the provider as they came. What its head says of it is read as it is when it is asked for, so as the provider
/// will see it.
class RequestBody
{
public:
    /// Bytes that policies may read, decoded ones too.
    static constexpr std::size_t inspectionLimit = std::size_t{32} << 20;

    /// As it came, without its transfer framing.
    [[nodiscard]] std::string_view bytes() const { return m_bytes; }
    [[nodiscard]] bool isEmpty() const { return m_bytes.empty() && !m_unreadable; }
    /// Without its Content-Encoding; no bytes are none, whatever that says. BodyEncoding,
    /// BodyNotInspectable.
    [[nodiscard]] Result<std::string_view> decoded();
    /// Of the decoded bytes. The errors of decoded(), and BodyEncoding for several Content-Type fields
    /// or for text that is said to be in another charset than UTF-8.
    [[nodiscard]] Result<BodyKind> kind();
    /// The decoded bytes as JSON, read strictly. BodyNotJson and the errors of decoded(). Valid until
    /// the exchange is over.
    [[nodiscard]] Result<const json::Document *> json();
    /// After json() said BodyNotJson: why.
    [[nodiscard]] std::optional<json::Problem> jsonProblem() const { return m_jsonProblem; }
    /// Value of the first Content-Type field; empty where there is none.
    [[nodiscard]] std::string_view contentType() const;
    /// True where a Content-Type says JSON: application/json, application/….+json, text/json.
    [[nodiscard]] static bool isJsonType(std::string_view contentType);
    /// True where it says application/x-www-form-urlencoded; what kind() is then, the bytes say.
    [[nodiscard]] static bool isFormType(std::string_view contentType);

    /// For the owner of the exchange: \a head is the request's, and outlives the reading.
    void begin(const http::RequestHead &head) { m_head = &head; }
    /// There is a body and it goes by unread: what asks for it gets \a why.
    void setUnreadable(Error why) { m_unreadable = std::move(why); }
    void append(std::string_view bytes) { m_bytes.append(bytes); }
    /// \a length bytes at \a offset give way to \a text; what was read of the body before is not valid any more.
    void splice(std::size_t offset, std::size_t length, std::string_view text);
    /// Forgets everything and gives back large buffers.
    void clear();

private:
    std::string m_bytes;
    const http::RequestHead *m_head = nullptr;
    std::optional<Result<std::string>> m_decoded; ///< where an encoding was taken off
    std::optional<Error> m_unreadable;
    std::optional<json::Problem> m_jsonProblem;
    std::unique_ptr<json::Document> m_document; ///< reused
    bool m_isParsed = false;
};

} // namespace gatehouse
