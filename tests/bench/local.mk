# tests/bench: what things cost beside their floors (see Makefile.am). Built by `make check`, so that
# it cannot rot, but no tests: tests/bench/run runs them.
BENCH_BINARIES = tests/bench/bench_audit tests/bench/bench_trust tests/bench/load tests/bench/partner
EXTRA_PROGRAMS += $(BENCH_BINARIES)
check_DATA += $(BENCH_BINARIES)
CLEANFILES += $(BENCH_BINARIES)
BENCH_KIT = tests/bench/meter.c tests/bench/meter.h tests/bench/floor.c tests/bench/floor.h
tests_bench_bench_trust_SOURCES = tests/bench/bench_trust.c $(BENCH_KIT) $(SOAP_KIT)
tests_bench_bench_trust_LDADD = $(MIMALLOC_LIBS) $(UNIT_LIBS)
tests_bench_bench_audit_SOURCES = tests/bench/bench_audit.c tests/bench/disk.c tests/bench/disk.h \
	tests/bench/writers.c tests/bench/writers.h tests/bench/meter.c tests/bench/meter.h
# The node's malloc, because the node appends with it.
tests_bench_bench_audit_LDADD = $(MIMALLOC_LIBS) $(ISTHMUS_LIBS)
tests_bench_load_SOURCES = tests/bench/load.c tests/bench/load.h tests/bench/load_respond.c \
	tests/bench/load_connections.c tests/bench/load_time.c tests/bench/load_broker.c tests/bench/load_broker.h \
	tests/bench/load_fanout.c tests/bench/load_isolation.c tests/bench/load_large.c tests/bench/load_import.c tests/bench/partner.h tests/bench/requests.c tests/bench/requests.h \
	tests/bench/drive.c tests/bench/drive.h tests/bench/wire.c tests/bench/wire.h tests/bench/echo.c tests/bench/echo.h $(BENCH_KIT)
# The floor's parse and echo run with the node's malloc, because the node does.
tests_bench_load_LDADD = $(MIMALLOC_LIBS) $(ISTHMUS_LIBS)
tests_bench_partner_SOURCES = tests/bench/partner.c tests/bench/partner.h tests/bench/partner_make.c \
	tests/bench/partner_answer.c tests/bench/partner_server.c tests/bench/partner_server.h
tests_bench_partner_LDADD = $(MIMALLOC_LIBS) $(ISTHMUS_LIBS) -lm
EXTRA_DIST += tests/bench/README.md tests/bench/run
