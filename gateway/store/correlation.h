/*
 * What other communities told us of a patient: which id they know him by, or that they know nobody,
 * for as long as they allowed (CorrelationTimeToLive of ITI TF-2 3.55.4.2.2.8; its tuple is local
 * id, external community, external id, time). An answer belongs to the question that it answers: to
 * one with another name or address it may have been another, so the question's digest is part of
 * the key. Nothing is given out past its time; expired ones are removed when others are learned.
 *
 * The store owns what it keeps; what is found is copied to the caller's arena. Thread: any.
 * Waiting: as with store.h, by the park; SQLite answers now.
 */
#ifndef STORE_CORRELATION_H
#define STORE_CORRELATION_H

#include "base/digest.h"
#include "store/store.h"

/* Who was asked, of whom, and by which question. */
struct correlation_key {
    struct ident local; /* the patient's id where the question comes from; root empty: none */
    char question[SHA256_HEX]; /* correlation_digest */
    struct span asked;         /* the community that was asked, bare OID */
};

/* One patient of the answer. */
struct correlation_match {
    struct span community;  /* whose it is, bare OID; another than the one asked, perhaps */
    struct patient patient; /* ids[0]: the id to use there; names, birth time, sex, addresses and
                               telecoms; nothing else is kept */
    int degree;             /* -1: not said */
};
struct correlation_match_list {
    struct correlation_match *items;
    size_t n, capacity;
};

/* An answer. matches.n 0: nobody. */
struct correlation {
    struct correlation_key key;
    struct span partner; /* who gave it: label of the partner's file */
    struct correlation_match_list matches;
    int64_t learned_us, until_us; /* wall */
};

#define CORRELATION_MATCHES_MAX 64

/* The digest of who is asked for (names, birth time or range, sex, ids, addresses, telecoms, and
 * the rest of what a question says, in their order), and of who asks and what for: a community may
 * answer another asker in another way. */
MUST_CHECK struct status correlation_digest(const struct patient *question,
                                            const struct span_list *asker, struct diag *diag,
                                            char ret_digest[SHA256_HEX]);

/* Replaces what was known under each key, all or nothing. One that has expired or has more matches
 * than are kept is only forgotten. */
MUST_CHECK struct status store_learn_correlations(struct store *store,
                                                  const struct correlation *correlations, size_t n,
                                                  struct park *park, struct diag *diag,
                                                  enum answer *ret_answer);
/* What is known under the key now; *ret_is_known false: nothing. */
MUST_CHECK struct status store_find_correlation(struct store *store,
                                                const struct correlation_key *key,
                                                struct park *park, struct arena *arena,
                                                struct diag *diag, enum answer *ret_answer,
                                                bool *ret_is_known, struct correlation *ret_found);
/* Every id by which a community knows the patient of <local>, by whatever question; for ITI-45. */
MUST_CHECK struct status store_correlated_ids(struct store *store, const struct ident *local,
                                              struct park *park, struct arena *arena,
                                              struct diag *diag, enum answer *ret_answer,
                                              struct correlation_match_list *ret_matches);

/* ---- everything that is known of one patient (ITI-45, ITI-56) ---- */

/* An identifier that a partner told us, not past its time. */
struct correlated {
    struct ident id;
    struct span community; /* whose it is, bare OID */
    struct span partner;   /* who told: label of the partner's file */
    int64_t learned_us;    /* wall */
};
struct correlated_list {
    struct correlated *items;
    size_t n, capacity;
};
struct known_patient {
    bool is_known;         /* the patient index has the id, or a question was asked about it */
    struct ident_list ids; /* the index': ours first, then believable ones of sources */
    struct correlated_list correlated; /* under any of <ids>, or the id itself; each once */
};
MUST_CHECK struct status store_known_patient(struct store *store, const struct ident *id,
                                             struct park *park, struct arena *arena,
                                             struct diag *diag, enum answer *ret_answer,
                                             struct known_patient *ret_known);
/* Is <roots[i]> our own authority, or that of an identifier that is known here? */
MUST_CHECK struct status store_knows_domains(struct store *store, const struct span *roots,
                                             size_t n, struct park *park, struct diag *diag,
                                             enum answer *ret_answer, bool *ret_is_known);

/* What is to be forgotten: everything of one patient (local.root), of one partner, or all. */
struct correlation_forget {
    struct ident local;  /* root empty: everybody's */
    struct span partner; /* empty: everyone's */
};
MUST_CHECK struct status store_forget_correlations(struct store *store,
                                                   const struct correlation_forget *what,
                                                   struct diag *diag, uint64_t *ret_forgotten);

#endif
