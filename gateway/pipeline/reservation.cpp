// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/reservation.h"

#include "gateway/base/text.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace gatehouse {

namespace {

/// Tokens by which a growing stream's reservation grows, and how far it is kept ahead.
constexpr std::uint64_t stride = 512;
constexpr std::uint64_t ahead = 128;
/// No tokenizer in use makes one token of more bytes than this, on average.
constexpr std::uint64_t mostBytesPerToken = 16;
/// Of a body that is no JSON, an upload, so many bytes count.
constexpr std::uint64_t mostOpaqueBytes = std::uint64_t{64} * 1024;
constexpr std::size_t longestText = 4096; ///< without a space
constexpr std::uint64_t pictureBytes = 6000;
constexpr std::uint64_t mostChoices = 1000;
/// More than any model writes, and little enough to be added and multiplied.
constexpr std::uint64_t mostOutput = std::uint64_t{1} << 40;

std::optional<std::uint64_t> capOf(const RequestBound &bound)
{
    const auto cap = bound.output.allTokens();
    return cap ? std::optional(std::min(*cap, mostOutput)) : std::nullopt;
}

/// Where the quote is that ends a JSON string which begins at \a begin; the end of the text: nowhere.
std::size_t endOfString(std::string_view json, std::size_t begin)
{
    std::size_t quote = std::min(json.find('"', begin), json.size());
    for (;;) {
        const std::size_t backslash = json.substr(0, quote).find('\\', begin);
        if (backslash == std::string_view::npos)
            return quote;
        begin = backslash + 2;
        if (begin > quote) // it was escaped
            quote = std::min(json.find('"', begin), json.size());
    }
}

} // namespace

std::uint64_t textBytesOf(std::string_view json)
{
    std::uint64_t total = json.size();
    for (std::size_t from = json.find('"'); from < json.size(); from = json.find('"', from + 1)) {
        const std::size_t begin = from + 1;
        const std::size_t end = endOfString(json, begin);
        const std::string_view text = json.substr(begin, end - begin);
        if (text.size() > longestText
            && text.substr(0, longestText).find(' ') == std::string_view::npos)
            total -= text.size() - std::min<std::uint64_t>(text.size(), pictureBytes);
        from = end;
    }
    return total;
}

struct ReservingPolicy::Reservation final : PolicyState
{
    std::string key;
    RequestBound bound;
    std::vector<QuotaBook::Piece> pieces;
    std::int64_t taken = 0;
    std::uint64_t output = 0; ///< tokens that are taken
    std::string note;
    bool grows = false;
    bool isMade = false;
    TextMeter meter;
};

std::string ReservingPolicy::noteFor(const Exchange &exchange)
{
    const auto *reservation = exchange.findState<Reservation>();
    return reservation == nullptr ? std::string() : reservation->note;
}

std::uint8_t ReservingPolicy::phases() const
{
    const std::uint8_t always = PolicyPhase::RequestBody | PolicyPhase::End;
    const auto body = static_cast<std::uint8_t>(PolicyPhase::ResponseBody);
    return m_setting.cutsStreams ? static_cast<std::uint8_t>(always | body) : always;
}

bool ReservingPolicy::readsBody(const Exchange &exchange) const
{
    return exchange.route().modelFinder->readsBody(exchange);
}

