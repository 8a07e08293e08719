// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/text.h"
#include "gateway/config/address.h"
#include "gateway/config/flexwork.h"
#include "gateway/config/url.h"
#include "gateway/schema/encode.h"

#include <algorithm>

namespace gatehouse {

namespace {

constexpr std::string_view insecureLabel = "gatehouse/insecure";
constexpr std::string_view hostsLabel = "gatehouse/hosts";

/// A port, and the ApiInstances that share it.
struct Port
{
    struct Member
    {
        const FlexInstance *instance = nullptr;
        BaseUrl url = {};
    };

    std::vector<Member> members = {};
    std::string host = {}; ///< as written; the first member's
    std::uint16_t number = 0;
    const FlexPolicyUse *tls = nullptr;
};

bool isOpened(const Port &port)
{
    return std::ranges::all_of(port.members, [](const Port::Member &member) {
        return labelOf(member.instance->labels, insecureLabel) == "true";
    });
}

bool hasNoHosts(const Port::Member &member)
{
    return labelOf(member.instance->labels, hostsLabel).empty();
}

std::string listenAddress(const std::string &host, std::uint16_t port)
{
    const bool isIpv6 = host.find(':') != std::string::npos;
    return (isIpv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

/// One port to the next: its address, its TLS and what its ApiInstances have against each other.
class PortTranslator
{
public:
    PortTranslator(FlexWork &work, Port &port)
        : m_work(work)
        , m_port(port)
        , m_first(*port.members.front().instance)
    {}

    void translate()
    {
        checkPaths();
        findTls();
        const std::string name
            = m_work.uniqueName("Listener", "flex-" + std::to_string(m_port.number));
        Node spec = Node::map();
        spec.append("name", textAt(name, m_first.addressPlace));
        std::optional<Node> tls;
        if (m_port.tls != nullptr) {
            tls = translateTls();
            if (!tls)
                return; // and reported: never in the open what was meant to be closed
        }
        appendAddress(spec, tls.has_value());
        if (tls)
            spec.append("tls", std::move(*tls));
        for (const Port::Member &member : m_port.members) {
            m_work.listeners[member.instance] = name;
            addHosts(*member.instance);
        }
        m_work.add({.kind = "Listener",
                    .name = name,
                    .namePlace = m_first.namePlace,
                    .file = m_first.file,
                    .place = m_first.addressPlace,
                    .spec = std::move(spec)});
    }

private:
    void checkPaths()
    {
        for (const Port::Member &a : m_port.members) {
            for (const Port::Member &b : m_port.members) {
                if (&a == &b || !b.url.path.starts_with(a.url.path))
                    continue;
                const std::string both = "the base paths of " + inQuotes(a.instance->name.text())
                                         + " and " + inQuotes(b.instance->name.text()) + " on port "
                                         + std::to_string(m_port.number);
                if (a.url.path == b.url.path) {
                    if (&a < &b)
                        m_work.error(
                            b.instance->file, b.instance->addressPlace, both + " are the same");
                } else if (b.url.path[a.url.path.size()] == '/') {
                    m_work.warning(b.instance->file,
                                   b.instance->addressPlace,
                                   both
                                       + " begin alike, which MuleSoft does not allow; the longer "
                                         "one is tried first");
                }
            }
        }
    }

    void findTls()
    {
        for (const Port::Member &member : m_port.members) {
            for (const FlexUse &use : usesOf(*member.instance, m_work.resources())) {
                if (use.policy->policyRef != "tls")
                    continue;
                if (m_port.tls != nullptr && !m_port.tls->hasConfigOf(*use.policy))
                    m_work.error(use.policy->file,
                                 use.policy->place,
                                 "TLS belongs to the port, and port "
                                     + std::to_string(m_port.number) + " has another TLS policy at "
                                     + m_port.tls->file + ":"
                                     + std::to_string(m_port.tls->place.line));
                m_port.tls = use.policy;
            }
            if (m_port.tls == nullptr && member.url.tls)
                m_work.error(member.instance->file,
                             member.instance->addressPlace,
                             "https needs the policy tls with a certificate on this ApiInstance");
        }
    }

    void appendAddress(Node &spec, bool hasTls)
    {
        const Place place = m_first.addressPlace;
        const std::string written = listenAddress(m_port.host, m_port.number);
        const bool isLocal = isLoopbackHost(m_port.host);
        const std::string local = listenAddress("127.0.0.1", m_port.number);
        if (isLocal || hasTls || isOpened(m_port)) {
            spec.append("address", textAt(written, place));
            checkWidened();
            if (!isLocal && std::ranges::all_of(m_port.members, hasNoHosts))
                m_work.warning(
                    m_first.file,
                    place,
                    "opened to other machines, and answers only to the Host names that a "
                    "Gateway document, the rules and the label gatehouse/hosts list");
            if (!isLocal && !hasTls)
                spec.append("insecure", plainAt("true", place));
            return;
        }
        spec.append("address", textAt(local, place));
        m_work.warning(
            m_first.file,
            place,
            "served on " + local + " and not on " + written
                + ": other machines would reach it without TLS; give it the policy tls, or "
                  "the label gatehouse/insecure: \"true\" to open it");
    }

    /// What asks for one address of a port is not served on all of them because its neighbour is.
    void checkWidened()
    {
        for (const Port::Member &member : m_port.members) {
            if (member.url.host == m_port.host)
                continue;
            const std::string own = listenAddress(member.url.host, m_port.number);
            m_work.error(member.instance->file,
                         member.instance->addressPlace,
                         "would be reached beyond " + own + ": another ApiInstance opens port "
                             + std::to_string(m_port.number) + " on " + m_port.host
                             + "; give this one a port of its own, or " + m_port.host
                             + " as its address too");
        }
    }

    void addHosts(const FlexInstance &instance)
    {
        if (!isLoopbackHost(m_port.host) && m_port.host != "0.0.0.0" && m_port.host != "::")
            m_work.addHost(m_port.host);
        const std::string label = labelOf(instance.labels, hostsLabel);
        for (const std::string_view host : split(label, ',')) {
            if (label.empty())
                break;
            if (normalisedHost(host).empty())
                m_work.error(instance.file,
                             instance.namePlace,
                             "label gatehouse/hosts: " + inQuotes(host) + " is no host name");
            else
                m_work.addHost(std::string(host));
        }
    }

    /// Null, and reported, where the port cannot be opened as its policy says.
    std::optional<Node> translateTls()
    {
        const FlexPolicyUse &use = *m_port.tls;
        Reporter reporter = m_work.reporter(use.file);
        FlexWork::Config expanded = m_work.expanded(use);
        FlexConfig config(expanded.node ? &*expanded.node : nullptr,
                          use.place,
                          reporter,
                          std::move(expanded.origin));
        Node tls = Node::map();
        tls.place = use.place;
        readCertificate(config, tls);
        readVersions(config);
        const bool asksForCertificate = config.boolean("requireClientCertificate", false);
        const std::string authority = config.text("trustedCA");
        if (asksForCertificate && authority.empty())
            config.refuse("requireClientCertificate", "needs trustedCA");
        else if (asksForCertificate)
            tls.append("clientCa", textAt(authority, config.placeOf("trustedCA")));
        config.warnOfUnknown();
        if (!config.isRefused() && expanded.problem.empty())
            return tls;
        m_work.error(use.file,
                     use.place,
                     "port " + std::to_string(m_port.number)
                         + " cannot be opened without its policy tls");
        return std::nullopt;
    }

    static void readCertificate(FlexConfig &config, Node &tls)
    {
        FlexConfig *certificate = config.record("certificate");
        if (certificate == nullptr)
            return config.refuse("certificate", "is missing");
        const std::string crt = certificate->requiredText("crt");
        const std::string key = certificate->requiredText("key");
        tls.append("certificate", textAt(crt, certificate->placeOf("crt")));
        tls.append("key", textAt(key, certificate->placeOf("key")));
    }

    /// Versions and ciphers are those of gateway/net/tls: 1.2 and 1.3 with OpenSSL's ciphers.
    static void readVersions(FlexConfig &config)
    {
        const std::string least = config.text("minversion", "1.2");
        const std::string most = config.text("maxversion", "1.3");
        if (least == "1.3")
            config.refuse("minversion", "clients with TLS 1.2 cannot be turned away here");
        else if (least != "1.2")
            config.warn("minversion", "TLS 1.2 is the oldest version that is spoken here");
        if (most != "1.2" && most != "1.3")
            config.refuse("maxversion", "must be 1.2 or 1.3");
        else if (most == "1.2")
            config.warn("maxversion", "TLS 1.3 is spoken here too");
        const Node ciphers = config.list("ciphers");
        if (!ciphers.items.empty())
            config.warn("ciphers", "the gateway's own list is used instead");
        for (const Node &protocol : config.list("alpn").items) {
            if (protocol.text != "http/1.1")
                config.warn("alpn",
                            inQuotes(protocol.text) + " is not spoken here, only http/1.1 is");
        }
    }

    FlexWork &m_work;
    Port &m_port;
    const FlexInstance &m_first;
};

} // namespace

void translateListeners(FlexWork &work)
{
    std::vector<Port> ports;
    for (const FlexInstance &instance : work.resources().instances) {
        if (instance.address.empty())
            continue; // reported as it was read
        const auto url = parseBaseUrl(instance.address);
        if (!url) {
            work.error(instance.file, instance.addressPlace, "address " + url.error().context);
            continue;
        }
        if (!isLoopbackHost(url->host) && normalisedIp(url->host).empty()) {
            work.error(instance.file,
                       instance.addressPlace,
                       "address must have an IP address or localhost as its host");
            continue;
        }
        auto port = std::ranges::find_if(ports, [&url](const Port &other) {
            return other.number == url->port
                   && (other.host == url->host || other.host == "0.0.0.0"
                       || url->host == "0.0.0.0");
        });
        if (port == ports.end())
            port = ports.insert(ports.end(), {.host = url->host, .number = url->port});
        else if (url->host == "0.0.0.0")
            port->host = url->host;
        port->members.push_back({&instance, *url});
    }
    for (Port &port : ports)
        PortTranslator(work, port).translate();
}

} // namespace gatehouse
