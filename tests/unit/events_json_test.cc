// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/events/event_json.h"
#include "agent/events/event_query.h"
#include "agent/events/event_text.h"
#include "agent/events/transitions.h"
#include "tests/unit/events_samples.h"
#include "tests/unit/temp_directory.h"

namespace pagewarden {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

TEST(EventJsonTest, IsWhatTheDocumentationSays) {
  Event event = SampleEvent("refused");
  event.sequence = 7;
  EXPECT_EQ(
      EventLine(event),
      "{\"schemaVersion\":1,\"sequence\":7,\"time\":\"2025-11-26T20:00:00.123456789+00:00\","
      "\"type\":\"denial\",\"severity\":\"warning\",\"cgroup\":\"/system.slice/nginx.service\","
      "\"pid\":4711,\"comm\":\"nginx\",\"text\":\"refused\","
      "\"details\":{\"code\":\"OVER_LIMIT\",\"requestBytes\":65536}}\n");
}

TEST(EventJsonTest, ComesBackAsItWas) {
  Event event = SampleCondition("k", false);
  event.sequence = 1;
  event.policy = "tls";
  const auto parsed = ParseEventLine(EventLine(event));
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->time, event.time);
  EXPECT_EQ(parsed->type, event.type);
  EXPECT_EQ(parsed->raised, false);
  EXPECT_EQ(parsed->severity, event.severity);
  EXPECT_EQ(parsed->policy, "tls");
  EXPECT_EQ(parsed->details, event.details);
  EXPECT_EQ(EventLine(*parsed), EventLine(event));
}

// Whatever is in it, it can be read again, and is no longer than it says.
TEST(EventJsonTest, HostileTextsStayOneBoundedLine) {
  for (const char byte : {'\n', '\x1b', '\xff', '\xe2', '"', '\\', '\x7f'}) {
    Event event = SampleCondition("k", true);
    event.sequence = 1;
    event.comm = std::string(300, byte);
    event.cgroup = event.text = event.policy = std::string(200000, byte);
    event.details["big"] = std::string(100000, byte);
    const std::string line = EventLine(event);
    EXPECT_LT(line.size(), kMaxEventLineBytes);
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    const auto parsed = ParseEventLine(line);
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(parsed->details["key"], "k");
    EXPECT_TRUE(EventLine(*parsed) == line) << int{byte};
  }
}

TEST(EventJsonTest, RefusesWhatIsNotOne) {
  const std::string sound = EventLine(SampleEvent());
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = sound;
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  };
  for (const std::string& text :
       {std::string(), std::string("null"), std::string("[]"), sound.substr(0, sound.size() - 2),
        with("\"schemaVersion\":1", "\"schemaVersion\":2"), with("\"schemaVersion\":1,", ""),
        with("\"denial\"", "7"), with("\"denial\"", "\"a b\""), with("\"warning\"", "\"bad\""),
        with("4711", "-1"), with("4711", "4294967296"), with("4711", "1.5"),
        with("\"comm\"", "\"command\""), with("2025-", "x-"),
        with("\"sequence\":0", "\"sequence\":18446744073709551615"),
        with("{\"code\":\"OVER_LIMIT\",\"requestBytes\":65536}", "[]"),
        with(":65536", ":" + std::string(40, '[') + std::string(40, ']')),
        with(":65536", ":" + std::string(kMaxEventLineBytes, '1'))}) {
    EXPECT_FALSE(ParseEventLine(text).ok()) << text.substr(0, 200);
  }
}

TEST(EventTextTest, ALineForPeopleHasNothingToMoveACursor) {
  Event event = EventOf(SampleDenial("/a\nb"));
  event.type = "denial";
  const std::string line = EventLineForPeople(event);
  EXPECT_THAT(line, Not(HasSubstr("\x1b")));
  EXPECT_THAT(line, Not(HasSubstr("\n")));
  EXPECT_THAT(line,
              HasSubstr(" warning denial    /a\\x0ab ng\\x1b[31minx[4711] refused: mlock of "));
}

TEST(EventTextTest, OurOwnSentencesKeepTheirEllipsis) {
  Event event;
  event.text = "start it again as `pagewarden run -- /bin/a …`; not \xe2\x80\xae or \xe2\x80";
  EXPECT_THAT(EventLineForPeople(event),
              HasSubstr("/bin/a …`; not \\xe2\\x80\\xae or \\xe2\\x80"));
}

TEST(EventQueryTest, ParametersAreChecked) {
  const absl::Time now = SampleTime();
  const auto query = ParseEventQuery(
      {{"since", "10m"}, {"after", "7"}, {"limit", "5"}, {"type", "denial,budget"}}, now);
  ASSERT_TRUE(query.ok()) << query.status();
  EXPECT_EQ(query->since, now - absl::Minutes(10));
  EXPECT_EQ(query->after, 7u);
  EXPECT_EQ(query->limit, 5u);
  EXPECT_THAT(query->types, SizeIs(2));
  EXPECT_EQ(ParseEventQuery({}, now)->since, absl::InfinitePast());
  EXPECT_EQ(ParseEventQuery({{"since", "2025-11-26T21:00:00.123456789+01:00"}}, now)->since, now);
  using Query = std::multimap<std::string, std::string>;
  for (const Query& wrong :
       {Query{{"since", "yesterday"}}, Query{{"since", "-5m"}}, Query{{"after", "-1"}},
        Query{{"limit", "10001"}}, Query{{"type", "denied"}}, Query{{"tpye", "denial"}},
        Query{{"after", "1"}, {"after", "2"}}}) {
    EXPECT_FALSE(ParseEventQuery(wrong, now).ok()) << wrong.begin()->second;
  }
  EXPECT_THAT(std::string(ParseEventQuery({{"type", "denail"}}, now).status().message()),
              HasSubstr("did you mean denial?"));
}

TEST(EventQueryTest, PagesJoinWithoutAGap) {
  const TempDirectory directory;
  auto log = EventLog::Open(directory.path(), {});
  ASSERT_TRUE(log.ok());
  std::vector<Event> events(25, SampleEvent());
  ASSERT_TRUE(log->Append(events).ok());
  EventQuery query;
  query.limit = 10;
  std::vector<size_t> sizes;
  for (bool more = true; more;) {
    const auto answer = ParseEventsAnswer(nlohmann::json::parse(EventsJson(*log, query)));
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_EQ(answer->last_sequence, 25u);
    EXPECT_EQ(answer->events.front().sequence, query.after + 1);
    query.after = answer->events.back().sequence;
    sizes.push_back(answer->events.size());
    more = answer->more;
  }
  EXPECT_EQ(sizes, (std::vector<size_t>{10, 10, 5}));
  EXPECT_FALSE(ParseEventsAnswer("<html>").ok());
}

}  // namespace
}  // namespace pagewarden
