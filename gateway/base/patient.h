/*
 * A person as health messages describe one: what a C-CDA header, an XCPD query and a registry
 * share. All spans and arrays live in one arena (the builder's); nothing here owns memory. Thread:
 * whoever owns the arena.
 */
#ifndef BASE_PATIENT_H
#define BASE_PATIENT_H

#include "base/arena.h"

/* HL7 v3 II: an id in the namespace of an assigning authority. */
struct ident {
    struct span root;      /* OID of the assigning authority (or the id itself when no extension) */
    struct span extension; /* empty: the root alone identifies */
    struct span authority; /* assigningAuthorityName, for people only */
};
struct ident_list {
    struct ident *items;
    size_t n, capacity;
};

struct span_list {
    struct span *items;
    size_t n, capacity;
};
struct span_list_set { /* AND of ORs */
    struct span_list *items;
    size_t n, capacity;
};

struct person_name {
    struct span family;     /* several family parts joined by one space */
    struct span_list given; /* in order: first, then further names or initials */
    struct span prefix;
    struct span suffix;
    struct span use; /* HL7 code (L, P, ...) or empty */
};
struct name_list {
    struct person_name *items;
    size_t n, capacity;
};

struct address {
    struct span_list street;
    struct span city;
    struct span state;
    struct span postal_code;
    struct span country;
    struct span use;
};
struct address_list {
    struct address *items;
    size_t n, capacity;
};

struct telecom {
    struct span value; /* URL: tel:..., mailto:... as it came */
    struct span use;
};
struct telecom_list {
    struct telecom *items;
    size_t n, capacity;
};

/* A code from a code system: nodeRepresentation, codingScheme, display name. */
struct code {
    struct span value;
    struct span scheme; /* OID, bare */
    struct span display;
};
struct code_list {
    struct code *items;
    size_t n, capacity;
};

#define PATIENT_BIRTH_ORDER_MAX 64 /* more are no births of one day */

/* Said, said not to be, or not said. */
enum patient_flag { PATIENT_UNSAID, PATIENT_NO, PATIENT_YES };

/* IVL<TS>: ends as they came, empty where that side is open. */
struct time_range {
    struct span low, high;
    bool is_low_excluded, is_high_excluded; /* HL7: inclusive="false" */
};

/* Who vouches for one of the ids (asOtherIDs/scopingOrganization), where it is not the owner of the
 * id's own root, and what the id is for. */
struct id_scope {
    size_t id;                /* which of patient.ids */
    struct span organization; /* root OID; empty: the id's own root */
    struct span class_code;   /* HL7 RoleClass: PAT, CIT, ...; empty when not said */
};
struct id_scope_list {
    struct id_scope *items;
    size_t n, capacity;
};

/* A person described (a document, an answer) or asked for (a query). Several values of one kind are
 * alternatives: any of them may be the right one. */
struct patient {
    struct ident_list ids; /* an answer: ids[0] is the one to use, asOtherIDs follow */
    struct name_list names;
    struct span birth_time; /* HL7 TS as it came: digits YYYYMMDD[...]; empty when absent */
    struct span sex;        /* M, F, UN (HL7 AdministrativeGender) or empty when absent or null */
    struct address_list addresses;
    struct telecom_list telecoms;
    struct time_range birth_range; /* queries only, and only without birth_time */
    struct name_list mothers_maiden_names;
    struct span_list birth_place_names;
    struct address_list birth_place_addresses;
    struct ident_list care_providers; /* principal care providers, an NPI for instance */
    struct id_scope_list scopes;      /* of ids; few or none */
    enum patient_flag deceased;
    struct span deceased_time; /* HL7 TS as it came; empty when not said */
    enum patient_flag multiple_birth;
    unsigned birth_order; /* multiple birth: 1 is the first; 0 when not said */
    struct code marital_status, religion;
    struct code_list races, ethnicities,
        languages; /* for people only: nothing is decided by them */
};

/* The CX form of XDS metadata, id^^^&OID&ISO (ITI TF-3 Table 4.2.3.1.7-2). */
MUST_CHECK struct status ident_write_cx(struct arena *arena, const struct ident *id,
                                        struct diag *diag, struct span *ret_cx);
/* Reads CX; ERR_MESSAGE_CONTENT unless it has an id and a valid OID with type ISO. */
MUST_CHECK struct status ident_read_cx(struct span cx, struct diag *diag, struct ident *ret_id);
bool ident_eq(const struct ident *a, const struct ident *b); /* root and extension */
bool ident_list_has(const struct ident_list *ids, const struct ident *id);

#endif
