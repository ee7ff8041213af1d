/*
 * `sources:` of the configuration: what becomes of it, and every mistake in it with the exact line
 * that the operator reads.
 */
#include <string.h>

#include "config_world.h"
#include "unit.h"

#define MAIN "isthmus.yaml:"
#define XDS                                                                                        \
    "registry: {url: 'https://xds.hospital.example/registry'}, "                                   \
    "repositories: {2.999.30: 'https://xds.hospital.example/repository'}"

#define GATEWAY                                                                                    \
    "xcpd: 'https://gw.clinic.example/x', query: 'https://gw.clinic.example/q', "                  \
    "retrieve: 'https://docs.clinic.example/r'"

static const struct mistake mistakes[] = {
    {14, "sources: x", MAIN "14:10: error: sources: expected a list of sources, got 'x'\n"},
    {14, "sources: [own]",
     MAIN "14:11: error: expected 'key: value' pairs that describe a source, got 'own'\n"},
    {14, "sources: [{engine: embedded}]", MAIN "14:11: error: missing 'name'\n"},
    {14, "sources: [{name: Own, engine: embedded}]",
     MAIN "14:18: error: name: expected lower-case letters, digits, '-' and '_', at most 32, got "
          "'Own'\n"},
    {14, "sources: [{name: own, engine: lmdb, " XDS "}]",
     MAIN "14:31: error: engine: expected one of xds, embedded, pdq, pix, gateway, got 'lmdb'\n"},
    {14, "sources: [{name: own, engine: embedded, community: 2.999.5}]",
     MAIN "14:41: error: 'community' has no effect with engine 'embedded', which is configured "
          "under community and store; remove it\n"},
    {14, "sources: [{name: own, engine: embedded}, {name: other, engine: embedded}]",
     MAIN "14:42: error: there is one embedded store; remove this source\n"},
    {14, "sources: [{name: blue, " XDS "}]",
     MAIN "14:18: error: id 'blue' is already used at partners.d/blue.yaml:1:5\n"},
    {14, "sources: [{name: a, " XDS "}, {name: a, engine: embedded}]",
     MAIN "14:156: error: id 'a' is already used at isthmus.yaml:14:18\n"},
    /* where it is */
    {14, "sources: [{name: hospital}]",
     MAIN "14:11: error: missing 'registry'\n" MAIN "14:11: error: missing 'repositories'\n"},
    {14, "sources: [{name: hospital, registry: {}, repositories: {}}]",
     MAIN "14:28: error: missing 'url' in 'registry'\n" MAIN
          "14:42: error: repositories: expected repositoryUniqueIds with their URLs, {OID: URL}, "
          "got 'key: value' pairs\n"},
    {14,
     "sources: [{name: hospital, registry: {url: 'http://xds.example/r'}, repositories: "
     "{2.999.x: 'https://xds.example/p'}}]",
     MAIN "14:44: error: url: 'http://xds.example/r' is not encrypted; expected "
          "https://host[:port]/path\n" MAIN
          "14:84: error: expected an OID such as 2.999.1, got '2.999.x'\n"},
    {14,
     "sources: [{name: h, tls: none, registry: {url: 'http://xds.example/r'}, repositories: "
     "{2.999.30: 'https://127.0.0.1/p'}}]",
     MAIN "14:48: error: url: expected http://127.0.0.1:port/path or the like on this machine, as "
          "'tls: none' says, got 'http://xds.example/r'\n" MAIN
          "14:98: error: 2.999.30: expected http://127.0.0.1:port/path or the like on this "
          "machine, as 'tls: none' says, got 'https://127.0.0.1/p'\n"},
    {14,
     "sources: [{name: h, tls: none, trust: partners, registry: {url: 'http://[::1]:80/r'}, "
     "repositories: {2.999.30: 'http://localhost:8080/p'}}]",
     MAIN "14:32: error: 'trust' has no effect with tls 'none'; remove one of them\n"},
    {14, "sources: [{name: h, " XDS ", trust: nobody}]",
     MAIN "14:155: error: trust 'nobody' is not in 'trust'\n"},
    {14, "sources: [{name: h, " XDS ", tls: {names: []}}]",
     MAIN "14:154: error: names: expected at least one name\n"},
    {14, "sources: [{name: h, " XDS ", security: bearer}]",
     MAIN "14:158: error: security: expected one of none, assertion, got 'bearer'\n"},
    {14, "sources: [{name: h, " XDS ", timeout: 20}]",
     MAIN "14:157: error: timeout '20' has no unit; write 20s, 500ms or 1m\n"},
    {14, "sources: [{name: h, " XDS ", registri: x}]",
     MAIN "14:148: error: unknown key 'registri'; did you mean 'registry'?\n"},
    /* who has no documents */
    {14, "sources: [{name: mpi, engine: pdq}]", MAIN "14:11: error: missing 'url'\n"},
    {14, "sources: [{name: mpi, engine: pdq, url: 'http://mpi.example/pdq'}]",
     MAIN "14:41: error: url: 'http://mpi.example/pdq' is not encrypted; expected "
          "https://host[:port]/path\n"},
    {14, "sources: [{name: mpi, engine: pdq, url: 'https://x/pdq', community: 2.999.5}]",
     MAIN "14:58: error: 'community' has no effect with engine 'pdq'; remove it\n"},
    {14, "sources: [{name: mpi, engine: pdq, url: 'https://x/pdq', remember: 1h}]",
     MAIN "14:58: error: 'remember' has no effect with engine 'pdq'; remove it\n"},
    {14, "sources: [{name: mpi, engine: pix, url: 'https://x/pix', repositories: {}}]",
     MAIN "14:58: error: 'repositories' has no effect with engine 'pix'; remove it\n"},
    {14, "sources: [{name: mpi, engine: pix, url: 'https://x/pix', remember: 1}]",
     MAIN "14:68: error: remember '1' has no unit; write 1s, 500ms or 1m\n"},
    {14, "sources: [{name: h, " XDS ", url: 'https://x/pdq'}]",
     MAIN "14:148: error: 'url' has no effect with engine 'xds'; remove it\n"},
    /* what is somebody's */
    {14, "sources: [{name: h, " XDS ", community: 2.999.2}]",
     MAIN "14:159: error: community '2.999.2' is already used at partners.d/blue.yaml:3:15\n"},
    {14,
     "sources: [{name: h, registry: {url: 'https://x/r'}, repositories: "
     "{2.999.1.2: 'https://x/p'}}]",
     MAIN "14:68: error: repository '2.999.1.2' is already used at isthmus.yaml:1:17\n"},
    {14,
     "sources: [{name: h, registry: {url: 'https://x/r'}, repositories: "
     "{2.999.9: 'https://x/p'}}, {name: i, registry: {url: 'https://y/r'}, repositories: "
     "{2.999.9: 'https://y/p'}}]",
     MAIN "14:151: error: repository '2.999.9' is already used at isthmus.yaml:14:68\n"},
    /* gateways behind us */
    {14, "sources: [{name: clinic, engine: gateway}]",
     MAIN "14:11: error: missing 'communities'\n" MAIN "14:11: error: missing 'xcpd'\n" MAIN
          "14:11: error: missing 'query'\n" MAIN "14:11: error: missing 'retrieve'\n"},
    {14, "sources: [{name: clinic, engine: gateway, communities: 2.999.40, " GATEWAY "}]",
     MAIN "14:56: error: communities: expected a list of OIDs such as [2.999.1], got "
          "'2.999.40'\n"},
    {14, "sources: [{name: clinic, engine: gateway, communities: [], " GATEWAY "}]",
     MAIN "14:43: error: communities: expected at least one OID\n"},
    {14, "sources: [{name: c, engine: gateway, communities: [2.999.x], " GATEWAY "}]",
     MAIN "14:52: error: expected an OID such as 2.999.1, got '2.999.x'\n"},
    {14, "sources: [{name: c, engine: gateway, communities: [2.999.2], " GATEWAY "}]",
     MAIN "14:52: error: community '2.999.2' is already used at partners.d/blue.yaml:3:15\n"},
    {14, "sources: [{name: c, engine: gateway, communities: [2.999.1], " GATEWAY "}]",
     MAIN "14:52: error: community '2.999.1' is already used at isthmus.yaml:1:17\n"},
    {14,
     "sources: [{name: h, community: 2.999.5, " XDS "}, {name: c, engine: gateway, "
     "communities: [2.999.5], " GATEWAY "}]",
     MAIN "14:210: error: community '2.999.5' is already used at isthmus.yaml:14:32\n"},
    {14, "sources: [{name: c, engine: gateway, communities: [2.999.40], registry: x, " GATEWAY "}]",
     MAIN "14:63: error: 'registry' has no effect with engine 'gateway'; remove it\n"},
    {14,
     "sources: [{name: c, engine: gateway, communities: [2.999.40], security: none, " GATEWAY "}]",
     MAIN "14:63: error: 'security' has no effect with engine 'gateway', which is always asked "
          "with an assertion; remove it\n"},
    {14,
     "sources: [{name: c, engine: gateway, communities: [2.999.40], asserts_home: us, " GATEWAY
     "}]",
     MAIN "14:77: error: asserts_home: expected one of own, asker, got 'us'\n"},
    {14, "sources: [{name: c, engine: gateway, communities: [2.999.40], tls: none, " GATEWAY "}]",
     MAIN "14:68: error: a gateway is asked over TLS only; remove 'tls: none'\n"},
    {14,
     "sources: [{name: c, engine: gateway, communities: [2.999.40], xcpd: 'http://127.0.0.1/x', "
     "query: 'https://c.example/q', retrieve: 'https://c.example/r'}]",
     MAIN "14:69: error: xcpd: 'http://127.0.0.1/x' is not encrypted; expected "
          "https://host[:port]/path\n"},
};

