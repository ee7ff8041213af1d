/*
 * The synthetic world: people, how each community wrote them down, the documents about them, the
 * files in which those lie, and the questions whose answers are known because the people were made
 * for them. Built by cases.c through the functions below, written out by generate.c.
 *
 * Owner: generate.c; everything lives in the world's arena. Failures are sticky: build everything,
 * then look at world->status once. Same seed and options, same world. Thread: one.
 */
#ifndef SYNTH_WORLD_H
#define SYNTH_WORLD_H

#include "base/digest.h"
#include "tests/synth/names.h"
#include "tests/synth/random.h"
#include "tests/synth/rules.h"
#include "tests/synth/spelling.h"

/* The hard cases put people into five roles; each case deals the roles to communities anew. */
#define WORLD_ROLES           5
#define WORLD_COMMUNITIES_MAX 26

struct world_community {
    struct span name;     /* folder */
    struct span oid;      /* 2.999.<n>, n from 1 in the order given */
    size_t next_document; /* number for the next document's header */
    size_t next_record;   /* for the next patient's record number */
};

/* Who somebody is, or how a clerk writes it down: cases copy one and change the copy. */
struct world_identity {
    size_t person;
    struct span family, given, further; /* further: second given name or initial, or empty */
    struct span birth_family;           /* a second name with use BR, or empty */
    struct span birth;                  /* YYYYMMDD, or with time and zone, or less */
    struct span sex;                    /* M, F, or empty: the clerk wrote unknown */
    struct span record_number;          /* empty: the community gives its next one */
    struct span ssn;                    /* social security number, or empty */
    struct span street, phone;
    const struct names_town *town;
};

struct world_registration {
    size_t community;
    struct world_identity identity; /* as written there */
};

struct world_document {
    size_t registration;
    size_t kind; /* index in ccda_kinds */
    struct span id_root, id_extension;
    const char *confidentiality; /* HL7 code */
    int year, month, day;        /* when it was made */
    size_t least_bytes;          /* it is filled up to this size */
    uint64_t seed;               /* of everything else in it */
    char sha256[SHA256_HEX];     /* once written */
    size_t bytes;
};

/* A document may lie in several communities, and twice in one. */
struct world_file {
    size_t document;
    size_t community;
    struct span path; /* relative to the output folder */
};

struct world_question {
    const char *name, *note; /* of the case */
    size_t asker;            /* community */
    struct world_identity who;
    /* How the case was made to be answered, by community: 'M' match, 'A' ambiguous, '-' none. */
    char plan[WORLD_COMMUNITIES_MAX];
};

#define WORLD_LIST(type)                                                                           \
    struct {                                                                                       \
        type *items;                                                                               \
        size_t n, capacity;                                                                        \
    }

struct world {
    struct arena *arena;
    struct diag *diag;
    struct status status;
    struct random random;
    uint64_t seed;
    struct world_community communities[WORLD_COMMUNITIES_MAX];
    size_t communities_n;
    size_t roles[WORLD_COMMUNITIES_MAX]; /* role to community; the first WORLD_ROLES are dealt */
    size_t persons;
    size_t family_order[256]; /* shuffled; the next unused family name */
    size_t families_used;
    WORLD_LIST(struct world_registration) registrations;
    WORLD_LIST(struct world_document) documents;
    WORLD_LIST(struct world_file) files;
    WORLD_LIST(struct world_question) questions;
};

/* <names> is "red,green,...": at least WORLD_ROLES different names of letters, digits, '-'. */
void world_init(struct world *world, struct arena *arena, uint64_t seed, struct span names,
                struct diag *diag);
void world_deal(struct world *world); /* roles to communities, by chance */

/* A new person with a family name that no other call gives, until the list is used up; then the
 * names repeat but never with the same given name and birth date. */
struct world_identity world_person(struct world *world, char sex);
/* The same home and telephone, another person. */
struct world_identity world_sibling(struct world *world, const struct world_identity *of);
struct span world_spell(struct world *world, struct span name, enum spelling spelling);
struct span world_text(struct world *world, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Writes a person down in a community, with <n> documents there; returns the first one's index. A
 * person keeps the record number that a community gave first. */
size_t world_register(struct world *world, const struct world_identity *as, size_t community,
                      size_t n);
struct world_document *world_document(struct world *world, size_t index);
/* The same bytes once more. */
void world_copy(struct world *world, size_t document, size_t community);

/* <plan> has one character per role; communities without a role must not match. */
void world_ask(struct world *world, const char *name, const char *note, size_t asker_role,
               const struct world_identity *who, const char plan[WORLD_ROLES + 1]);

/* What the hard cases are (cases.c), and people around them. */
void cases_make(struct world *world);
void cases_fill(struct world *world, size_t people);

#endif
