# gateway/admin: metrics and health, and what monitoring needs to read them.
libisthmus_a_SOURCES += \
	gateway/admin/admin.c gateway/admin/admin.h \
	gateway/admin/exposition.c gateway/admin/exposition.h \
	gateway/admin/families.c \
	gateway/admin/ready.c

check_PROGRAMS += tests/unit/test_admin
tests_unit_test_admin_SOURCES = tests/unit/test_admin.c $(CONFIG_WORLD)
tests_unit_test_admin_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_ready
tests_unit_test_ready_SOURCES = tests/unit/test_ready.c $(CONFIG_WORLD) $(JOURNAL_KIT)
tests_unit_test_ready_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_admin_partners
tests_unit_test_admin_partners_SOURCES = tests/unit/test_admin_partners.c $(OUT_FIXTURE)
tests_unit_test_admin_partners_LDADD = $(UNIT_LIBS)
EXTRA_DIST += gateway/admin/README.md
monitoringdir = $(pkgdatadir)/monitoring
dist_monitoring_DATA = gateway/admin/alerts.yaml gateway/admin/dashboard.json