static void
test_mistakes(void)
{
    write_blue(0, NULL);
    write_gold(0, NULL);
    for (size_t i = 0; i < ARRAY_LEN(mistakes); i++) {
        write_main(mistakes[i].line, mistakes[i].instead);
        check_refused(mistakes[i].instead, mistakes[i].report);
    }
}

static void
load_good(const char *sources, struct loaded *loaded)
{
    write_main(14, sources);
    load(loaded);
    check_report(sources, &loaded->report, "");
    CU_ASSERT_FATAL(loaded->config != NULL);
}

/* Without a source, or with an empty list, the embedded store is the one. */
static void
test_default(void)
{
    static const char *const none[] = {"sources: []", "# nothing",
                                       "sources: [{name: own, engine: embedded}]"};

    for (size_t i = 0; i < ARRAY_LEN(none); i++) {
        struct loaded loaded;

        load_good(none[i], &loaded);
        const struct config *config = loaded.config;

        CU_ASSERT(config->sources_n == 1 && config->sources[0].is_embedded);
        CU_ASSERT(config->asks_store && !config_has_external(config));
        CU_ASSERT(config->reached_n == config->partners_n && config->partners_n == 2);
        CU_ASSERT_STRING_EQUAL(config->sources[0].community, "2.999.1");
        CU_ASSERT(config->sources[0].partner == NULL);
        unload(&loaded);
    }
}

