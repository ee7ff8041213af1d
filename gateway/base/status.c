/*
 * The columns of err_table.h as functions. Called by whoever logs, audits or answers a failure;
 * constant data only, any thread.
 */
#include "base/status.h"

struct err_row {
    const char *name;
    enum err_class class;
    enum err_fault fault;
    int http_status;
    const char *ihe_code;
    const char *public_text;
};

#define ERR_ROW(name, class, http, fault, ihe, text)                                               \
    [ERR_##name] = {#name, ERR_CLASS_##class, ERR_FAULT_##fault, http, ihe, text},
static const struct err_row err_rows[ERR_COUNT] = {
    [ERR_NONE] = {"NONE", ERR_CLASS_NONE, ERR_FAULT_NONE, 200, "", ""}, ERR_TABLE(ERR_ROW)};
#undef ERR_ROW

/* A code out of range is a bug of ours, but one that must not take down who reports it. */
static const struct err_row *
row_of(enum err code)
{
    const unsigned index = (unsigned)code;
    return &err_rows[index < ERR_COUNT ? index : ERR_INTERNAL];
}

const char *
err_name(enum err code)
{
    return row_of(code)->name;
}

enum err_class
err_class(enum err code)
{
    return row_of(code)->class;
}

const char *err_class_name(enum err_class class)
{
    switch (class) {
    case ERR_CLASS_NONE:
        return "none";
    case ERR_CLASS_MESSAGE:
        return "message";
    case ERR_CLASS_SECURITY:
        return "security";
    case ERR_CLASS_POLICY:
        return "policy";
    case ERR_CLASS_PARTNER:
        return "partner";
    case ERR_CLASS_LIMIT:
        return "limit";
    case ERR_CLASS_CONFIG:
        return "config";
    case ERR_CLASS_INTERNAL:
        return "internal";
    }
    return "internal";
}

int
err_http_status(enum err code)
{
    return row_of(code)->http_status;
}

enum err_fault
err_fault(enum err code)
{
    return row_of(code)->fault;
}

const char *
err_ihe_code(enum err code)
{
    return row_of(code)->ihe_code;
}

const char *
err_public_text(enum err code)
{
    return row_of(code)->public_text;
}
