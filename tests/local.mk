# tests: the unit-test main and what the runners need (see Makefile.am).
check_LIBRARIES += libunit.a
libunit_a_SOURCES = tests/unit/unit.c tests/unit/unit.h
libunit_a_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)

# Preloaded by the audit order test; never sanitized (it runs inside sanitized programs, too).
ORDER_SHIM = tests/integration/order_shim.so
check_DATA = $(ORDER_SHIM)
CLEANFILES += $(ORDER_SHIM)
$(ORDER_SHIM): $(srcdir)/tests/integration/order_shim.c
	@$(MKDIR_P) tests/integration
	$(AM_V_CC)$(CC) -shared -fPIC -O1 -o $@ $(srcdir)/tests/integration/order_shim.c -ldl
EXTRA_DIST += tests/check tests/lint tests/dist tests/demonstration tests/README.md tests/valgrind.supp tests/integration/run tests/integration/large tests/integration/local_client.py \
	tests/integration/manager.py tests/integration/order_check \
	tests/integration/order_shim.c gateway/bootstrap.sh gateway/demo gateway/README.md gateway/THREATS.md \
	tests/mutants/README.md tests/mutants/run tests/mutants/build.py tests/mutants/mutations.py tests/mutants/list.tsv tests/mutants/candidates.tsv \
	gateway/cli/README.md LICENSE README.md .clang-format