static void
check_hospital(const struct config *config)
{
    const struct config_source *source = &config->sources[1];
    const struct partner *partner = source->partner;

    CU_ASSERT(!source->is_embedded && source->wants_assertion);
    CU_ASSERT_STRING_EQUAL(source->community, "2.999.1");
    CU_ASSERT_STRING_EQUAL(source->patient_authority, "2.999.77");
    CU_ASSERT_STRING_EQUAL(source->registry_url, "https://XDS.hospital.example:8443/registry");
    CU_ASSERT(source->repositories_n == 2);
    CU_ASSERT(partner == &config->partners[2] && partner->source == source);
    CU_ASSERT(partner->timeout_us == 5 * US_PER_S && partner->limits.connections == 7);
    CU_ASSERT(partner->addresses == PARTNER_ADDRESSES_PRIVATE);
    CU_ASSERT(partner->credential == config->node && partner->trust == config->partner_trust);
    /* each host of its URLs, once */
    CU_ASSERT(partner->tls_names.n == 2);
    CU_ASSERT_STRING_EQUAL(partner->tls_names.items[0], "xds.hospital.example");
    CU_ASSERT_STRING_EQUAL(partner->tls_names.items[1], "10.1.2.3");
}

static void
check_clinic(const struct config *config)
{
    const struct config_source *source = &config->sources[2];

    CU_ASSERT(source->partner == &config->partners[3] && source->partner->is_plain);
    CU_ASSERT_STRING_EQUAL(source->community, "2.999.5");
    CU_ASSERT_STRING_EQUAL(source->patient_authority, "2.999.1.1");
    CU_ASSERT(source->partner->credential == NULL && !source->wants_assertion);
}

