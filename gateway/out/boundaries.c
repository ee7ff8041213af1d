/*
 * What exchanges with partners, posts and fetches for certs/ tell curl alike: only where and how we
 * want.
 * Called when a handle is made, on the thread that makes it; the handle and the list of headers
 * stay the caller's.
 */
#include "out/parts.h"

CURLcode
out_set_boundaries(CURL *easy, const char *protocol)
{
    OUT_SET(CURLOPT_PROTOCOLS_STR, protocol);
    OUT_SET(CURLOPT_REDIR_PROTOCOLS_STR, protocol);
    OUT_SET(CURLOPT_FOLLOWLOCATION, 0L);
    OUT_SET(CURLOPT_PROXY, "");
    OUT_SET(CURLOPT_NOPROXY, "*");
    OUT_SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    OUT_SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    OUT_SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    OUT_SET(CURLOPT_HTTP09_ALLOWED, 0L);
    OUT_SET(CURLOPT_NOSIGNAL, 1L);
    OUT_SET(CURLOPT_QUICK_EXIT, 1L); /* never wait for a resolver that does not answer */
    return CURLE_OK;
}

CURLcode
out_set_tls(CURL *easy, curl_ssl_ctx_callback prepare, void *arg)
{
    OUT_SET(CURLOPT_SSL_CTX_FUNCTION, prepare);
    OUT_SET(CURLOPT_SSL_CTX_DATA, arg);
    OUT_SET(CURLOPT_SSL_VERIFYPEER, 1L);
    OUT_SET(CURLOPT_SSL_VERIFYHOST, 0L);
    OUT_SET(CURLOPT_CAINFO, NULL);
    OUT_SET(CURLOPT_CAPATH, NULL);
    OUT_SET(CURLOPT_CA_CACHE_TIMEOUT, 0L);
    OUT_SET(CURLOPT_SSL_SESSIONID_CACHE, 0L);
    OUT_SET(CURLOPT_SSL_ENABLE_ALPN, 0L);
    return CURLE_OK;
}

bool
out_add_header(struct curl_slist **headers, const char *header)
{
    struct curl_slist *longer = curl_slist_append(*headers, header);

    if (longer != NULL) {
        *headers = longer;
    }
    return longer != NULL;
}
