# tests: the unit-test main and what the runners need (see Makefile.am).
check_LIBRARIES += libunit.a
libunit_a_SOURCES = tests/unit/unit.c tests/unit/unit.h tests/wire/keep.c tests/wire/keep.h
libunit_a_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)

# Preloaded by the audit order test; never sanitized (it runs inside sanitized programs, too).
ORDER_SHIM = tests/integration/order_shim.so
# As well, by the cases about a journal's disk that fails.
DISK_SHIM = tests/integration/disk_shim.so
check_DATA = $(ORDER_SHIM) $(DISK_SHIM)
CLEANFILES += $(ORDER_SHIM) $(DISK_SHIM)
$(ORDER_SHIM): $(srcdir)/tests/integration/order_shim.c
	@$(MKDIR_P) tests/integration
	$(AM_V_CC)$(CC) -shared -fPIC -O1 -o $@ $(srcdir)/tests/integration/order_shim.c -ldl
$(DISK_SHIM): $(srcdir)/tests/integration/disk_shim.c
	@$(MKDIR_P) tests/integration
	$(AM_V_CC)$(CC) -shared -fPIC -O1 -o $@ $(srcdir)/tests/integration/disk_shim.c
# The program, and what it writes is kept (tests/wire/keep.h).
noinst_PROGRAMS += tests/wire/isthmus
tests_wire_isthmus_SOURCES = gateway/cli/main.c tests/wire/keeping.c tests/wire/keep.c tests/wire/keep.h
tests_wire_isthmus_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=envelope_write_request,--wrap=envelope_write_answer \
	-Wl,--wrap=envelope_write_fault,--wrap=envelope_write_refusal,--wrap=audit_event_encode
tests_wire_isthmus_LDADD = $(gateway_isthmus_LDADD)
# For tests of codecs whose payloads are ours (test_passthrough hands on what others wrote): add $(KEPT_PAYLOADS) to the sources and LDFLAGS = $(PAYLOADS_WRAPPED).
KEPT_PAYLOADS = tests/wire/payloads.c tests/wire/keep.h
PAYLOADS_WRAPPED = $(AM_LDFLAGS) -Wl,--wrap=stored_query_write,--wrap=query_answer_write \
	-Wl,--wrap=retrieve_query_write,--wrap=retrieve_answer_write,--wrap=provide_request_write \
	-Wl,--wrap=registry_response_write,--wrap=xcpd_query_write,--wrap=xcpd_answer_write \
	-Wl,--wrap=pdq_query_write,--wrap=pdq_answer_write,--wrap=pdq_continuation_write \
	-Wl,--wrap=pix_query_write,--wrap=pix_answer_write \
	-Wl,--wrap=plq_query_write,--wrap=plq_answer_write
tests_unit_test_pdq_LDFLAGS = $(PAYLOADS_WRAPPED)
tests_unit_test_pix_LDFLAGS = $(PAYLOADS_WRAPPED)
tests_unit_test_plq_LDFLAGS = $(PAYLOADS_WRAPPED)
tests_unit_test_xcpd_LDFLAGS = $(PAYLOADS_WRAPPED)
tests_unit_test_xca_LDFLAGS = $(PAYLOADS_WRAPPED)
tests_unit_test_xca_answer_LDFLAGS = $(PAYLOADS_WRAPPED)
tests_unit_test_xca_retrieve_LDFLAGS = $(PAYLOADS_WRAPPED)
tests_unit_test_xdr_LDFLAGS = $(PAYLOADS_WRAPPED)
EXTRA_DIST += tests/wire/validate
# What samples of other systems say.
check_PROGRAMS += tests/unit/test_samples
tests_unit_test_samples_SOURCES = tests/unit/test_samples.c tests/unit/sample_facts.c \
	tests/unit/sample_facts.h tests/unit/sample_more.c $(CODEC_SUPPORT)
tests_unit_test_samples_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_ccda_people
tests_unit_test_ccda_people_SOURCES = tests/unit/test_ccda_people.c tests/unit/sample_facts.c \
	tests/unit/sample_facts.h tests/unit/sample_more.c $(CODEC_SUPPORT)
tests_unit_test_ccda_people_LDADD = $(UNIT_LIBS)
EXTRA_DIST += tests/samples/make-ccda-facts tests/samples/ccda.facts
EXTRA_DIST += tests/samples/make-facts tests/samples/epr-by-example.facts tests/samples/ipf.facts \
	tests/samples/ipf-hl7v3.facts tests/samples/nist-toolkit.facts tests/samples/sds-ehdsi.facts
EXTRA_DIST += tests/check tests/lint tests/dist tests/demonstration tests/README.md tests/valgrind.supp tests/integration/run \
	tests/integration/large tests/integration/collectors tests/integration/local_client.py tests/integration/supplier.py \
	tests/integration/repository.py \
	tests/integration/manager.py tests/integration/order_check \
	tests/integration/order_shim.c tests/integration/disk_shim.c gateway/bootstrap.sh gateway/demo gateway/README.md gateway/THREATS.md \
	tests/mutants/README.md tests/mutants/run tests/mutants/build.py tests/mutants/mutations.py tests/mutants/list.tsv tests/mutants/candidates.tsv \
	gateway/cli/README.md LICENSE README.md .clang-format
