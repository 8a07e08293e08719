// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/http/body.h"
#include "gateway/http/forward.h"
#include "tests/fuzz/heads.h"

#include <cstdint>
#include <string>

using namespace gatehouse;
using namespace gatehouse::http;

namespace {

using Event = BodyReader::Event;

struct Reading
{
    std::string data;
    Event end = Event::NeedMore;
    std::size_t used = 0; ///< up to the end; of a malformed body it depends on the pieces
    std::string trailers;
    bool endsAtClose = false;

    bool operator==(const Reading &) const = default;
};

/// Reads \a text in pieces as long as \a sizes say in turn, each in memory of its own.
Reading readPieces(const Head &head, std::string_view text, std::string_view sizes)
{
    Reading reading;
    BodyReader reader(head);
    for (std::size_t at = 0, turn = 0; reading.end == Event::NeedMore; ++turn) {
        const std::size_t wanted
            = sizes.empty() ? text.size()
                            : static_cast<unsigned char>(sizes[turn % sizes.size()]) % 9 + 1U;
        const std::string_view seen = text.substr(at, wanted);
        const std::vector<char> piece(seen.begin(), seen.end());
        std::string_view input(piece.data(), piece.size());
        BodyReader::Step step{Event::Data, {}};
        while (step.event == Event::Data) {
            step = reader.next(input);
            requireWithin(step.data, {piece.data(), piece.size()});
            require(step.event != Event::Data || !step.data.empty());
            reading.data += step.data;
        }
        require(step.event != Event::NeedMore || input.empty());
        reading.end = step.event;
        at += piece.size();
        if (step.event == Event::End)
            reading.used = at - input.size();
        if (at >= text.size())
            break;
    }
    reading.endsAtClose = reader.endsAtClose();
    require(reader.isDone() == (reading.end == Event::End));
    if (reading.end == Event::End)
        reading.trailers = reader.trailerSection();
    return reading;
}

void requireTrailersAgain(std::string_view section)
{
    const auto fields = parseTrailers(section, ErrorCode::BadRequest);
    if (!fields)
        return;
    requireWithin(*fields, section);
    std::string written;
    writeTrailers(written, *fields);
    const auto again = parseTrailers(written, ErrorCode::BadRequest);
    require(again.has_value());
    require(std::ranges::equal(*again, *fields, [](const Field &a, const Field &b) {
        return a.id == b.id && a.name == b.name && a.value == b.value;
    }));
}

} // namespace

/// First the kind of body, then three piece lengths, then the body.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    if (size < 4)
        return 0;
    const std::string_view text(reinterpret_cast<const char *>(data), size);
    Head head;
    if (text[0] < '@') {
        head.framing = Framing::Chunked;
    } else {
        head.framing = text[0] < 'P' ? Framing::Length : Framing::UntilClose;
        head.contentLength = static_cast<unsigned char>(text[1]);
    }
    const std::string_view body = text.substr(4);
    const Reading whole = readPieces(head, body, {});
    require(readPieces(head, body, text.substr(1, 3)) == whole);
    require(readPieces(head, body, std::string_view("\0", 1)) == whole);
    if (whole.end != Event::End)
        return 0;
    require(whole.data.size() <= whole.used);
    if (head.framing == Framing::Length)
        require(whole.data == body.substr(0, head.contentLength));
    // What is behind the end changes nothing.
    require(readPieces(head, body.substr(0, whole.used), text.substr(1, 3)) == whole);
    if (!whole.trailers.empty())
        requireTrailersAgain(whole.trailers);
    return 0;
}
