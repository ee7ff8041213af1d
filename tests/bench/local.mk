# tests/bench: what trust costs beside its floor (see Makefile.am). Built by `make check`, so that it
# cannot rot, but no test: tests/bench/run runs it.
EXTRA_PROGRAMS += tests/bench/bench_trust
check_DATA += tests/bench/bench_trust$(EXEEXT)
tests_bench_bench_trust_SOURCES = tests/bench/bench_trust.c $(SOAP_KIT)
tests_bench_bench_trust_LDADD = $(UNIT_LIBS)
CLEANFILES += tests/bench/bench_trust$(EXEEXT)
EXTRA_DIST += tests/bench/README.md tests/bench/run
