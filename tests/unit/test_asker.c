/* SPDX-License-Identifier: Apache-2.0 */
/* What an address counts for. */
#include "api/http/asker.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "tests/unit/test.h"

static const char *of_six(const char *text, char who[static QUOTA_WHO])
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6};

	assert_int_equal(inet_pton(AF_INET6, text, &a.sin6_addr), 1);
	asker_of_address((struct sockaddr *)&a, who);
	return who;
}

TEST(an_address_counts_alone_and_one_of_ipv6_with_all_of_its_host)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0xc0000207)};
	char who[QUOTA_WHO];

	asker_of_address((struct sockaddr *)&a, who);
	assert_string_equal(who, "192.0.2.7");
	assert_string_equal(of_six("::ffff:192.0.2.7", who), "192.0.2.7");
	assert_string_equal(of_six("2001:db8:1:2:3:4:5:6", who), "2001:db8:1:2::/64");
	assert_string_equal(of_six("2001:db8:1:2:ffff::1", who), "2001:db8:1:2::/64");
	assert_string_equal(of_six("2001:db8:1:3::1", who), "2001:db8:1:3::/64");
}
