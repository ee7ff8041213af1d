# gateway/audit: sources and unit tests (see Makefile.am).
libisthmus_a_SOURCES += \
	gateway/audit/chain.c gateway/audit/chain.h \
	gateway/audit/commit.c \
	gateway/audit/event.c gateway/audit/event.h \
	gateway/audit/journal.c gateway/audit/journal.h gateway/audit/journal_state.h \
	gateway/audit/message.c gateway/audit/message_objects.c gateway/audit/message_rows.h \
	gateway/audit/reader.c \
	gateway/audit/record.c gateway/audit/record.h \
	gateway/audit/recovery.c \
	gateway/audit/segment.c gateway/audit/segment.h
