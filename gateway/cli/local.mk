# gateway/cli: sources and unit tests (see Makefile.am).
