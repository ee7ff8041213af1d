# gateway/audit: sources and unit tests (see Makefile.am).
