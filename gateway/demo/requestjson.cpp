// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/demo/requestjson.h"

#include <QCryptographicHash>
#include <QJsonDocument>

#include <cmath>

namespace gatehouse::demo {

using namespace Qt::StringLiterals;

namespace {

QByteArray view(std::string_view text)
{
    return QByteArray::fromRawData(text.data(), static_cast<qsizetype>(text.size()));
}

QJsonValue textOrNull(std::string_view text)
{
    return text.empty() ? QJsonValue() : QJsonValue(fromUtf8(text));
}

QJsonValue valueOf(const QJsonObject &request, std::string_view name)
{
    return request.value(QLatin1String(name.data(), static_cast<qsizetype>(name.size())));
}

Unexpected<Answer> wrong(std::string_view name, const std::string &what)
{
    return Unexpected(
        errorAnswer(400, '\'' + std::string(name) + "' " + what, name, "invalid_value"));
}

} // namespace

std::string utf8(const QString &text)
{
    return text.toUtf8().toStdString();
}

QString fromUtf8(std::string_view text)
{
    return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
}

qint64 jsonCount(std::size_t count)
{
    return static_cast<qint64>(count);
}

std::string compactJson(const QJsonObject &object)
{
    return QJsonDocument(object).toJson(QJsonDocument::Compact).toStdString();
}

Answer jsonAnswer(const QJsonObject &object)
{
    Answer answer;
    answer.body = compactJson(object);
    return answer;
}

Answer
errorAnswer(int status, std::string_view message, std::string_view param, std::string_view code)
{
    const QLatin1String type = status < 500 ? "invalid_request_error"_L1 : "server_error"_L1;
    Answer answer = jsonAnswer({{"error"_L1,
                                 QJsonObject{{"message"_L1, fromUtf8(message)},
                                             {"type"_L1, type},
                                             {"param"_L1, textOrNull(param)},
                                             {"code"_L1, textOrNull(code)}}}});
    answer.status = status;
    return answer;
}

std::string requestHash(std::string_view body)
{
    return QCryptographicHash::hash(view(body), QCryptographicHash::Sha256)
        .toHex()
        .first(24)
        .toStdString();
}

Result<QJsonObject, Answer> parseRequest(std::string_view body)
{
    QJsonParseError error;
    const QJsonDocument document = QJsonDocument::fromJson(view(body), &error);
    if (error.error != QJsonParseError::NoError)
        return Unexpected(
            errorAnswer(400, "The body is not valid JSON: " + utf8(error.errorString())));
    if (!document.isObject())
        return Unexpected(errorAnswer(400, "The body is not a JSON object"));
    return document.object();
}

Result<std::string, Answer> modelOf(const QJsonObject &request)
{
    const QJsonValue model = valueOf(request, "model");
    if (!model.isString() || model.toString().isEmpty())
        return wrong("model", "must name a model, for example demo-small");
    return utf8(model.toString());
}

Result<bool, Answer> flagOf(const QJsonObject &request, std::string_view name)
{
    const QJsonValue value = valueOf(request, name);
    if (!value.isBool() && !value.isNull() && !value.isUndefined())
        return wrong(name, "must be true or false");
    return value.toBool(false);
}

Result<std::optional<std::size_t>, Answer>
countOf(const QJsonObject &request, std::string_view name, std::size_t most)
{
    const QJsonValue value = valueOf(request, name);
    if (value.isNull() || value.isUndefined())
        return std::optional<std::size_t>();
    const double number = value.toDouble(0);
    if (number < 1 || number > static_cast<double>(most) || number != std::floor(number))
        return wrong(name, "must be a whole number from 1 to " + std::to_string(most));
    return std::optional(static_cast<std::size_t>(number));
}

} // namespace gatehouse::demo
