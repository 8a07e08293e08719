// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/base/fraction.h"
#include "gateway/base/money.h"
#include "gateway/base/units.h"
#include "gateway/schema/document.h"

#include <chrono>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

namespace gatehouse {

enum class Unit : std::uint8_t { None, Milliseconds, Bytes, Connections, Threads, Percent };

enum class FieldKind : std::uint8_t {
    Boolean,
    Integer,
    Duration,
    Size,
    Fraction, ///< its bounds are in millionths
    Money,    ///< its bounds are in 10^-6 USD; of an optional one nothing is a value too
    String,
    Choice, ///< a text that is one of FieldInfo::choices
    SecretReference,
    StringList,
    StringMap,
    Record,
    RecordList,
    RecordMap,
    Document, ///< a map that somebody else decodes
};

/// Where a secret lies, never the secret: `env:NAME`, `none`.
struct SecretText
{
    std::string text = "none";

    bool operator==(const SecretText &) const = default;
};

/// What the form, the documentation and the JSON Schema say of a field.
struct FieldInfo
{
    std::string_view key;
    std::string_view label;
    std::string_view help;
    Unit unit = Unit::None;
    /// Of a number in its unit; the bytes of a text; the entries of a list or map.
    std::int64_t min = 0;
    std::int64_t max = std::numeric_limits<std::int64_t>::max();
    bool required = false;
    bool secret = false;    ///< its text is never shown
    bool multiline = false; ///< its text may have line feeds and tabs
    std::span<const std::string_view> (*choices)() = nullptr;
    /// What is wrong with a text (each text of a list): "must …", empty where nothing is. Must not
    /// quote the text of a secret.
    std::string (*problem)(std::string_view text) = nullptr;
};

struct RecordType;

/// A record within another.
struct RecordRef
{
    void *record = nullptr;
    const RecordType *type = nullptr;
};

/// A std::vector of records.
struct RecordListRef
{
    void *list = nullptr;
    std::size_t (*size)(const void *list) = nullptr;
    void *(*at)(void *list, std::size_t index) = nullptr;
    void (*resize)(void *list, std::size_t size) = nullptr;
    const RecordType *type = nullptr;
};

/// A std::map of records by names that the user chooses.
struct RecordMapRef
{
    void *map = nullptr;
    std::size_t (*size)(const void *map) = nullptr;
    const std::string &(*keyAt)(const void *map, std::size_t index) = nullptr;
    void *(*at)(void *map, std::size_t index) = nullptr;
    void *(*add)(void *map, const std::string &key)
        = nullptr; ///< a record as its initialisers make it
    void (*clear)(void *map) = nullptr;
    const RecordType *type = nullptr;
};

/// The member of one record that a field stands for.
using Slot = std::variant<bool *,
                          std::int64_t *,
                          std::chrono::milliseconds *,
                          ByteSize *,
                          Fraction *,
                          Money *,
                          std::optional<Money> *,
                          std::string *,
                          SecretText *,
                          std::vector<std::string> *,
                          std::map<std::string, std::string> *,
                          RecordRef,
                          RecordListRef,
                          RecordMapRef,
                          Node *>;

struct Field
{
    FieldInfo info;
    FieldKind kind = FieldKind::String;
    Slot (*slot)(void *record) = nullptr;
    const RecordType &(*nested)() = nullptr; ///< of records, lists and maps of them
};

/// A record without its C++ type; see recordType.
struct RecordType
{
    std::span<const Field> (*fields)() = nullptr;
    const void *defaults = nullptr; ///< a record as its own initialisers make it
};

/// A plain struct that declares its fields once.
template<typename T>
concept Record
    = std::is_aggregate_v<T> && std::is_default_constructible_v<T> && requires(const T &a,
                                                                               const T &b)
{
    a == b;
} && std::is_convertible_v<decltype(T::fields()), std::span<const Field>>;

template<Record T>
const RecordType &recordType()
{
    static const T defaults{};
    static const RecordType type{&T::fields, &defaults};
    return type;
}

namespace detail {

template<typename>
struct MemberPointer;
template<typename C, typename T>
struct MemberPointer<T C::*>
{
    using Class = C;
    using Type = T;
};

template<typename>
struct ListItem;
template<typename T>
struct ListItem<std::vector<T>>
{
    using Type = T;
};

template<typename>
struct MapItem
{
    using Type = void;
};
template<typename T>
struct MapItem<std::map<std::string, T>>
{
    using Type = T;
};

template<typename T>
consteval FieldKind kindOf()
{
    if constexpr (std::is_same_v<T, bool>)
        return FieldKind::Boolean;
    else if constexpr (std::is_same_v<T, std::int64_t>)
        return FieldKind::Integer;
    else if constexpr (std::is_same_v<T, std::chrono::milliseconds>)
        return FieldKind::Duration;
    else if constexpr (std::is_same_v<T, ByteSize>)
        return FieldKind::Size;
    else if constexpr (std::is_same_v<T, Fraction>)
        return FieldKind::Fraction;
    else if constexpr (std::is_same_v<T, Money> || std::is_same_v<T, std::optional<Money>>)
        return FieldKind::Money;
    else if constexpr (std::is_same_v<T, std::string>)
        return FieldKind::String;
    else if constexpr (std::is_same_v<T, SecretText>)
        return FieldKind::SecretReference;
    else if constexpr (std::is_same_v<T, std::vector<std::string>>)
        return FieldKind::StringList;
    else if constexpr (std::is_same_v<T, std::map<std::string, std::string>>)
        return FieldKind::StringMap;
    else if constexpr (std::is_same_v<T, Node>)
        return FieldKind::Document;
    else if constexpr (!std::is_void_v<typename MapItem<T>::Type>)
        return FieldKind::RecordMap;
    else if constexpr (std::is_aggregate_v<T>)
        return FieldKind::Record;
    else
        return FieldKind::RecordList;
}

/// \a C, the member's class, is named for the linker: GCC 12 takes a function for one and the same in all
/// files where only a member pointer tells that its class is of an unnamed namespace, and every policy
/// has a Config there.
template<class C, auto Member>
Slot slotOf(void *record)
{
    using Type = typename MemberPointer<decltype(Member)>::Type;
    auto &member = static_cast<C *>(record)->*Member;
    if constexpr (kindOf<Type>() == FieldKind::Record) {
        return RecordRef{&member, &recordType<Type>()};
    } else if constexpr (kindOf<Type>() == FieldKind::RecordList) {
        return RecordListRef{
            &member,
            [](const void *list) { return static_cast<const Type *>(list)->size(); },
            [](void *list, std::size_t index) -> void * {
                return &static_cast<Type *>(list)->at(index);
            },
            [](void *list, std::size_t size) { static_cast<Type *>(list)->resize(size); },
            &recordType<typename ListItem<Type>::Type>()};
    } else if constexpr (kindOf<Type>() == FieldKind::RecordMap) {
        return RecordMapRef{&member,
                            [](const void *map) { return static_cast<const Type *>(map)->size(); },
                            [](const void *map, std::size_t index) -> const std::string & {
                                return std::next(static_cast<const Type *>(map)->begin(),
                                                 static_cast<std::ptrdiff_t>(index))
                                    ->first;
                            },
                            [](void *map, std::size_t index) -> void * {
                                return &std::next(static_cast<Type *>(map)->begin(),
                                                  static_cast<std::ptrdiff_t>(index))
                                            ->second;
                            },
                            [](void *map, const std::string &key) -> void * {
                                return &(*static_cast<Type *>(map))[key];
                            },
                            [](void *map) { static_cast<Type *>(map)->clear(); },
                            &recordType<typename MapItem<Type>::Type>()};
    } else {
        return &member;
    }
}

/// constexpr, not consteval: Clang 14 takes no parameter of a consteval function for a constant in another.
template<auto Member>
constexpr Field rowOf(const FieldInfo &info)
{
    using Pointer = MemberPointer<decltype(Member)>;
    using Type = typename Pointer::Type;
    constexpr FieldKind kind = kindOf<Type>();
    Field row{info, kind, &slotOf<typename Pointer::Class, Member>, nullptr};
    if constexpr (kind == FieldKind::Record)
        row.nested = &recordType<Type>;
    else if constexpr (kind == FieldKind::RecordList)
        row.nested = &recordType<typename ListItem<Type>::Type>;
    else if constexpr (kind == FieldKind::RecordMap)
        row.nested = &recordType<typename MapItem<Type>::Type>;
    return row;
}

} // namespace detail

/// A row of a table: `field<&ClientSpec::tier>({.key = "tier", …})`.
template<auto Member>
consteval Field field(FieldInfo info)
{
    return detail::rowOf<Member>(info);
}

/// What FieldInfo::choices takes.
template<const auto &Words>
std::span<const std::string_view> choicesOf()
{
    return Words;
}

/// A row of a text that is one of FieldInfo::choices.
template<auto Member>
consteval Field choice(FieldInfo info)
{
    Field row = detail::rowOf<Member>(info);
    row.kind = FieldKind::Choice;
    return row;
}

} // namespace gatehouse