Result<RequestBound, Reply> ReservingPolicy::boundOf(Exchange &exchange) const
{
    const auto &found = exchange.requestedModels();
    if (!found)
        return Unexpected(Reply::of(found.error()));
    if (found->isHidden || exchange.isUpgrade())
        return Unexpected(Reply{.status = 403,
                                .reason = m_setting.type + ":hidden",
                                .message = "What this request uses cannot be seen: "
                                           + (exchange.isUpgrade() ? "a WebSocket goes by unread"
                                                                   : std::string(found->why))});
    RequestBound bound;
    for (const RequestedModel &model : found->models)
        bound.models.push_back(model.name);
    bound.estimatorKey
        = TokenEstimator::keyOf(exchange.client() != nullptr ? exchange.client()->name : "",
                                bound.models.empty() ? "" : bound.models.front());
    const auto decoded = exchange.body().decoded();
    if (!decoded)
        return Unexpected(Reply::of(decoded.error()));
    if (const auto json = exchange.body().json()) {
        bound.bytes = textBytesOf(*decoded);
        bound.output = exchange.route().outputCap(exchange.decodedPath(), (*json)->root());
    } else {
        bound.bytes = std::min<std::uint64_t>(decoded->size(), mostOpaqueBytes);
    }
    bound.input
        = m_setting.estimator->input(bound.estimatorKey, bound.bytes, exchange.services().now());
    bound.leastInput = bound.bytes / mostBytesPerToken;
    return bound;
}

Verdict ReservingPolicy::onRequestBody(Exchange &exchange) const
{
    if (const auto &found = exchange.requestedModels(); found && found->isNeedless)
        return Continue{};
    auto key = m_setting.key.textOf(exchange);
    if (!key)
        return Reply::of(key.error());
    auto bound = boundOf(exchange);
    if (!bound)
        return std::move(bound).error();
    Reservation &reservation = exchange.state<Reservation>();
    reservation.key = std::move(*key);
    reservation.bound = std::move(*bound);
    return reserve(exchange, reservation);
}

Verdict ReservingPolicy::reserve(Exchange &exchange, Reservation &reservation) const
{
    const RequestBound &bound = reservation.bound;
    const bool mayGrow = bound.output.streams && m_setting.cutsStreams;
    const std::optional<std::uint64_t> cap = capOf(bound);
    std::uint64_t output = cap ? *cap : stride;
    if (!cap && !mayGrow)
        output = m_setting.estimator->output(bound.estimatorKey, exchange.services().now())
                 * std::clamp<std::uint64_t>(bound.output.choices, 1, mostChoices);
    reservation.grows = !cap && mayGrow;
    auto amount = amountOf(exchange, bound, bound.input, output);
    if (!amount)
        return std::move(amount).error();
    // Where the cap alone is beyond the limit, a stream may have what there is.
    if (*amount > smallestLimit() && mayGrow && output > stride) {
        output = stride;
        reservation.grows = true;
        amount = amountOf(exchange, bound, bound.input, output);
    }
    // An estimate alone refuses nobody for ever: such a request waits until nothing else is taken.
    const bool isCapped = cap && !reservation.grows;
    if (const auto least = amountOf(exchange, bound, bound.leastInput, isCapped ? output : 0);
        *amount > smallestLimit() && *least <= smallestLimit())
        amount = smallestLimit();
    const quota::Standing standing = takeMore(exchange, reservation, *amount);
    if (!standing.isGranted)
        return refusal(bound,
                       *amount,
                       standing,
                       standing.wait ? "" : ". Ask for less output (max_tokens), or stream");
    reservation.output = output;
    reservation.isMade = true;
    reservation.note = noteOf(standing);
    return Continue{};
}

std::optional<Reply> ReservingPolicy::onResponseBody(Exchange &exchange,
                                                     std::string_view bytes) const
{
    if (exchange.findState<Reservation>() == nullptr)
        return std::nullopt;
    Reservation &reservation = exchange.state<Reservation>();
    if (!reservation.isMade || exchange.answer().status / 100 != 2)
        return std::nullopt;
    reservation.meter.take(bytes);
    if (!reservation.grows)
        return std::nullopt;
    const std::uint64_t soFar = m_setting.estimator->outputSoFar(
        reservation.bound.estimatorKey, reservation.meter.count(), exchange.services().now());
    if (soFar + ahead <= reservation.output)
        return std::nullopt;
    const RequestBound &bound = reservation.bound;
    const std::int64_t before = *amountOf(exchange, bound, bound.input, reservation.output);
    quota::Standing standing;
    for (const std::uint64_t output : {soFar + ahead + stride, soFar + ahead}) {
        const std::int64_t more = *amountOf(exchange, bound, bound.input, output) - before;
        standing = takeMore(exchange, reservation, more);
        if (standing.isGranted) {
            reservation.output = output;
            return std::nullopt;
        }
    }
    reservation.grows = false; // an observed one goes on, and is told once
    Reply reply = refusal(bound, 0, standing, "");
    reply.reason += ":cut";
    reply.message = "The answer was cut after about " + std::to_string(soFar)
                    + " tokens of output: " + limitText(standing.limit) + " are used up";
    return reply;
}

