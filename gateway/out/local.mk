# gateway/out: sources and unit tests (see Makefile.am).
libisthmus_a_SOURCES += \
	gateway/out/address.c \
	gateway/out/boundaries.c \
	gateway/out/breaker.c \
	gateway/out/crl_feed.c gateway/out/crl_feed.h \
	gateway/out/engine.c \
	gateway/out/explain.c \
	gateway/out/fetch.c gateway/out/fetch.h \
	gateway/out/era.c \
	gateway/out/health.c \
	gateway/out/lookup.c gateway/out/lookup.h \
	gateway/out/names.c gateway/out/names.h \
	gateway/out/options.c \
	gateway/out/out.h \
	gateway/out/parts.h \
	gateway/out/peer_check.c \
	gateway/out/pool.c \
	gateway/out/post.c gateway/out/post.h \
	gateway/out/probe.c \
	gateway/out/server_status.c \
	gateway/out/syslog.c gateway/out/syslog.h \
	gateway/out/tickets.c \
	gateway/out/transfer.c \
	gateway/out/turn.c \
	gateway/out/wait.c gateway/out/wait.h

OUT_FIXTURE = tests/unit/out_fixture.c tests/unit/out_fixture.h $(NET_FIXTURE)
check_PROGRAMS += tests/unit/test_out
tests_unit_test_out_SOURCES = tests/unit/test_out.c $(OUT_FIXTURE)
tests_unit_test_out_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_out_connections
tests_unit_test_out_connections_SOURCES = tests/unit/test_out_connections.c $(OUT_FIXTURE)
tests_unit_test_out_connections_LDADD = $(UNIT_LIBS)
EXTRA_DIST += gateway/out/README.md
WEB_KIT = tests/unit/web_kit.c tests/unit/web_kit.h
check_PROGRAMS += tests/unit/test_fetch
tests_unit_test_fetch_SOURCES = tests/unit/test_fetch.c $(WEB_KIT)
tests_unit_test_fetch_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_out_status
tests_unit_test_out_status_SOURCES = tests/unit/test_out_status.c $(OUT_FIXTURE) \
	tests/unit/ocsp_kit.c tests/unit/ocsp_kit.h $(WEB_KIT)
tests_unit_test_out_status_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_trust_online
tests_unit_test_trust_online_SOURCES = tests/unit/test_trust_online.c tests/unit/ocsp_kit.c \
	tests/unit/ocsp_kit.h $(NET_FIXTURE) $(WEB_KIT)
tests_unit_test_trust_online_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_out_engine
tests_unit_test_out_engine_SOURCES = tests/unit/test_out_engine.c $(OUT_FIXTURE)
tests_unit_test_out_engine_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_large_exchange
tests_unit_test_large_exchange_SOURCES = tests/unit/test_large_exchange.c $(OUT_FIXTURE)
tests_unit_test_large_exchange_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_out_turns
tests_unit_test_out_turns_SOURCES = tests/unit/test_out_turns.c $(OUT_FIXTURE)
tests_unit_test_out_turns_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_out_names
tests_unit_test_out_names_SOURCES = tests/unit/test_out_names.c $(OUT_FIXTURE)
tests_unit_test_out_names_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_out_sockets
tests_unit_test_out_sockets_SOURCES = tests/unit/test_out_sockets.c $(OUT_FIXTURE)
tests_unit_test_out_sockets_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_out_proxy
tests_unit_test_out_proxy_SOURCES = tests/unit/test_out_proxy.c $(OUT_FIXTURE)
tests_unit_test_out_proxy_LDADD = $(UNIT_LIBS)
