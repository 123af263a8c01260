// SPDX-License-Identifier: Apache-2.0
// The fields by which processes are selected, for all that select some.
#pragma once

#include <array>

#include "agent/policy/fields.h"
#include "agent/policy/names.h"
#include "agent/policy/patterns.h"
#include "agent/policy/selector.h"

namespace pagewarden {

inline constexpr std::array<Field<NamespaceSelector>, 1> kNamespaceSelectorFields = {
    Required<&NamespaceSelector::match_names, kListOf<kPattern>>(
        "matchNames",
        "of Kubernetes namespaces, patterns. Known from `/var/log/pods`, where the "
        "kubelet keeps a directory `NAMESPACE_NAME_UID` for each pod"),
};

inline constexpr std::array<Field<PodSelector>, 1> kPodSelectorFields = {
    Required<&PodSelector::match_labels, kLabels>(
        "matchLabels",
        "each of these. Known only of pods that mount their labels by a "
        "`downwardAPI` volume with a file `labels`: no other file on a host has them"),
};

template <typename V, const Value<V>& kValue>
void ReadMaybe(const YamlNode& node, std::optional<V>& value, Diagnostics& diagnostics) {
  kValue.read(node, value.emplace(), diagnostics);
}

// A value that may be left out, where its absence is not one of its values.
template <typename V, const Value<V>& kValue>
inline constexpr Value<std::optional<V>> kMaybe = {ReadMaybe<V, kValue>, Describe<kValue>};

// T: ProcessSelector, or derived from it.
template <typename T>
inline constexpr std::array<Field<T>, 6> kSelectorFields = {
    Optional<&T::match_binaries, kListOf<kBinaryPath>, T>(
        "matchBinaries", Absent("every executable"),
        "compared with `/proc/PID/exe`; links, such as those of update-alternatives, are followed"),
    Optional<&T::match_units, kListOf<kUnitPattern>, T>(
        "matchUnits", Absent("every unit"),
        "systemd's services and scopes, of which one must be on the process's cgroup path")
        .Example("[nginx.service, 'php*-fpm.service']"),
    Optional<&T::match_slices, kListOf<kSlicePattern>, T>(
        "matchSlices", Absent("every slice"),
        "of which one must be on the process's cgroup path, however far up")
        .Example("[edge.slice]"),
    Optional<&T::match_cgroups, kListOf<kCgroupPattern>, T>(
        "matchCgroups", Absent("every cgroup"),
        "its cgroup, or one above it, as `/proc/PID/cgroup` shows the path")
        .Example("[/system.slice/nginx.service, '/kubepods*']"),
    Optional<&T::namespaces,
             kMaybe<NamespaceSelector, kObject<NamespaceSelector, kNamespaceSelectorFields>>, T>(
        "namespaceSelector", Absent("every process, in a pod or not"),
        "processes in pods of these namespaces"),
    Optional<&T::pods, kMaybe<PodSelector, kObject<PodSelector, kPodSelectorFields>>, T>(
        "podSelector", Absent("every process, in a pod or not"),
        "processes in pods with these labels"),
};

inline constexpr std::array<Field<Exception>, 2> kExceptionOwnFields = {
    Required<&Exception::reason, kReason>("reason", "why; `policy explain` shows it"),
    Required<&Exception::expires, kDay>(
        "expires", "the last day (UTC) on which it holds. `policy lint` warns once it has passed")
        .Example("'2027-01-31'"),
};
inline constexpr std::array<Field<Exception>, 8> kExceptionFields =
    Join(kSelectorFields<Exception>, kExceptionOwnFields);

// Reports an exception that would leave out everything.
void ReadException(const YamlNode& node, Exception& exception, Diagnostics& diagnostics);
ValueType DescribeException();
inline constexpr Value<Exception> kException = {ReadException, DescribeException};

}  // namespace pagewarden
