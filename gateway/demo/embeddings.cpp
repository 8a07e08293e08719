// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/demo/completion.h"
#include "gateway/demo/endpoints.h"
#include "gateway/demo/tokencount.h"

#include <QCryptographicHash>
#include <QJsonDocument>
#include <QtEndian>

#include <cmath>
#include <utility>

namespace gatehouse::demo {

using namespace Qt::StringLiterals;

namespace {

constexpr std::size_t defaultDimensions = 32;
constexpr std::size_t mostDimensions = 3072;
constexpr qsizetype mostInputs = 2048;

/// Steele, Lea and Flood's SplitMix64, for the same numbers on every platform.
std::uint64_t nextRandom(std::uint64_t &state)
{
    state += 0x9e3779b97f4a7c15;
    std::uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

/// Of length 1, as OpenAI's are.
std::vector<float> vectorOf(const QByteArray &text, std::size_t dimensions)
{
    const QByteArray hash = QCryptographicHash::hash(text, QCryptographicHash::Sha256);
    auto state = qFromLittleEndian<std::uint64_t>(hash.constData());
    std::vector<double> values(dimensions);
    double squares = 0;
    for (double &value : values) {
        value = static_cast<double>(nextRandom(state) >> 11) * 0x1p-52 - 1;
        squares += value * value;
    }
    std::vector<float> vector;
    vector.reserve(dimensions);
    for (const double value : values)
        vector.push_back(static_cast<float>(value / std::sqrt(squares)));
    return vector;
}

QJsonValue asBase64(const std::vector<float> &vector)
{
    QByteArray bytes(static_cast<qsizetype>(vector.size() * sizeof(float)), Qt::Uninitialized);
    qToLittleEndian<float>(vector.data(), static_cast<qsizetype>(vector.size()), bytes.data());
    return QString::fromLatin1(bytes.toBase64());
}

QJsonValue asFloats(const std::vector<float> &vector)
{
    QJsonArray array;
    for (const float value : vector)
        array.append(static_cast<double>(value));
    return array;
}

/// One text or one array of token numbers.
struct Input
{
    QByteArray bytes;
    std::size_t tokens = 0;
};

Input inputOf(const QJsonValue &value)
{
    if (value.isString()) {
        const QByteArray text = value.toString().toUtf8();
        return {text, countTokens({text.constData(), static_cast<std::size_t>(text.size())})};
    }
    const QJsonArray numbers = value.toArray();
    return {QJsonDocument(numbers).toJson(QJsonDocument::Compact),
            static_cast<std::size_t>(numbers.size())};
}

/// The inputs, or an empty list where they are not what OpenAI takes.
std::vector<Input> inputsOf(const QJsonValue &input)
{
    QJsonArray values{input};
    if (const QJsonArray array = input.toArray(); !array.isEmpty() && !array[0].isDouble())
        values = array;
    std::vector<Input> inputs;
    for (const auto &value : std::as_const(values)) {
        inputs.push_back(inputOf(value));
        if (inputs.back().tokens == 0)
            return {};
    }
    return values.size() > mostInputs ? std::vector<Input>() : inputs;
}

} // namespace

Answer embeddingsAnswer(std::string_view body)
{
    auto request = parseRequest(body);
    if (!request)
        return std::move(request).error();
    auto model = modelOf(*request);
    if (!model)
        return std::move(model).error();
    auto dimensions = countOf(*request, "dimensions", mostDimensions);
    if (!dimensions)
        return std::move(dimensions).error();
    const QString encoding = request->value("encoding_format"_L1).toString(u"float"_s);
    if (encoding != "float"_L1 && encoding != "base64"_L1)
        return errorAnswer(
            400, "'encoding_format' must be float or base64", "encoding_format", "invalid_value");
    const std::vector<Input> inputs = inputsOf(request->value("input"_L1));
    if (inputs.empty())
        return errorAnswer(400,
                           "'input' must be text, tokens, or an array of either, none of it empty",
                           "input",
                           "invalid_value");
    QJsonArray data;
    std::size_t tokens = 0;
    for (const Input &input : inputs) {
        tokens += input.tokens;
        const auto vector = vectorOf(input.bytes, dimensions->value_or(defaultDimensions));
        data.append(QJsonObject{
            {"object"_L1, "embedding"_L1},
            {"index"_L1, data.size()},
            {"embedding"_L1, encoding == "base64"_L1 ? asBase64(vector) : asFloats(vector)}});
    }
    Answer answer = jsonAnswer({{"object"_L1, "list"_L1},
                                {"data"_L1, data},
                                {"model"_L1, fromUtf8(*model)},
                                {"system_fingerprint"_L1, fromUtf8(fingerprint)},
                                {"usage"_L1,
                                 QJsonObject{{"prompt_tokens"_L1, jsonCount(tokens)},
                                             {"total_tokens"_L1, jsonCount(tokens)}}}});
    answer.tokens = 0;
    return answer;
}

} // namespace gatehouse::demo
