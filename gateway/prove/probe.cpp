// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/prove/probe.h"

#include <algorithm>
#include <string_view>

#include <zlib.h>
#include <zstd.h>

namespace gatehouse {

namespace {

constexpr std::size_t longestShown = 200;

/// The field that carries \a key, or an empty name.
std::pair<std::string, std::string> carrierField(KeyPlace carrier, const std::string &key)
{
    switch (carrier) {
    case KeyPlace::Bearer:
        return {"Authorization", "Bearer " + key};
    case KeyPlace::XApiKey:
        return {"x-api-key", key};
    case KeyPlace::XGoogApiKey:
        return {"x-goog-api-key", key};
    case KeyPlace::ApiKey:
        return {"api-key", key};
    case KeyPlace::Query:
    case KeyPlace::None:
        break;
    }
    return {};
}

std::string targetOf(const Probe &probe, const std::string &basePath, const std::string &key)
{
    std::string target = basePath + probe.path;
    if (target.empty())
        target = "/";
    std::string query = probe.query;
    if (probe.carrier == KeyPlace::Query && !key.empty())
        query += (query.empty() ? "key=" : "&key=") + key;
    return query.empty() ? target : target + "?" + query;
}

std::vector<std::pair<std::string, std::string>> fieldsOf(const Probe &probe,
                                                          const std::string &key)
{
    std::vector<std::pair<std::string, std::string>> fields;
    if (auto field = carrierField(probe.carrier, key); !key.empty() && !field.first.empty())
        fields.push_back(std::move(field));
    fields.insert(fields.end(), probe.headers.begin(), probe.headers.end());
    if (probe.isUpgrade) {
        fields.emplace_back("Connection", "Upgrade");
        fields.emplace_back("Upgrade", "websocket");
        fields.emplace_back("Sec-WebSocket-Version", "13");
        fields.emplace_back("Sec-WebSocket-Key", "Z2F0ZWhvdXNlLXByb3ZlIQ==");
    }
    const bool hasType = std::ranges::any_of(
        fields, [](const auto &field) { return field.first == "Content-Type"; });
    if (!probe.body.empty() && !hasType)
        fields.emplace_back("Content-Type", "application/json");
    return fields;
}

/// RFC 7932, section 9.2: meta-blocks that are not compressed, and an empty one that ends them.
std::string storedBrotli(const std::string &bytes)
{
    constexpr std::size_t mostInBlock = 65'536;
    constexpr unsigned isUncompressed = 1U << 16; // behind the 16 bits of its length
    std::string out;
    for (std::size_t from = 0; from < bytes.size(); from += mostInBlock) {
        const std::string block = bytes.substr(from, mostInBlock);
        const auto length = static_cast<unsigned>(block.size() - 1);
        // The first one stands behind the bit for the window's size.
        const unsigned head = (length | isUncompressed) << (from == 0 ? 4U : 3U);
        for (unsigned shift = 0; shift < 24; shift += 8)
            out += static_cast<char>((head >> shift) & 0xFFU);
        out += block;
    }
    return out + '\x03';
}

} // namespace

std::string headOf(const Probe &probe, const std::string &basePath)
{
    std::string head = probe.method + " " + targetOf(probe, basePath, probe.key)
                       + " HTTP/1.1\r\nHost: 127.0.0.1\r\n";
    for (const auto &[name, value] : fieldsOf(probe, probe.key))
        head += name + ": " + value + "\r\n";
    if (probe.isChunked)
        head += "Transfer-Encoding: chunked\r\n";
    else if (!probe.body.empty() || probe.announcedLength)
        head += "Content-Length: "
                + std::to_string(probe.announcedLength.value_or(probe.body.size())) + "\r\n";
    return head + "\r\n";
}

std::string curlOf(const Probe &probe, const std::string &basePath)
{
    const std::string key = probe.key.empty() ? std::string() : std::string("$KEY");
    const auto quoted = [](std::string text) {
        for (std::size_t at = 0; (at = text.find('\'', at)) != std::string::npos; at += 4)
            text.replace(at, 1, "'\\''");
        // Shells put nothing in the place of $KEY between single quotes.
        constexpr std::string_view name = "$KEY";
        if (const std::size_t at = text.find(name); at != std::string::npos)
            text.replace(at, name.size(), "'\"$KEY\"'");
        return "'" + text + "'";
    };
    std::string line
        = "curl -X " + probe.method + " \"$GATEHOUSE\"" + quoted(targetOf(probe, basePath, key));
    for (const auto &[name, value] : fieldsOf(probe, key))
        line += " -H " + quoted(name + ": " + value);
    if (probe.isChunked)
        line += " -H 'Transfer-Encoding: chunked'";
    const bool isText
        = std::ranges::all_of(probe.body, [](char c) { return c >= ' ' && c <= '~'; });
    if (!probe.body.empty() && isText && probe.body.size() <= longestShown)
        line += " -d " + quoted(probe.body);
    else if (!probe.body.empty())
        line += " --data-binary @body";
    return line;
}

std::string encoded(const std::string &bytes, std::string_view coding)
{
    if (coding == "br")
        return storedBrotli(bytes);
    if (coding == "zstd") {
        std::string out(ZSTD_compressBound(bytes.size()), '\0');
        out.resize(ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), 1));
        return out;
    }
    z_stream stream{};
    constexpr int gzipWrapper = 16;
    constexpr int memoryLevel = 8;
    if (deflateInit2(&stream,
                     Z_BEST_SPEED,
                     Z_DEFLATED,
                     coding == "gzip" ? MAX_WBITS + gzipWrapper : MAX_WBITS,
                     memoryLevel,
                     Z_DEFAULT_STRATEGY)
        != Z_OK)
        return {};
    std::string out(deflateBound(&stream, bytes.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef *>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    deflate(&stream, Z_FINISH);
    out.resize(out.size() - stream.avail_out);
    deflateEnd(&stream);
    return out;
}

} // namespace gatehouse
