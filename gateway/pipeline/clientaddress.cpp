// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/clientaddress.h"

#include "gateway/base/text.h"
#include "gateway/http/text.h"
#include "gateway/pipeline/expressionparser.h"
#include "gateway/pipeline/fieldrules.h"
#include "gateway/schema/encode.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace gatehouse {

namespace {

constexpr std::string_view socketSource = "socket";
constexpr std::string_view headerSource = "header:";
constexpr std::string_view everybody = "any";
constexpr std::uint64_t lastPort = 65535;

std::string rangeProblem(std::string_view text)
{
    const auto range = IpRange::parse(text);
    return range ? std::string() : range.error().context;
}

std::string proxyProblem(std::string_view text)
{
    return text == everybody ? std::string() : rangeProblem(text);
}

std::string sourceProblem(std::string_view text)
{
    if (text == socketSource)
        return {};
    if (!text.starts_with(headerSource))
        return "must be socket or header:NAME, such as header:x-forwarded-for";
    return fieldNameProblem(text.substr(headerSource.size()));
}

IpSet setOf(const std::vector<std::string> &texts)
{
    std::vector<IpRange> ranges;
    for (const std::string &text : texts) {
        if (const auto range = IpRange::parse(text)) // what is wrong was reported as it was decoded
            ranges.push_back(*range);
    }
    return IpSet(std::move(ranges));
}

bool isPort(std::string_view text)
{
    const auto port = http::parseDecimal(text);
    return port && *port <= lastPort;
}

std::optional<IpAddress> withoutZone(std::string_view text)
{
    const std::size_t percent = text.find('%');
    const bool isIpv6 = text.find(':') < percent;
    if (percent == std::string_view::npos || !isIpv6)
        return IpAddress::parse(text);
    if (!http::isToken(text.substr(percent + 1)))
        return std::nullopt;
    return IpAddress::parse(text.substr(0, percent));
}

/// Reads one Forwarded field from left to right.
class ForwardedReader
{
public:
    explicit ForwardedReader(std::string_view field)
        : m_rest(field)
    {}

    /// False at the first thing that RFC 7239 §4 does not allow.
    bool read(std::vector<std::string> &nodes)
    {
        do {
            skipBlanks();
            if (m_rest.empty() || m_rest.front() == ',')
                continue; // an empty element of a list: RFC 9110 §5.6.1.2
            if (!readElement(nodes.emplace_back()))
                return false;
        } while (take(','));
        return m_rest.empty();
    }

private:
    bool readElement(std::string &node)
    {
        bool hasNode = false;
        do {
            skipBlanks();
            const bool isPair = !m_rest.empty() && m_rest.front() != ';' && m_rest.front() != ',';
            if (isPair && !readPair(node, hasNode))
                return false;
            skipBlanks();
        } while (take(';'));
        return true;
    }
    bool readPair(std::string &node, bool &hasNode)
    {
        const std::string_view name = readToken();
        std::string value;
        if (name.empty() || !take('=') || !readValue(value))
            return false;
        if (!equalsIgnoreCase(name, "for"))
            return true;
        node = std::move(value);
        return !std::exchange(hasNode, true); // each parameter once
    }
    bool readValue(std::string &value)
    {
        if (!take('"')) {
            value = readToken();
            return !value.empty();
        }
        while (!m_rest.empty() && m_rest.front() != '"') {
            if (take('\\') && m_rest.empty())
                return false;
            value += m_rest.front();
            m_rest.remove_prefix(1);
        }
        return take('"');
    }
    std::string_view readToken()
    {
        const auto end = std::ranges::find_if_not(m_rest, &http::isTokenChar);
        const auto size = static_cast<std::size_t>(end - m_rest.begin());
        const std::string_view token = m_rest.substr(0, size);
        m_rest.remove_prefix(size);
        return token;
    }
    bool take(char c)
    {
        if (m_rest.empty() || m_rest.front() != c)
            return false;
        m_rest.remove_prefix(1);
        return true;
    }
    void skipBlanks()
    {
        while (take(' ') || take('\t')) {
        }
    }

    std::string_view m_rest;
};

/// What the fields of that name list, in the order in which the proxies added it; null where one is
/// malformed.
std::optional<std::vector<std::string>> chainOf(const Exchange &exchange, std::string_view header)
{
    std::vector<std::string> chain;
    const bool isForwarded = equalsIgnoreCase(header, "forwarded");
    for (const http::Field &field : exchange.request().fields) {
        if (!equalsIgnoreCase(field.name, header))
            continue;
        if (isForwarded) {
            auto nodes = parseForwarded(field.value);
            if (!nodes)
                return std::nullopt;
            std::ranges::move(*nodes, std::back_inserter(chain));
        } else {
            http::forEachListElement(field.value, [&](std::string_view element) {
                if (!element.empty())
                    chain.emplace_back(element);
                return true;
            });
        }
    }
    return chain;
}

} // namespace

std::span<const Field> AddressConfig::fields()
{
    static constexpr auto rows = std::to_array<Field>({
        field<&AddressConfig::ranges>(
            {.key = "ranges",
             .label = "Addresses",
             .help = "IPv4 and IPv6 addresses and ranges: 10.1.2.3, 192.168.0.0/16, 2001:db8::/32; "
                     "192.168 is short for 192.168.0.0/16",
             .min = 1,
             .max = 100'000,
             .required = true,
             .problem = &rangeProblem}),
        field<&AddressConfig::source>(
            {.key = "source",
             .label = "Source",
             .help = "Where the address comes from: socket, the other end of the connection; or "
                     "header:NAME, where proxies write it: x-forwarded-for, x-real-ip, forwarded "
                     "(RFC 7239). A request whose header does not tell is refused",
             .problem = &sourceProblem}),
        field<&AddressConfig::trustedProxies>(
            {.key = "trustedProxies",
             .label = "Trusted proxies",
             .help
             = "Addresses and ranges of the proxies whose header is believed. From the right "
               "the first address that is none of them counts, and for a connection from "
               "elsewhere its own. any believes everybody and takes the first address: then "
               "every client can choose its own, unless only a proxy that sets the header can "
               "reach the gateway",
             .max = 1000,
             .problem = &proxyProblem}),
    });
    return rows;
}

