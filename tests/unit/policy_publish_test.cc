// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/files.h"
#include "agent/policy/image.h"
#include "agent/policy/publish.h"
#include "agent/policy/scope_library.h"
#include "agent/run/environment.h"
#include "tests/unit/policy_test_util.h"

namespace pagewarden {
namespace {

using ::testing::Contains;

constexpr char kShim[] = "/usr/lib/libpagewarden.so";

std::vector<AllocationPolicy> OnePolicy(const std::string& name,
                                        const std::string& match = "during: [load_key]") {
  return LoadValid("apiVersion: pagewarden/v1alpha1\nkind: AllocationPolicy\nmetadata: {name: " +
                   name + "}\nspec: {rules: [{match: {" + match + "}}]}\n")
      .policies;
}

mode_t ModeOf(const std::string& path) {
  struct stat info;
  return lstat(path.c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
}

absl::StatusOr<PublishedPolicy> Publish(const std::string& runtime, const std::string& name) {
  const absl::StatusOr<OwnedDirectory> directory = OwnedDirectory::Open(runtime);
  if (!directory.ok()) return directory.status();
  return PublishPolicies(OnePolicy(name), kShim, *directory);
}

TEST(PublishPolicies, WritesBothFilesForAllToRead) {
  const TempDirectory temp;
  const mode_t umask_before = umask(077);
  const absl::StatusOr<PublishedPolicy> published = Publish(temp.path() + "/run", "a");
  umask(umask_before);
  ASSERT_TRUE(published.ok()) << published.status();
  EXPECT_EQ(ReadFile(published->image_path), *CompilePolicyImage(OnePolicy("a")));
  EXPECT_EQ(ReadFile(published->scopes_path), *BuildScopeLibrary({"load_key", "dlsym", "dlvsym"}, kShim));
  EXPECT_EQ(ModeOf(published->image_path), 0644u);
  EXPECT_EQ(ModeOf(published->scopes_path), 0644u);
  EXPECT_EQ(ModeOf(temp.path() + "/run"), 0755u);
  const std::string directory = std::filesystem::path(published->image_path).parent_path();
  EXPECT_EQ(ModeOf(directory), 0755u);
  // Nothing temporary is left.
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory), {}), 2);
  EXPECT_TRUE(ReadTrustedFile(published->image_path, 1 << 20).ok());
}

TEST(PublishPolicies, WritesNoScopeLibraryWithoutAFunctionToInterpose) {
  const TempDirectory temp;
  const absl::StatusOr<OwnedDirectory> directory = OwnedDirectory::Open(temp.path());
  ASSERT_TRUE(directory.ok());
  const std::vector<AllocationPolicy> policies = OnePolicy("everything", "all: true");
  const absl::StatusOr<PublishedPolicy> published = PublishPolicies(policies, kShim, *directory);
  ASSERT_TRUE(published.ok()) << published.status();
  EXPECT_EQ(ValidatePolicyImage(ReadFile(published->image_path)), absl::OkStatus());
  EXPECT_EQ(published->scopes_path, "");
  const auto stored = std::filesystem::path(published->image_path).parent_path();
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(stored), {}), 1);
  EXPECT_THAT(ShimEnvironment({"LD_PRELOAD=/lib/other.so"}, *published, kShim, {}),
              Contains("LD_PRELOAD=/usr/lib/libpagewarden.so:/lib/other.so"));
}

TEST(PublishPolicies, AddressesByContent) {
  const TempDirectory temp;
  const absl::StatusOr<PublishedPolicy> first = Publish(temp.path(), "a");
  const absl::StatusOr<PublishedPolicy> again = Publish(temp.path(), "a");
  const absl::StatusOr<PublishedPolicy> other = Publish(temp.path(), "b");
  ASSERT_TRUE(first.ok() && again.ok() && other.ok());
  EXPECT_EQ(first->image_path, again->image_path);
  EXPECT_NE(first->image_path, other->image_path);
}

TEST(PublishPolicies, ReplacesDamagedFilesAndPlantedLinks) {
  const TempDirectory temp;
  const absl::StatusOr<PublishedPolicy> first = Publish(temp.path(), "a");
  ASSERT_TRUE(first.ok());
  const std::string victim = temp.Write("victim", "untouched");
  std::filesystem::remove(first->image_path);
  std::filesystem::create_symlink(victim, first->image_path);
  const absl::StatusOr<PublishedPolicy> again = Publish(temp.path(), "a");
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(ReadFile(victim), "untouched");
  EXPECT_FALSE(std::filesystem::is_symlink(again->image_path));
  EXPECT_EQ(ValidatePolicyImage(ReadFile(again->image_path)), absl::OkStatus());
}

TEST(OwnedDirectory, RefusesALinkInItsPlace) {
  const TempDirectory temp;
  std::filesystem::create_directory(temp.path() + "/elsewhere");
  std::filesystem::create_directory_symlink(temp.path() + "/elsewhere", temp.path() + "/run");
  const absl::StatusOr<PublishedPolicy> published = Publish(temp.path() + "/run", "a");
  ASSERT_TRUE(absl::IsFailedPrecondition(published.status())) << published.status();
  EXPECT_NE(published.status().message().find("symbolic link"), absl::string_view::npos);
  EXPECT_TRUE(std::filesystem::is_empty(temp.path() + "/elsewhere"));
}

TEST(OwnedDirectory, RefusesALinkBelow) {
  const TempDirectory temp;
  std::filesystem::create_directory(temp.path() + "/elsewhere");
  std::filesystem::create_directory_symlink(temp.path() + "/elsewhere", temp.path() + "/images");
  EXPECT_TRUE(absl::IsFailedPrecondition(Publish(temp.path(), "a").status()));
  EXPECT_TRUE(std::filesystem::is_empty(temp.path() + "/elsewhere"));
}

TEST(OwnedDirectory, RefusesFilesAndDirectoriesOthersCanWrite) {
  const TempDirectory temp;
  temp.Write("file", "");
  EXPECT_TRUE(absl::IsFailedPrecondition(OwnedDirectory::Open(temp.path() + "/file").status()));
  ASSERT_EQ(chmod(temp.path().c_str(), 0777), 0);
  EXPECT_TRUE(absl::IsFailedPrecondition(OwnedDirectory::Open(temp.path()).status()));
  ASSERT_EQ(chmod(temp.path().c_str(), 0700), 0);
  EXPECT_TRUE(OwnedDirectory::Open(temp.path()).ok());
}

TEST(OwnedDirectory, RefusesDirectoriesOfOthers) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to give a directory away";
  const TempDirectory temp;
  ASSERT_EQ(chown(temp.path().c_str(), 12345, 0), 0);
  const absl::Status status = OwnedDirectory::Open(temp.path()).status();
  ASSERT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_NE(status.message().find("owned by uid 12345"), absl::string_view::npos);
}

TEST(OwnedDirectory, PrivateOnesAreForTheOwnerOnly) {
  const TempDirectory temp;
  ASSERT_TRUE(OwnedDirectory::Open(temp.path() + "/p", /*is_private=*/true).ok());
  EXPECT_EQ(ModeOf(temp.path() + "/p"), 0700u);
}

}  // namespace
}  // namespace pagewarden
