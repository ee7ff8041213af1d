# gateway/net: sources and unit tests (see Makefile.am).
libisthmus_a_SOURCES += \
	gateway/net/answer.c \
	gateway/net/connection.c gateway/net/connection.h \
	gateway/net/http1.c gateway/net/http1.h \
	gateway/net/http1_answer.c \
	gateway/net/http1_body.c \
	gateway/net/inherited.c \
	gateway/net/listener.c \
	gateway/net/load.c gateway/net/load.h \
	gateway/net/loop.c \
	gateway/net/opening.c \
	gateway/net/parked.c \
	gateway/net/parts.h \
	gateway/net/quota.c gateway/net/quota.h \
	gateway/net/rate.c gateway/net/rate.h \
	gateway/net/record.c \
	gateway/net/reload.c \
	gateway/net/request.c \
	gateway/net/server.c gateway/net/server.h \
	gateway/net/terms.c \
	gateway/net/watch.c

check_PROGRAMS += tests/unit/test_http1
tests_unit_test_http1_LDADD = $(UNIT_LIBS)

EXTRA_DIST += gateway/net/README.md

NET_FIXTURE = tests/unit/net_fixture.c tests/unit/net_fixture.h
check_PROGRAMS += tests/unit/test_server
tests_unit_test_server_SOURCES = tests/unit/test_server.c $(NET_FIXTURE)
tests_unit_test_server_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_server_limits
tests_unit_test_server_limits_SOURCES = tests/unit/test_server_limits.c $(NET_FIXTURE)
tests_unit_test_server_limits_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_server_time
tests_unit_test_server_time_SOURCES = tests/unit/test_server_time.c $(NET_FIXTURE)
tests_unit_test_server_time_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_server_edge
tests_unit_test_server_edge_SOURCES = tests/unit/test_server_edge.c $(NET_FIXTURE)
tests_unit_test_server_edge_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_server_caps
tests_unit_test_server_caps_SOURCES = tests/unit/test_server_caps.c $(NET_FIXTURE)
tests_unit_test_server_caps_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_server_parked
tests_unit_test_server_parked_SOURCES = tests/unit/test_server_parked.c $(NET_FIXTURE)
tests_unit_test_server_parked_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_server_reload
tests_unit_test_server_reload_SOURCES = tests/unit/test_server_reload.c $(NET_FIXTURE)
tests_unit_test_server_reload_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_server_watch
tests_unit_test_server_watch_SOURCES = tests/unit/test_server_watch.c $(NET_FIXTURE)
tests_unit_test_server_watch_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_server_listeners
tests_unit_test_server_listeners_SOURCES = tests/unit/test_server_listeners.c $(NET_FIXTURE)
tests_unit_test_server_listeners_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_server_shed
tests_unit_test_server_shed_SOURCES = tests/unit/test_server_shed.c $(NET_FIXTURE)
tests_unit_test_server_shed_LDADD = $(UNIT_LIBS)
