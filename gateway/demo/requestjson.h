// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/result.h"
#include "gateway/demo/simulatedanswer.h"

#include <QJsonArray>
#include <QJsonObject>
#include <QString>

#include <string>
#include <string_view>

namespace gatehouse::demo {

[[nodiscard]] std::string utf8(const QString &text);
[[nodiscard]] QString fromUtf8(std::string_view text);
[[nodiscard]] qint64 jsonCount(std::size_t count);
[[nodiscard]] std::string compactJson(const QJsonObject &object);
[[nodiscard]] Answer jsonAnswer(const QJsonObject &object);

/// 24 hexadecimal digits that depend on \a body alone.
[[nodiscard]] std::string requestHash(std::string_view body);

/// Reads of a request, which say with a 400 what is wrong with it.
[[nodiscard]] Result<QJsonObject, Answer> parseRequest(std::string_view body);
[[nodiscard]] Result<std::string, Answer> modelOf(const QJsonObject &request);
/// False where it is not given.
[[nodiscard]] Result<bool, Answer> flagOf(const QJsonObject &request, std::string_view name);
/// No value where it is not given.
[[nodiscard]] Result<std::optional<std::size_t>, Answer>
countOf(const QJsonObject &request, std::string_view name, std::size_t most);

} // namespace gatehouse::demo
