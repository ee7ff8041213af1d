# gateway/txn: sources and unit tests (see Makefile.am).
