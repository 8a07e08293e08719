// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/expression.h"

#include "gateway/base/text.h"
#include "gateway/http/form.h"
#include "gateway/pipeline/exchange.h"
#include "gateway/pipeline/expressionparser.h"

#include <algorithm>

namespace gatehouse {

namespace {

using Part = ExpressionPart;

/// A tab means the same as a space between the words of a field value; other controls mean harm.
bool appendVisible(std::string &value, std::string_view text)
{
    for (const char c : text) {
        if (isControl(c) && c != '\t')
            return false;
        value += c == '\t' ? ' ' : c;
    }
    return true;
}

bool appendHeader(std::string &value, const Exchange &exchange, std::string_view name)
{
    bool isThere = false;
    for (const http::Field &field : exchange.request().fields) {
        if (!equalsIgnoreCase(field.name, name))
            continue;
        if (isThere)
            value += ',';
        isThere = true;
        if (!appendVisible(value, field.value))
            return false;
    }
    return isThere;
}

bool appendParameter(std::string &value, const Exchange &exchange, std::string_view name)
{
    std::string_view query = exchange.query();
    if (!query.empty())
        query.remove_prefix(1);
    http::FormReader reader(query, ErrorCode::BadRequest);
    for (auto pair = reader.next(); pair && *pair; pair = reader.next()) {
        if ((*pair)->name == name)
            return appendVisible(value, (*pair)->value);
    }
    return false;
}

bool appendPart(std::string &value, const Exchange &exchange, const Part &part)
{
    switch (part.kind) {
    case Part::Kind::Literal:
        value += part.text;
        return true;
    case Part::Kind::Header:
        return appendHeader(value, exchange, part.text);
    case Part::Kind::Parameter:
        return appendParameter(value, exchange, part.text);
    case Part::Kind::Path:
        return appendVisible(value, exchange.request().path);
    case Part::Kind::Method:
        return appendVisible(value, exchange.method());
    case Part::Kind::Address:
        return appendVisible(value, exchange.peer().address);
    }
    return false;
}

} // namespace

Expression::Expression(std::vector<ExpressionPart> parts)
    : m_parts(std::make_shared<const std::vector<ExpressionPart>>(std::move(parts)))
{}

Result<Expression> Expression::parse(std::string_view text)
{
    auto parts = parseExpression(text);
    if (!parts)
        return Unexpected(std::move(parts).error());
    return Expression(std::move(*parts));
}

std::optional<std::string> Expression::evaluate(const Exchange &exchange) const
{
    std::string value;
    for (const Part &part : *m_parts) {
        if (!appendPart(value, exchange, part))
            return std::nullopt;
    }
    return value;
}

std::optional<std::string_view> Expression::literal() const
{
    if (m_parts->size() != 1 || m_parts->front().kind != Part::Kind::Literal)
        return std::nullopt;
    return m_parts->front().text;
}

std::optional<std::string> Expression::headerName() const
{
    if (m_parts->size() != 1 || m_parts->front().kind != Part::Kind::Header)
        return std::nullopt;
    return m_parts->front().text;
}

} // namespace gatehouse
