// SPDX-License-Identifier: Apache-2.0
#include "tests/adoption/policies.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>

#include "agent/policy/image.h"
#include "agent/policy/live_window.h"
#include "agent/policy/load.h"
#include "agent/policy/resolve.h"

namespace pagewarden {
namespace {

using Random = std::mt19937;

const std::string& OneOf(Random& random, const std::vector<std::string>& words) {
  return words[random() % words.size()];
}

std::vector<std::string> Matches() {
  return {"during: [live_second]",
          "during: [live_first]",
          "callers: [{module: 'libadoption_functions*', functions: [live_caller]}]",
          std::string("readFrom: ['/*") + kSecretSuffix + "']",
          "during: [live_second, live_first], threads: ['worker*']",
          "during: [live_first], threads: ['other*', 'renamed*']",
          "all: true, size: {min: 2000}"};
}

std::string Rule(int number, const std::string& match, const std::vector<std::string>& arenas,
                 Random& random) {
  const std::string size = match.find("size") == std::string::npos && random() % 3 == 0
                               ? ", size: {max: " + std::to_string(64 + random() % 900) + "}"
                               : "";
  return "    - {name: r" + std::to_string(number) + ", match: {" + match + size +
         "}, place: {arena: " + OneOf(random, arenas) + "}}\n";
}

std::string Policy(const std::string& mode, const std::string& arena, const std::string& rules) {
  return "apiVersion: pagewarden/v1alpha1\nkind: AllocationPolicy\nmetadata: {name: adopted}\n"
         "spec:\n  mode: " +
         mode + "\n  arenas:\n    - {name: keys, " + arena + "}\n  rules:\n" + rules;
}

std::string RandomPolicy(Random& random) {
  const std::vector<std::string> matches = Matches();
  std::vector<std::string> arenas = {"keys"};
  for (const char* later : {"second", "third", "fourth"})
    if (random() % 3 == 0) arenas.emplace_back(later);
  std::string rules;
  for (int number = 0; number < 5; ++number)
    if (random() % 2 == 0) rules += Rule(number, OneOf(random, matches), arenas, random);
  if (rules.empty()) rules = Rule(0, matches[0], arenas, random);
  std::string options = OneOf(
      random, {"capacity: 1Mi", "capacity: 512Ki, canary: false",
               "capacity: 1Mi, onCapacityExhausted: Grow", "capacity: 1Mi, onLockFailure: Fail"});
  for (size_t i = 1; i < arenas.size(); ++i)
    options += "}\n    - {name: " + arenas[i] + ", capacity: 256Ki";
  return Policy(OneOf(random, {"Enforce", "Enforce", "Enforce", "Audit", "Disabled"}), options,
                rules);
}

std::string FirstPolicy() {
  return Policy("Enforce", "capacity: 1Mi", "    - {name: r0, match: {" + Matches()[0] + "}}\n");
}

std::string LastPolicy() {
  std::string rules;
  for (size_t i : {1, 2, 3})
    rules += "    - {name: last" + std::to_string(i) + ", match: {" + Matches()[i] + "}}\n";
  return Policy("Enforce", "capacity: 1Mi", rules);
}

std::string Compile(const std::string& text) {
  Diagnostics diagnostics;
  PolicySet set;
  LoadSource(std::make_shared<Source>("hammer.yaml", text), set, diagnostics);
  ResolveReferences(set, diagnostics);
  const auto image = CompilePolicyImage(set.policies);
  if (!diagnostics.empty() || !image.ok()) {
    fprintf(stderr, "%s%s\n", diagnostics.Render().c_str(), image.status().ToString().c_str());
    abort();
  }
  return *image;
}

uint32_t PlaceInForce(const std::string& path) {
  uint64_t word = 0;
  const int fd = open(path.c_str(), O_RDONLY);
  if (pread(fd, &word, sizeof(word), offsetof(abi::LiveImageHeader, current)) != sizeof(word))
    abort();
  close(fd);
  return abi::PlaceOf(word);
}

}  // namespace

std::vector<std::string> MakeImages(unsigned seed, int count) {
  Random random(seed);
  std::vector<std::string> images = {Compile(FirstPolicy())};
  while (static_cast<int>(images.size()) + 1 < count)
    images.push_back(Compile(RandomPolicy(random)));
  images.push_back(Compile(LastPolicy()));
  return images;
}

LiveFile WriteLiveFile(const std::string& path, const std::vector<std::string>& images) {
  const NewWindow window = MakeWindow(images[0], 1);
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
  const auto bytes = static_cast<ssize_t>(window.bytes.size());
  if (fd < 0 || write(fd, window.bytes.data(), window.bytes.size()) != bytes ||
      ftruncate(fd, static_cast<off_t>(window.file_bytes)) != 0)
    abort();
  close(fd);
  LiveFile file = {path, {}};
  absl::StatusOr<LiveWindow> live = LiveWindow::Open(AT_FDCWD, path);
  if (!live.ok()) abort();
  for (const std::string& image : images) {
    if (!live->Publish(image).ok()) abort();
    file.places.push_back(PlaceInForce(path));
  }
  if (!live->Publish(images[0]).ok()) abort();
  return file;
}

FlippingPublisher::FlippingPublisher(const LiveFile& file) : file_(file) {
  const int fd = open(file.path.c_str(), O_RDWR);
  void* at = mmap(nullptr, sizeof(*header_), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED) abort();
  close(fd);
  header_ = static_cast<abi::LiveImageHeader*>(at);
}

uint32_t FlippingPublisher::Publish(size_t image) {
  const uint64_t word = abi::LiveWord(++generation_, file_.places[image]);
  __atomic_store_n(&header_->current, word, __ATOMIC_RELEASE);
  return generation_;
}

void WriteEmptyFile(const std::string& path) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) abort();
  close(fd);
}

int OpenForReading(const std::string& path) { return open(path.c_str(), O_RDONLY | O_CLOEXEC); }

}  // namespace pagewarden
