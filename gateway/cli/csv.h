/*
 * Fields of comma-separated values (RFC 4180) that came from elsewhere. Thread: any.
 */
#ifndef CLI_CSV_H
#define CLI_CSV_H

#include "base/buf.h"

/* Appends the field in quotation marks and what ends it: a comma, or behind a row's last one CR LF.
 * Shown as text_show does; what a spreadsheet would take for a formula has an apostrophe in front.
 */
MUST_CHECK struct status csv_field(struct buf *out, struct span text, bool is_last,
                                   struct diag *diag);

#endif