void ReservingPolicy::onEnd(Exchange &exchange) const
{
    if (exchange.findState<Reservation>() == nullptr)
        return;
    Reservation &reservation = exchange.state<Reservation>();
    if (!std::exchange(reservation.isMade, false))
        return;
    const Answer &answer = exchange.answer();
    const Services &services = exchange.services();
    // Providers charge for no error, and for nothing that they never got.
    if (!answer.isSent || (answer.status != 0 && answer.status / 100 != 2)) {
        giveBack(exchange, reservation, reservation.taken);
        return;
    }
    const bool isFinal = answer.isUsageFinal || (answer.isWhole && answer.usage.hasTokens());
    if (isFinal)
        m_setting.estimator->learn(reservation.bound.estimatorKey,
                                   reservation.bound.bytes,
                                   reservation.meter.count(),
                                   answer.usage,
                                   services.now());
    const std::optional<std::int64_t> used = usedBy(exchange, reservation.bound);
    if (!used)
        return;
    if (isFinal && *used < reservation.taken)
        giveBack(exchange, reservation, reservation.taken - *used);
    else if (*used > reservation.taken)
        m_setting.book->add(reservation.key, *used - reservation.taken, services);
}

quota::Standing
ReservingPolicy::takeMore(Exchange &exchange, Reservation &reservation, std::int64_t amount) const
{
    QuotaBook::Piece piece{.amount = amount};
    const quota::Standing standing
        = m_setting.book->take(reservation.key, amount, exchange.services(), piece);
    if (standing.isGranted) {
        reservation.pieces.push_back(piece);
        reservation.taken += amount;
    }
    return standing;
}

/// The newest first, which counts longest.
void ReservingPolicy::giveBack(Exchange &exchange,
                               Reservation &reservation,
                               std::int64_t amount) const
{
    for (auto piece = reservation.pieces.rbegin(); piece != reservation.pieces.rend(); ++piece) {
        const std::int64_t part = std::min(amount, piece->amount);
        if (part > 0)
            m_setting.book->giveBack(reservation.key, part, exchange.services(), *piece);
        amount -= part;
    }
}

Reply ReservingPolicy::refusal(const RequestBound &bound,
                               std::int64_t amount,
                               const quota::Standing &standing,
                               std::string_view advice) const
{
    Reply reply{.status = 429,
                .reason = m_setting.type,
                .message
                = "This request may use " + written(amount) + " (about "
                  + std::to_string(bound.input) + " tokens of input"
                  + (capOf(bound) ? ", up to " + std::to_string(*capOf(bound)) + " of output"
                                  : std::string())
                  + "), and of " + limitText(standing.limit) + " " + written(standing.remaining)
                  + " are left" + std::string(advice),
                .retryable = standing.wait.has_value()};
    if (standing.wait) {
        const auto seconds = std::chrono::ceil<std::chrono::seconds>(*standing.wait).count();
        reply.message += "; there may be enough in " + std::to_string(seconds) + " s";
        reply.headers.push_back({"retry-after", std::to_string(seconds)});
    }
    return reply;
}

std::int64_t ReservingPolicy::smallestLimit() const
{
    return *std::ranges::min_element(m_setting.limits);
}

} // namespace gatehouse
