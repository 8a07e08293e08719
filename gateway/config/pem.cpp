// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/config/pem.h"

#include "gateway/base/file.h"
#include "gateway/base/text.h"
#include "gateway/secrets/openssl.h"

#include <openssl/err.h>

#include <algorithm>

namespace gatehouse {

namespace {

constexpr std::size_t largestPem = std::size_t{1024} * 1024;

/// PEM may stand in the configuration itself, after comments too. A text of several lines is no path
/// either, and a key in it with a misspelt first line must not be named in a message.
bool isInline(std::string_view pemOrPath)
{
    return pemOrPath.find("-----BEGIN ") != std::string_view::npos
           || std::ranges::any_of(pemOrPath, isControl);
}

/// What to call it in messages.
std::string nameOf(std::string_view pemOrPath, const std::filesystem::path &directory)
{
    return isInline(pemOrPath) ? "this text" : (directory / pemOrPath).string();
}

Unexpected<Error> refusal(const std::string &name, const std::string &why)
{
    ERR_clear_error(); // what was said of this file must not be found by the next TLS call
    return Unexpected(Error{ErrorCode::ConfigInvalid, name + " " + why});
}

Result<std::string> readPem(std::string_view pemOrPath, const std::filesystem::path &directory)
{
    if (isInline(pemOrPath))
        return std::string(pemOrPath);
    auto pem = readFile(directory / pemOrPath, largestPem);
    if (!pem)
        return Unexpected(Error{ErrorCode::ConfigInvalid, pem.error().context});
    return pem;
}

} // namespace

Result<std::string> readCertificates(std::string_view pemOrPath,
                                     const std::filesystem::path &directory)
{
    auto pem = readPem(pemOrPath, directory);
    if (!pem)
        return pem;
    const std::string name = nameOf(pemOrPath, directory);
    const auto bio = openssl::bioOver(*pem);
    int count = 0;
    while (openssl::nextCertificate(bio.get()))
        ++count;
    // The end of the file is an error like others, but with this reason.
    const bool isAtEnd = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    if (count == 0)
        return refusal(name, "holds no PEM certificate that can be read");
    if (!isAtEnd)
        return refusal(name,
                       "cannot be read after its certificate " + std::to_string(count)
                           + ": not PEM or not a certificate");
    ERR_clear_error();
    return pem;
}

Result<std::string> readPrivateKey(std::string_view pemOrPath,
                                   const std::filesystem::path &directory,
                                   std::string_view certificatePem)
{
    auto pem = readPem(pemOrPath, directory);
    if (!pem)
        return pem;
    const std::string name = nameOf(pemOrPath, directory);
    const auto key = openssl::readPrivateKey(openssl::bioOver(*pem).get());
    if (!key)
        return refusal(name, "holds no private key without a password in PEM");
    const auto certificate = openssl::nextCertificate(openssl::bioOver(certificatePem).get());
    if (!certificate || X509_check_private_key(certificate.get(), key.get()) != 1)
        return refusal(name, "is not the key of the certificate");
    return pem;
}

} // namespace gatehouse