static void
test_external(void)
{
    struct loaded loaded;

    load_good("sources:\n"
              "  - {name: own, engine: embedded}\n"
              "  - name: hospital\n"
              "    registry: {url: 'https://XDS.hospital.example:8443/registry'}\n"
              "    repositories:\n"
              "      2.999.30: https://xds.hospital.example/repository\n"
              "      urn:oid:2.999.31: https://10.1.2.3/repository\n"
              "    patient_authority: 2.999.77\n"
              "    security: assertion\n"
              "    timeout: 5s\n"
              "    limits: {connections: 7}\n"
              "  - name: clinic\n"
              "    community: 2.999.5\n"
              "    tls: none\n"
              "    registry: {url: 'http://[::1]:9000/r'}\n"
              "    repositories: {2.999.32: 'http://127.0.0.1:9000/p'}\n",
              &loaded);
    const struct config *config = loaded.config;

    CU_ASSERT(config->sources_n == 3 && config->partners_n == 2 && config->reached_n == 4);
    CU_ASSERT(config->asks_store && config_has_external(config));
    check_hospital(config);
    check_clinic(config);
    /* whose is it? */
    CU_ASSERT(config_is_own_community(config, SPAN("2.999.1")));
    CU_ASSERT(config_is_own_community(config, SPAN("2.999.5")));
    CU_ASSERT(!config_is_own_community(config, SPAN("2.999.2")));
    CU_ASSERT(config_source_of_repository(config, SPAN("2.999.31")) == &config->sources[1]);
    CU_ASSERT(config_source_of_repository(config, SPAN("2.999.32")) == &config->sources[2]);
    CU_ASSERT(config_source_of_repository(config, SPAN("2.999.1.2")) == NULL);
    /* it is no partner: nobody is it by a certificate, and no community of it is a partner's */
    CU_ASSERT(config_partner_of_community(config, SPAN("2.999.5")) == NULL);
    unload(&loaded);
}

/* Two sources of one community, and none of them the embedded store. */
static void
test_without_store(void)
{
    struct loaded loaded;

    load_good("sources:\n"
              "  - {name: a, community: 2.999.5, registry: {url: 'https://x/r'}, repositories: "
              "{2.999.30: 'https://x/p'}, tls: {names: [One.example]}}\n"
              "  - {name: b, community: 2.999.5, registry: {url: 'https://y/r'}, repositories: "
              "{2.999.31: 'https://y/p'}, tls: {names: [one.example]}}\n",
              &loaded);
    CU_ASSERT(!loaded.config->asks_store && config_has_external(loaded.config));
    CU_ASSERT(loaded.config->sources_n == 2);
    CU_ASSERT_STRING_EQUAL(loaded.config->sources[0].partner->tls_names.items[0], "one.example");
    unload(&loaded);
}

/* A participant's gateway is reached as a partner is, answers for its communities, and is none of
 * those who may ask. */
