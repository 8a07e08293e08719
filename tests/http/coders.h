// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QtGlobal>

#include <brotli/encode.h>

#include <cstdint>
#include <string>

#include <zlib.h>
#include <zstd.h>

namespace gatehouse::http {

/// \a text \a times over; in one piece it would have to be in memory.
std::string
zlibEncoded(const std::string &text, int times, int windowBits, bool hasDictionary = false)
{
    z_stream stream = {};
    if (deflateInit2(&stream, 9, Z_DEFLATED, windowBits, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        qFatal("deflateInit2");
    auto *input = reinterpret_cast<Bytef *>(const_cast<char *>(text.data()));
    const auto size = static_cast<uInt>(text.size());
    if (hasDictionary)
        deflateSetDictionary(&stream, input, size);
    std::string coded(deflateBound(&stream, text.size()) + 2'000'000, '\0');
    stream.next_out = reinterpret_cast<Bytef *>(coded.data());
    stream.avail_out = static_cast<uInt>(coded.size());
    for (int i = 0; i < times; ++i) {
        stream.next_in = input;
        stream.avail_in = size;
        deflate(&stream, Z_NO_FLUSH);
    }
    if (deflate(&stream, Z_FINISH) != Z_STREAM_END)
        qFatal("deflate");
    coded.resize(stream.total_out);
    deflateEnd(&stream);
    return coded;
}

inline std::string gzipped(const std::string &text, int times = 1)
{
    return zlibEncoded(text, times, MAX_WBITS + 16);
}

inline std::string deflated(const std::string &text, int times = 1)
{
    return zlibEncoded(text, times, MAX_WBITS);
}

inline std::string brotlied(const std::string &text, int times = 1)
{
    BrotliEncoderState *state = BrotliEncoderCreateInstance(nullptr, nullptr, nullptr);
    BrotliEncoderSetParameter(state, BROTLI_PARAM_QUALITY, 5);
    std::string coded(BrotliEncoderMaxCompressedSize(text.size()) + 2'000'000, '\0');
    auto *target = reinterpret_cast<std::uint8_t *>(coded.data());
    std::size_t room = coded.size();
    for (int i = 0; i <= times; ++i) {
        const auto *input = reinterpret_cast<const std::uint8_t *>(text.data());
        std::size_t size = i < times ? text.size() : 0;
        const auto operation = i < times ? BROTLI_OPERATION_PROCESS : BROTLI_OPERATION_FINISH;
        if (BrotliEncoderCompressStream(state, operation, &size, &input, &room, &target, nullptr)
                != BROTLI_TRUE
            || size > 0)
            qFatal("BrotliEncoderCompressStream");
    }
    if (BrotliEncoderIsFinished(state) != BROTLI_TRUE)
        qFatal("no room for brotli");
    BrotliEncoderDestroyInstance(state);
    coded.resize(coded.size() - room);
    return coded;
}

inline std::string zstdEncoded(const std::string &text, int times, int windowLog)
{
    ZSTD_CCtx *context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, windowLog);
    std::string coded(ZSTD_compressBound(text.size()) + 2'000'000, '\0');
    ZSTD_outBuffer out{coded.data(), coded.size(), 0};
    for (int i = 0; i < times; ++i) {
        ZSTD_inBuffer in{text.data(), text.size(), 0};
        if (ZSTD_compressStream2(context, &out, &in, ZSTD_e_flush) != 0)
            qFatal("ZSTD_compressStream2");
    }
    ZSTD_inBuffer none{nullptr, 0, 0};
    if (ZSTD_compressStream2(context, &out, &none, ZSTD_e_end) != 0)
        qFatal("ZSTD_compressStream2");
    coded.resize(out.pos);
    ZSTD_freeCCtx(context);
    return coded;
}

inline std::string zstded(const std::string &text, int times = 1)
{
    return zstdEncoded(text, times, 17);
}

struct Coder
{
    const char *name;
    std::string (*encode)(const std::string &, int times);
    bool hasChecksum;
};

inline constexpr Coder coders[] = {{"gzip", gzipped, true},
                                   {"deflate", deflated, true},
                                   {"br", brotlied, false},
                                   {"zstd", zstded, true}};

} // namespace gatehouse::http
