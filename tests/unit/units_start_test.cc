// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "agent/units/unit_start.h"
#include "tests/unit/temp_directory.h"

namespace pagewarden {
namespace {

TEST(UnitStart, DropInsOverrideTheUnit) {
  const TempDirectory root;
  root.Write("usr/lib/systemd/system/web.service",
             "[Service]\nExecStart=-/usr/sbin/nginx -g 'daemon off;'\nSlice=edge-web.slice\n");
  EXPECT_EQ(ReadUnitStart("web.service", root.path())->executable, "/usr/sbin/nginx");
  EXPECT_EQ(ReadUnitStart("web.service", root.path())->cgroup,
            "/edge.slice/edge-web.slice/web.service");
  root.Write("usr/lib/systemd/system/web.service.d/10-exec.conf",
             "[Service]\nExecStart=\nExecStart=/opt/nginx\n");
  root.Write("etc/systemd/system/web.service.d/10-exec.conf", "[Service]\nSlice=a.slice\n");
  const UnitStart unit = *ReadUnitStart("web.service", root.path());
  EXPECT_EQ(unit.executable, "/usr/sbin/nginx");  // of one name, that in /etc counts
  EXPECT_EQ(unit.cgroup, "/a.slice/web.service");
}

TEST(UnitStart, InstancesComeFromTheirTemplate) {
  const TempDirectory root;
  root.Write("lib/systemd/system/job@.service", "[Service]\nExecStart=@/bin/job job %i\n");
  const UnitStart unit = *ReadUnitStart("job@7.service", root.path());
  EXPECT_EQ(unit.executable, "/bin/job");
  EXPECT_EQ(unit.cgroup, "/system.slice/job@7.service");
  EXPECT_FALSE(ReadUnitStart("other@7.service", root.path()).ok());
  EXPECT_FALSE(ReadUnitStart("../../etc/passwd", root.path()).ok());
}

TEST(UnitStart, SlicesNestByTheirDashes) {
  EXPECT_EQ(CgroupOfSlice("system.slice"), "/system.slice");
  EXPECT_EQ(CgroupOfSlice("a-b-c.slice"), "/a.slice/a-b.slice/a-b-c.slice");
  EXPECT_EQ(CgroupOfSlice("-.slice"), "");
}

}  // namespace
}  // namespace pagewarden
