# policies: sources, unit tests, and the rule files that are shipped (see Makefile.am).
libisthmus_a_SOURCES += \
	policies/policy.c policies/policy.h \
	policies/policy_load.c policies/rules.h \
	policies/policy_shipped.c
# Only policy_shipped.c uses these: where the rule files are after and before `make install`.
AM_CPPFLAGS += -DISTHMUS_DATA_DIR='"$(pkgdatadir)"' -DISTHMUS_SOURCE_DIR='"$(abs_top_srcdir)"' \
	-DISTHMUS_BUILD_DIR='"$(abs_top_builddir)"'
EXTRA_DIST += policies/README.md

policiesdir = $(pkgdatadir)/policies
dist_policies_DATA = policies/tefca.yaml policies/demonstration.yaml

check_PROGRAMS += tests/unit/test_policy tests/unit/test_policy_load
tests_unit_test_policy_LDADD = $(UNIT_LIBS)
tests_unit_test_policy_load_LDADD = $(UNIT_LIBS)