static void
test_gateway(void)
{
    const struct partner *gateway;
    const struct config *config;
    struct loaded loaded;

    load_good("sources:\n"
              "  - {name: own, engine: embedded}\n"
              "  - name: clinic\n"
              "    engine: gateway\n"
              "    communities: [2.999.40, urn:oid:2.999.41]\n"
              "    xcpd: https://gw.clinic.example/x\n"
              "    query: https://gw.clinic.example/q\n"
              "    retrieve: https://docs.clinic.example/r\n"
              "    asserts_home: asker\n"
              "    timeout: 5s\n",
              &loaded);
    config = loaded.config;
    CU_ASSERT(config->sources_n == 2 && config->reached_n == config->partners_n + 1);
    CU_ASSERT(config_has_external(config) && config_has_engine(config, CONFIG_ENGINE_GATEWAY));
    gateway = config_gateway_of_community(config, SPAN("2.999.41"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(gateway);
    CU_ASSERT(partner_is_behind(gateway) && gateway->source == &config->sources[1]);
    CU_ASSERT(config_gateway_of_community(config, SPAN("2.999.40")) == gateway);
    CU_ASSERT(config_gateway_of_community(config, SPAN("2.999.1")) == NULL);
    CU_ASSERT(config_is_own_community(config, SPAN("2.999.40")));
    CU_ASSERT(config_is_own_community(config, SPAN("2.999.41")));
    CU_ASSERT(config_partner_of_community(config, SPAN("2.999.40")) == NULL);
    CU_ASSERT_STRING_EQUAL(gateway->id, "clinic");
    CU_ASSERT_STRING_EQUAL(gateway->xcpd_url, "https://gw.clinic.example/x");
    CU_ASSERT_STRING_EQUAL(gateway->query_url, "https://gw.clinic.example/q");
    CU_ASSERT_STRING_EQUAL(gateway->retrieve_url, "https://docs.clinic.example/r");
    CU_ASSERT(gateway->source->wants_assertion && gateway->source->asserts_asker);
    CU_ASSERT_PTR_NULL(gateway->source->patient_authority);
    CU_ASSERT_EQUAL(gateway->timeout_us, 5 * US_PER_S);
    CU_ASSERT_EQUAL_FATAL(gateway->tls_names.n, 2);
    CU_ASSERT_STRING_EQUAL(gateway->tls_names.items[0], "gw.clinic.example");
    CU_ASSERT_STRING_EQUAL(gateway->tls_names.items[1], "docs.clinic.example");
    unload(&loaded);
}

/* Who has no documents is beside the store, which then is the source of documents. */
static void
test_suppliers(void)
{
    struct loaded loaded;

    load_good("sources:\n"
              "  - name: mpi\n"
              "    engine: pdq\n"
              "    url: https://MPI.example:8443/pdq\n"
              "    security: assertion\n"
              "    timeout: 2s\n"
              "  - name: xref\n"
              "    engine: pix\n"
              "    tls: none\n"
              "    url: http://127.0.0.1:9000/pix\n"
              "    patient_authority: 2.999.50\n"
              "    remember: 5m\n"
              "  - {name: other, engine: pix, url: 'https://x/pix', remember: never}\n",
              &loaded);
    const struct config *config = loaded.config;
    const struct config_source *sources = config->sources;

    CU_ASSERT(config->sources_n == 4 && config->reached_n == config->partners_n + 3);
    CU_ASSERT(config->asks_store && !config_has_external(config) && sources[3].is_embedded);
    CU_ASSERT(config_has_engine(config, CONFIG_ENGINE_PDQ) &&
              config_has_engine(config, CONFIG_ENGINE_PIX) &&
              !config_has_engine(config, CONFIG_ENGINE_XDS));
    CU_ASSERT(sources[0].engine == CONFIG_ENGINE_PDQ && sources[0].wants_assertion);
    CU_ASSERT_STRING_EQUAL(sources[0].supplier_url, "https://MPI.example:8443/pdq");
    CU_ASSERT_STRING_EQUAL(sources[0].community, "2.999.1");
    CU_ASSERT(sources[0].patient_authority == NULL && sources[0].registry_url == NULL);
    CU_ASSERT_STRING_EQUAL(sources[0].partner->tls_names.items[0], "mpi.example");
    CU_ASSERT(sources[0].partner->timeout_us == 2 * US_PER_S);
    CU_ASSERT(sources[0].partner->source == &sources[0]);
    CU_ASSERT(sources[1].partner->is_plain && sources[1].remember_us == 300 * US_PER_S);
    CU_ASSERT_STRING_EQUAL(sources[1].patient_authority, "2.999.50");
    CU_ASSERT_STRING_EQUAL(sources[2].patient_authority, "2.999.1.1");
    CU_ASSERT(sources[2].remember_us == 0);
    unload(&loaded);
}

/* The default of `remember`. */
static void
test_remember(void)
{
    struct loaded loaded;

    load_good("sources: [{name: xref, engine: pix, url: 'https://x/pix'}]", &loaded);
    CU_ASSERT(loaded.config->sources[0].remember_us == 3600 * US_PER_S);
    unload(&loaded);
}

static const struct unit_test tests[] = {
    {"make files and certificates", test_make_world},
    {"mistakes", test_mistakes},
    {"default", test_default},
    {"external", test_external},
    {"without the store", test_without_store},
    {"gateway", test_gateway},
    {"suppliers", test_suppliers},
    {"remember", test_remember},
};

UNIT_MAIN("sources", tests)
