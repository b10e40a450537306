// IP addresses and blocks, and paths with nothing left to resolve.
#include <gtest/gtest.h>

#include "runtime/base/ip.h"
#include "runtime/base/path.h"

namespace dpl {
namespace {

TEST(Ip, ParsesAndPrints) {
  const struct {
    std::string_view text, canonical;
  } cases[] = {
      {"192.0.2.1", "192.0.2.1"},
      {"0.0.0.0", "0.0.0.0"},
      {"255.255.255.255", "255.255.255.255"},
      {"::", "::"},
      {"::1", "::1"},
      {"1::", "1::"},
      {"2001:DB8::1", "2001:db8::1"},
      {"2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"},
      {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},  // one zero group is not cut
      {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},           // the longest run
      {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},     // the first of equals
      {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
      {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
      {"::ffff:192.0.2.1", "192.0.2.1"},
      {"::ffff:c000:201", "192.0.2.1"},
      {"64:ff9b::192.0.2.1", "64:ff9b::c000:201"},
      {"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"},
  };
  for (const auto& c : cases) {
    auto ip = ParseIp(c.text);
    ASSERT_TRUE(ip.ok()) << c.text;
    EXPECT_EQ(FormatIp(*ip), c.canonical);
    EXPECT_EQ(*ParseIp(c.canonical), *ip);
  }
}

TEST(Ip, RefusesAddresses) {
  for (std::string_view bad : {"",
                               "1.2.3",
                               "1.2.3.4.5",
                               "256.1.1.1",
                               "01.2.3.4",
                               "1.2.3.04",
                               "1.2.3.4 ",
                               " 1.2.3.4",
                               "1.2.3.",
                               "1..3.4",
                               "0x1.2.3.4",
                               "1.2.3.4/8",
                               ":",
                               ":::",
                               "1",
                               "1:2:3:4:5:6:7",
                               "1:2:3:4:5:6:7:8:9",
                               "1::2::3",
                               "12345::",
                               "g::",
                               "::1%eth0",
                               "[::1]",
                               "1:2:3:4:5:6:7:8::",
                               "::1:2:3:4:5:6:7:8",
                               "1:",
                               ":1",
                               "::1.2.3",
                               "::1.2.3.4:5",
                               "1:2:3:4:5:6:7:1.2.3.4",
                               "::1:",
                               "-1.2.3.4"}) {
    EXPECT_FALSE(ParseIp(bad).ok()) << bad;
  }
}

TEST(Ip, ParsesBlocks) {
  const struct {
    std::string_view text, canonical;
  } good[] = {{"10.0.0.0/8", "10.0.0.0/8"},          {"0.0.0.0/0", "0.0.0.0/0"},
              {"192.0.2.1/32", "192.0.2.1"},         {"192.0.2.1", "192.0.2.1"},
              {"2001:db8::/32", "2001:db8::/32"},    {"::/0", "::/0"},
              {"::ffff:10.0.0.0/104", "10.0.0.0/8"}, {"10.128.0.0/9", "10.128.0.0/9"}};
  for (const auto& c : good) {
    auto ip = ParseIpPrefix(c.text);
    ASSERT_TRUE(ip.ok()) << c.text;
    EXPECT_EQ(FormatIp(*ip), c.canonical);
  }
  const struct {
    std::string_view text, code;
  } bad[] = {{"10.0.0.1/8", "ip.host_bits"}, {"10.64.0.0/9", "ip.host_bits"},
             {"::1/64", "ip.host_bits"},     {"10.0.0.0/33", "ip.prefix"},
             {"::/129", "ip.prefix"},        {"10.0.0.0/", "ip.prefix"},
             {"10.0.0.0/08", "ip.prefix"},   {"10.0.0.0/-1", "ip.prefix"},
             {"10.0.0.0/8/8", "ip.prefix"},  {"10.0.0/8", "ip.syntax"}};
  for (const auto& c : bad) {
    auto ip = ParseIpPrefix(c.text);
    ASSERT_FALSE(ip.ok()) << c.text;
    EXPECT_EQ(ip.error().code, c.code) << c.text;
  }
}

TEST(Ip, Contains) {
  const struct {
    std::string_view block, inner;
    bool within;
  } cases[] = {
      {"10.0.0.0/8", "10.255.255.255", true},
      {"10.0.0.0/8", "11.0.0.0", false},
      {"10.0.0.0/8", "10.1.0.0/16", true},
      {"10.1.0.0/16", "10.0.0.0/8", false},
      {"10.0.0.0/9", "10.127.0.1", true},
      {"10.0.0.0/9", "10.128.0.1", false},
      {"0.0.0.0/0", "192.0.2.1", true},
      {"0.0.0.0/0", "2001:db8::1", false},
      {"0.0.0.0/0", "::ffff:192.0.2.1", true},
      {"::/0", "2001:db8::1", true},
      {"::/0", "192.0.2.1", false},
      {"2001:db8::/33", "2001:db8:7fff::1", true},
      {"2001:db8::/33", "2001:db8:8000::1", false},
      {"192.0.2.1", "192.0.2.1", true},
      {"192.0.2.1", "192.0.2.2", false},
      {"::1", "::1", true},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(Contains(*ParseIpPrefix(c.block), *ParseIpPrefix(c.inner)), c.within)
        << c.block << " " << c.inner;
  }
}

TEST(Path, Normalizes) {
  const struct {
    std::string_view text, canonical;
  } cases[] = {
      {"/", "/"},
      {"/a", "/a"},
      {"/a/", "/a"},
      {"/srv/out/x.txt", "/srv/out/x.txt"},
      {"a", "a"},
      {"a/b/", "a/b"},
      {"/...", "/..."},
      {"/.hidden", "/.hidden"},
      {"/a..b/c.", "/a..b/c."},
      {"/%20/%2d", "/%20/%2d"},
      {"file:///srv/out", "file:///srv/out"},
      {"file:///", "file://"},
      {"file://", "file://"},
      {"file://host/x", "file://host/x"},
      {"s3://bucket", "s3://bucket"},
      {"s3://bucket/", "s3://bucket"},
      {"s3://bucket/key/", "s3://bucket/key"},
      {"https:/x", "https:/x"},
      {"/caf\xc3\xa9", "/caf\xc3\xa9"},
  };
  for (const auto& c : cases) {
    auto path = NormalizePath(c.text);
    ASSERT_TRUE(path.ok()) << c.text << " " << path.error().code;
    EXPECT_EQ(*path, c.canonical);
    EXPECT_EQ(*NormalizePath(*path), c.canonical);
  }
}

TEST(Path, Refuses) {
  using namespace std::string_view_literals;
  const struct {
    std::string_view text, code;
  } cases[] = {
      {"", "path.empty"},
      {"//", "path.segment"},
      {"//a", "path.segment"},
      {"/a//b", "path.segment"},
      {"/a//", "path.segment"},
      {"/./a", "path.segment"},
      {"/a/.", "path.segment"},
      {"/a/./", "path.segment"},
      {"/a/../b", "path.segment"},
      {"..", "path.segment"},
      {".", "path.segment"},
      {"../a", "path.segment"},
      {"/a/..", "path.segment"},
      {"/a/../", "path.segment"},
      {"file:////", "path.segment"},
      {"s3://bucket//", "path.segment"},
      {"s3://bucket/../x", "path.segment"},
      {"s3://../x", "path.segment"},
      {"a://b://c", "path.segment"},
      {"/x/http://y", "path.segment"},
      {"/a\\b", "path.backslash"},
      {"/a\nb", "path.control"},
      {"/a\0b"sv, "path.control"},
      {"/a\x7f", "path.control"},
      {"/a/%2e%2e/b", "path.encoded"},
      {"/a/%2E%2e/b", "path.encoded"},
      {"/a%2fb", "path.encoded"},
      {"/a%2Fb", "path.encoded"},
      {"/a%5cb", "path.encoded"},
      {"/a%5Cb", "path.encoded"},
      {"s3:///key", "path.scheme"},
      {"https://", "path.scheme"},
      {"/\xff", "path.text"},
      {"/cafe\xcc\x81", "path.text"},
  };
  for (const auto& c : cases) {
    auto path = NormalizePath(c.text);
    ASSERT_FALSE(path.ok()) << c.text;
    EXPECT_EQ(path.error().code, c.code) << c.text;
  }
}

TEST(Path, Within) {
  const struct {
    std::string_view inner, outer;
    bool within;
  } cases[] = {
      {"/a", "/a", true},
      {"/a/b", "/a", true},
      {"/ab", "/a", false},
      {"/a", "/a/b", false},
      {"/A/b", "/a", false},
      {"/a", "/", true},
      {"/", "/", true},
      {"a", "/", false},
      {"a/b", "a", true},
      {"s3://bucket/key", "s3://bucket", true},
      {"s3://bucket2/key", "s3://bucket", false},
      {"file:///srv/out/x", "file:///srv/out", true},
      {"file:///srv", "file://", true},
      {"file://host/srv", "file://", false},
      {"https://host/a", "https:", false},
      {"https:/host/a", "https:", true},
      {"/a", "", false},
      {"", "", false},
  };
  for (const auto& c : cases)
    EXPECT_EQ(PathWithin(c.inner, c.outer), c.within) << c.inner << " in " << c.outer;
}

}  // namespace
}  // namespace dpl
