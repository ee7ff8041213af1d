/*
 * The result of everything that can fail.
 *
 * struct status is a struct and not an int so that the compiler refuses to mix it with one: a
 * dropped result, a 0 that means "good" here and "false" there, cannot be written. The detail of a
 * failure is in a struct diag (diag.h); a status is only the code. Thread: any.
 */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

#include <stdbool.h>

#include "base/err_table.h"

#define ERR_ENUM_ROW(name, class, http, fault, ihe, text) ERR_##name,
enum err { ERR_NONE, ERR_TABLE(ERR_ENUM_ROW) ERR_COUNT };
#undef ERR_ENUM_ROW

enum err_class {
    ERR_CLASS_NONE,
    ERR_CLASS_MESSAGE,  /* the sender's message is wrong */
    ERR_CLASS_SECURITY, /* it does not prove what it must */
    ERR_CLASS_POLICY,   /* it is proven, and not allowed */
    ERR_CLASS_PARTNER,  /* somebody we asked failed */
    ERR_CLASS_LIMIT,    /* it costs more than we give */
    ERR_CLASS_CONFIG,   /* the operator must change something */
    ERR_CLASS_INTERNAL  /* our machine or our bug */
};

enum err_fault {
    ERR_FAULT_NONE,  /* not a fault: answered inside a normal response */
    ERR_FAULT_PLAIN, /* refused before an envelope was recognised: one line of text */
    ERR_FAULT_SENDER,
    ERR_FAULT_RECEIVER,
    ERR_FAULT_MUST_UNDERSTAND,
    ERR_FAULT_VERSION_MISMATCH,
    ERR_FAULT_WSA_HEADER,
    ERR_FAULT_WSA_ACTION,
    ERR_FAULT_WSSE_INVALID_SECURITY,
    ERR_FAULT_WSSE_INVALID_TOKEN,
    ERR_FAULT_WSSE_FAILED_CHECK,
    ERR_FAULT_WSSE_FAILED_AUTHENTICATION
};

struct status {
    enum err code;
};

#define MUST_CHECK   __attribute__((warn_unused_result))
#define OK           ((struct status){ERR_NONE})
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Leave the current function, which must return struct status, when <call> failed. */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        const struct status try_st_ = (call);                                                      \
        if (try_st_.code != ERR_NONE) {                                                            \
            return try_st_;                                                                        \
        }                                                                                          \
    } while (0)

static inline bool
is_ok(struct status st)
{
    return st.code == ERR_NONE;
}

/* The columns of err_table.h. For ERR_NONE: "NONE", ERR_CLASS_NONE, 200, ERR_FAULT_NONE, "", "". */
const char *err_name(enum err code);
enum err_class err_class(enum err code);
const char *err_class_name(enum err_class class);
int err_http_status(enum err code);
enum err_fault err_fault(enum err code);
const char *err_ihe_code(enum err code);
const char *err_public_text(enum err code);

#endif