std::optional<IpAddress> parseForwardedNode(std::string_view text)
{
    if (text.starts_with('[')) {
        const std::size_t end = text.find(']');
        const std::string_view inner = text.substr(1, end == std::string_view::npos ? 0 : end - 1);
        const std::string_view rest = text.substr(std::min(end, text.size() - 1) + 1);
        const bool isPlain = rest.empty() || (rest.front() == ':' && isPort(rest.substr(1)));
        const bool isIpv6 = inner.find(':') != std::string_view::npos;
        return isPlain && isIpv6 ? withoutZone(inner) : std::nullopt;
    }
    const std::size_t colon = text.find(':');
    const bool hasPort = colon != std::string_view::npos && colon == text.rfind(':');
    if (!hasPort)
        return withoutZone(text);
    return isPort(text.substr(colon + 1)) ? IpAddress::parse(text.substr(0, colon)) : std::nullopt;
}

std::optional<std::vector<std::string>> parseForwarded(std::string_view field)
{
    std::vector<std::string> nodes;
    if (!ForwardedReader(field).read(nodes))
        return std::nullopt;
    return nodes;
}

std::optional<AddressRule> AddressRule::make(const AddressConfig &config, PolicyContext &context)
{
    AddressRule rule;
    rule.m_ranges = setOf(config.ranges);
    rule.m_trustsAll
        = std::ranges::find(config.trustedProxies, everybody) != config.trustedProxies.end();
    rule.m_proxies = setOf(config.trustedProxies);
    if (config.source == socketSource) {
        if (!config.trustedProxies.empty()) {
            context.problem({"trustedProxies"}, "must be empty where the source is the socket");
            return std::nullopt;
        }
        return rule;
    }
    rule.m_header = config.source.substr(headerSource.size());
    if (config.trustedProxies.empty()) {
        context.problem({"trustedProxies"},
                        "must name the proxies whose " + rule.m_header + " is believed");
        return std::nullopt;
    }
    if (rule.m_trustsAll && config.trustedProxies.size() > 1) {
        context.problem({"trustedProxies"}, "must name either proxies or any, not both");
        return std::nullopt;
    }
    return rule;
}

AddressRule::Finding AddressRule::find(const Exchange &exchange) const
{
    Found found = addressOf(exchange);
    if (auto *reason = std::get_if<std::string>(&found))
        return {Answer::Unknown, std::move(*reason)};
    const auto &[address, text] = std::get<Known>(found);
    return {m_ranges.contains(address) ? Answer::Inside : Answer::Outside, text};
}

AddressRule::Found AddressRule::addressOf(const Exchange &exchange) const
{
    const std::string &peer = exchange.peer().address;
    const auto address = withoutZone(peer);
    if (!address)
        return std::string("the connection has none");
    if (m_header.empty() || !(m_trustsAll || m_proxies.contains(*address)))
        return Known{*address, peer};
    const auto chain = chainOf(exchange, m_header);
    if (!chain)
        return "the header " + m_header + " is malformed";
    if (chain->empty())
        return "the proxy sent no header " + m_header;
    auto node = m_trustsAll ? chain->begin() : std::prev(chain->end());
    for (;; --node) {
        const auto named = parseForwardedNode(*node);
        if (!named)
            return "the header " + m_header + " has " + inQuotes(*node) + " instead";
        if (node == chain->begin() || !m_proxies.contains(*named))
            return Known{*named, *node};
    }
}

std::optional<Node> translateAddressConfig(FlexConfig &config)
{
    Node ranges = config.list("ips");
    if (ranges.items.empty())
        config.refuse("ips", "must list an address");
    for (const Node &item : ranges.items) {
        if (const std::string problem = rangeProblem(item.text); !problem.empty())
            config.refuse("ips", inQuotes(item.text) + " " + problem);
    }
    const std::string text
        = config.text("ipExpression", "#[attributes.headers['x-forwarded-for']]");
    const auto parts = parseExpression(text);
    if (!parts)
        config.refuse("ipExpression", parts.error().context);
    if (config.isRefused())
        return std::nullopt;

    Node node = Node::map();
    node.append("ranges", std::move(ranges));
    const ExpressionPart &part = parts->front();
    if (parts->size() == 1 && part.kind == ExpressionPart::Kind::Address)
        return node;
    if (parts->size() != 1 || part.kind != ExpressionPart::Kind::Header
        || !fieldNameProblem(part.text).empty()) {
        config.refuse("ipExpression",
                      "must be attributes.remoteAddress or one header, such as "
                      "#[attributes.headers['x-forwarded-for']]");
        return std::nullopt;
    }
    config.warn("ipExpression",
                "the first address of the header " + part.text
                    + " counts, as in MuleSoft: any client can choose it, unless only a proxy that "
                      "sets it can reach the gateway");
    Node proxies = Node::list();
    proxies.items.push_back(encodeText(everybody));
    node.append("source", encodeText(std::string(headerSource) + part.text));
    node.append("trustedProxies", std::move(proxies));
    return node;
}

} // namespace gatehouse
