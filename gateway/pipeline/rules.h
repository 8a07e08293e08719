// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"
#include "gateway/http/head.h"
#include "gateway/match/pattern.h"
#include "gateway/schema/field.h"

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gatehouse {

/// One entry of `rules`, as in MuleSoft's documents: what is set must all match.
struct RuleSpec
{
    std::string path; ///< regular expression on the whole percent-decoded path below the base path
    std::string methods; ///< "GET|POST"
    std::string host;    ///< regular expression on the whole host, any case, without port
    std::map<std::string, std::string> headers; ///< name → regular expression on a whole value

    bool operator==(const RuleSpec &) const = default;
    static std::span<const Field> fields();
};

/// What servers may take a request for beside what it says; mostly nothing.
struct OtherReadings
{
    std::vector<std::string> paths = {};
    std::vector<std::string> methods = {};
};

/// `rules`, compiled: any of them has to match; none at all matches everything. Any thread.
class Rules
{
public:
    /// ConfigInvalid: which rule and field, and what is wrong with it.
    [[nodiscard]] static Result<Rules> compile(std::span<const RuleSpec> specs);

    [[nodiscard]] bool isEmpty() const { return m_rules.empty(); }
    /// A rule looks at the request's method.
    [[nodiscard]] bool namesMethods() const;
    /// A rule looks at the request's path.
    [[nodiscard]] bool namesPaths() const;
    /// \a path: percent-decoded, below the base path. One of \a others that matches is enough.
    [[nodiscard]] bool matches(const http::RequestHead &request,
                               std::string_view path,
                               const OtherReadings &others = {}) const;
    /// The path that goes to the provider: the captures of the first rule that matches in a row, or
    /// \a path where that rule has none; null where no rule matches. See Pattern::rewritten.
    [[nodiscard]] std::optional<std::string> rewritten(const http::RequestHead &request,
                                                       std::string_view path) const;

private:
    struct Rule
    {
        std::optional<Pattern> path;
        std::vector<std::string> methods;
        std::optional<Pattern> host;
        std::vector<std::pair<std::string, Pattern>> headers;

        [[nodiscard]] bool matches(const http::RequestHead &request,
                                   std::string_view path,
                                   const OtherReadings &others) const;
    };

    std::vector<Rule> m_rules;
};

} // namespace gatehouse
