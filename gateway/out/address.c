/*
 * What kind of address a name leads to: the open Internet, a private network, this machine, or
 * something that no question is ever meant for. Pure; any thread.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "out/parts.h"

struct range {
    uint32_t network;
    int bits;
    enum reach reach;
};

/* RFC 6890 and its registry; multicast and class E are above. */
static const struct range ranges[] = {
    {0x00000000, 8, REACH_NEVER},    /* this network: Linux takes 0.0.0.0 for this machine */
    {0x7F000000, 8, REACH_LOCAL},    /* loopback */
    {0xA9FE0000, 16, REACH_NEVER},   /* link-local, and the metadata services of clouds */
    {0x0A000000, 8, REACH_PRIVATE},  /* RFC 1918 */
    {0xAC100000, 12, REACH_PRIVATE}, /* RFC 1918 */
    {0xC0A80000, 16, REACH_PRIVATE}, /* RFC 1918 */
    {0x64400000, 10, REACH_PRIVATE}, /* shared by carriers, RFC 6598 */
    {0xC6120000, 15, REACH_PRIVATE}, /* benchmarks, RFC 2544 */
    {0xC0000000, 24, REACH_NEVER},   /* protocol assignments */
    {0xE0000000, 3, REACH_NEVER},    /* multicast, reserved, broadcast */
};

static enum reach
reach_v4(const uint8_t bytes[4])
{
    const uint32_t address = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
                             (uint32_t)bytes[2] << 8 | (uint32_t)bytes[3];
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        if (address >> (32 - ranges[i].bits) == ranges[i].network >> (32 - ranges[i].bits)) {
            return ranges[i].reach;
        }
    }
    return REACH_PUBLIC;
}

/* Addresses of version 6 that hold one of version 4: as that one. */
static const uint8_t *
inner_v4(const uint8_t bytes[16])
{
    static const uint8_t mapped[12] = {[10] = 0xFF, [11] = 0xFF};
    static const uint8_t nat64[12] = {0x00, 0x64, 0xFF, 0x9B};
    if (memcmp(bytes, mapped, sizeof(mapped)) == 0 || memcmp(bytes, nat64, sizeof(nat64)) == 0) {
        return bytes + 12;
    }
    return bytes[0] == 0x20 && bytes[1] == 0x02 ? bytes + 2 : NULL; /* 6to4 */
}

enum reach
ip_reach(const struct ip *ip)
{
    static const uint8_t loopback[16] = {[15] = 1};
    if (!ip->is_v6) {
        return reach_v4(ip->bytes);
    }
    const uint8_t *v4 = inner_v4(ip->bytes);
    if (v4 != NULL) {
        return reach_v4(v4);
    }
    if (memcmp(ip->bytes, loopback, sizeof(loopback)) == 0) {
        return REACH_LOCAL;
    }
    if ((ip->bytes[0] & 0xFE) == 0xFC) { /* fc00::/7, RFC 4193 */
        return REACH_PRIVATE;
    }
    /* 2000::/3 is all that was given out; Teredo (2001::/32) leads anywhere */
    const bool is_teredo =
        ip->bytes[0] == 0x20 && ip->bytes[1] == 0x01 && ip->bytes[2] == 0 && ip->bytes[3] == 0;
    return ip->bytes[0] >> 5 == 1 && !is_teredo ? REACH_PUBLIC : REACH_NEVER;
}

const char *
reach_name(enum reach reach)
{
    static const char *const names[] = {
        [REACH_PUBLIC] = "a public address",
        [REACH_PRIVATE] = "an address of a private network",
        [REACH_LOCAL] = "this machine",
        [REACH_NEVER] = "a link-local, multicast or unspecified address",
    };
    return names[reach];
}

bool
ip_of_socket_address(const void *address, size_t n, int family, struct ip *ret_ip)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct ip ip = {.is_v6 = family == AF_INET6};
    if (family == AF_INET && n >= sizeof(v4)) {
        memcpy(&v4, address, sizeof(v4));
        memcpy(ip.bytes, &v4.sin_addr, 4);
    } else if (family == AF_INET6 && n >= sizeof(v6)) {
        memcpy(&v6, address, sizeof(v6));
        memcpy(ip.bytes, &v6.sin6_addr, 16);
    } else {
        return false;
    }
    *ret_ip = ip;
    return true;
}

bool
ip_read(const char *text, struct ip *ret_ip)
{
    struct ip ip = {.is_v6 = text[0] == '['};
    char inner[INET6_ADDRSTRLEN];
    const size_t n = strlen(text);
    if (ip.is_v6) {
        if (n < 3 || n - 2 >= sizeof(inner) || text[n - 1] != ']') {
            return false;
        }
        memcpy(inner, text + 1, n - 2);
        inner[n - 2] = '\0';
    }
    if (inet_pton(ip.is_v6 ? AF_INET6 : AF_INET, ip.is_v6 ? inner : text, ip.bytes) != 1) {
        return false;
    }
    *ret_ip = ip;
    return true;
}

void
ip_write(const struct ip *ip, char ret_text[IP_TEXT_MAX])
{
    char text[INET6_ADDRSTRLEN] = "";
    (void)inet_ntop(ip->is_v6 ? AF_INET6 : AF_INET, ip->bytes, text, sizeof(text));
    (void)snprintf(ret_text, IP_TEXT_MAX, ip->is_v6 ? "[%s]" : "%s", text);
}
