# tests/fault: faults of disk, process and network against the journal (see Makefile.am). Built by `make check`, so that it
# cannot rot, but no tests: tests/fault/run runs them.
FAULT_BINARIES = tests/fault/fault
EXTRA_PROGRAMS += $(FAULT_BINARIES)
check_DATA += $(FAULT_BINARIES)
CLEANFILES += $(FAULT_BINARIES)
FAULT_KIT = tests/fault/fault.h tests/fault/disk.c tests/fault/disk.h tests/fault/disk_log.c tests/fault/disk_log.h tests/fault/image.c tests/fault/image.h \
	tests/fault/medium.c tests/fault/medium.h tests/fault/work.c tests/fault/work.h tests/fault/keeper.c tests/fault/keeper.h \
	tests/fault/kills.c tests/fault/states.c tests/fault/errors.c tests/fault/damage.c
# What the journal asks of the disk comes to disk.c.
FAULT_WRAPPED = $(AM_LDFLAGS) -Wl,--wrap=open,--wrap=__open_2,--wrap=close,--wrap=write,--wrap=pwrite \
	-Wl,--wrap=fsync,--wrap=fdatasync,--wrap=ftruncate,--wrap=posix_fallocate \
	-Wl,--wrap=rename,--wrap=link,--wrap=unlink,--wrap=mkdir
tests_fault_fault_SOURCES = tests/fault/fault.c tests/fault/nodes.c tests/fault/nodes.h tests/bench/requests.c tests/bench/requests.h tests/bench/partner.h $(FAULT_KIT)
tests_fault_fault_LDFLAGS = $(FAULT_WRAPPED)
tests_fault_fault_LDADD = $(MIMALLOC_LIBS) $(ISTHMUS_LIBS)
check_PROGRAMS += tests/unit/test_journal_faults
tests_unit_test_journal_faults_SOURCES = tests/unit/test_journal_faults.c $(FAULT_KIT)
tests_unit_test_journal_faults_LDFLAGS = $(FAULT_WRAPPED)
tests_unit_test_journal_faults_LDADD = $(UNIT_LIBS)
EXTRA_DIST += tests/fault/README.md tests/fault/run tests/fault/collector.py
