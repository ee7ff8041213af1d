# gateway/net: sources and unit tests (see Makefile.am).
