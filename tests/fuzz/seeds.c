/*
 * Writes the genuine inputs of the corpora with the gateway's own writers:
 *
 *   seeds tests/fuzz/corpus
 *
 * Targets whose inputs are edits or short texts have theirs in the corpus as they are. Thread: one.
 */
#include <stdio.h>

#include "base/clock.h"
#include "fuzz/fuzz.h"
#include "soap/mcci.h"
#include "soap/pdq.h"
#include "soap/pix.h"
#include "soap/plq.h"
#include "soap/xca.h"
#include "soap/xcpd.h"

static const char *folder;

#define MUST(call)                                                                                 \
    do {                                                                                           \
        const struct status must_st_ = (call);                                                     \
        FUZZ_MUST(is_ok(must_st_), "%s: %s", err_name(must_st_.code), diag.text);                  \
    } while (0)

/* <first>: the byte that chooses, or -1. */
static void
save(const char *target, const char *name, int first, struct span content)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/%s/seed-%s", folder, target, name);
    FILE *const file = fopen(path, "w");
    FUZZ_MUST(file != NULL, "cannot write %s", path);
    FUZZ_MUST(first < 0 || fputc(first, file) == first, "writing %s", path);
    FUZZ_MUST(fwrite(content.p, 1, content.n, file) == content.n && fclose(file) == 0, "writing %s",
              path);
}

/* ---- XCPD ---- */

static struct span given[] = {{"Ann", 3}, {"Q.", 2}};
static struct span street[] = {{"1 Main St", 9}, {"Apt. 2", 6}};
static struct person_name person[] = {
    {.family = {"O'Brien", 7}, .given = {given, 2, 2}, .prefix = {"Dr.", 3}, .suffix = {"Jr.", 3}},
    {.family = {"Lee", 3}, .given = {given, 1, 1}},
};
static struct ident idents[] = {
    {.root = {"2.999.1.9", 9}, .extension = {"P1", 2}},
    {.root = {"2.16.840.1.113883.4.1", 21}, .extension = {"000000001", 9}}};
static struct address home[] = {{.street = {street, 2, 2},
                                 .city = {"Springfield", 11},
                                 .state = {"IL", 2},
                                 .postal_code = {"62701", 5},
                                 .country = {"US", 2}}};
static struct telecom phone[] = {{.value = {"tel:+1-555-0100", 15}, .use = {"HP", 2}}};
static const struct patient ann = {
    .ids = {idents, 2, 2},
    .names = {person, 2, 2},
    .birth_time = {"19470501", 8},
    .sex = {"F", 1},
    .addresses = {home, 1, 1},
    .telecoms = {phone, 1, 1},
};

static struct patient
everything_of_ann(void)
{
    static struct code races[] = {
        {.value = {"2106-3", 6}, .scheme = {"2.16.840.1.113883.6.238", 23}}};
    static struct span places[] = {{"Springfield", 11}};
    struct patient everything = ann;
    everything.mothers_maiden_names = (struct name_list){&person[1], 1, 1};
    everything.birth_place_names = (struct span_list){places, 1, 1};
    everything.birth_place_addresses = ann.addresses;
    everything.deceased = PATIENT_YES;
    everything.deceased_time = SPAN("20240229");
    everything.multiple_birth = PATIENT_YES;
    everything.birth_order = 2;
    everything.races = (struct code_list){races, 1, 1};
    return everything;
}

static void
save_xcpd(struct arena *arena)
{
    struct diag diag = {0};
    struct span asked = SPAN_EMPTY;
    struct buf out;
    struct xcpd_query query = {
        .id = {.root = SPAN("2.999.1"), .extension = SPAN("m1")},
        .query_id = {.root = SPAN("2.999.5"), .extension = SPAN("q1")},
        .sender_home = SPAN("2.999.1"),
        .receiver_home = SPAN("2.999.2"),
        .creation_us = INT64_C(1800000000) * US_PER_S,
        .subject = ann,
    };
    struct span issues[] = {SPAN("PatientAddressRequested")};
    struct xcpd_match matches[] = {{.patient = ann, .home = SPAN("2.999.4"), .degree = 90},
                                   {.patient = ann, .degree = -1}};
    const struct {
        const char *name;
        struct xcpd_answer answer;
    } answers[] = {
        {"match", {.result = XCPD_MATCH, .matches = {matches, 2, 2}}},
        {"ambiguous", {.result = XCPD_AMBIGUOUS, .issues = {issues, 1, 1}}},
        {"none", {.result = XCPD_NONE}},
        {"error", {.result = XCPD_ERROR}},
    };
    query.subject.mothers_maiden_names = (struct name_list){&person[1], 1, 1};
    buf_init(&out, (size_t)64 * 1024);
    MUST(xcpd_query_write(&query, arena, &out, &diag, &asked));
    save("xcpd_query", "full", -1, buf_span(&out));
    struct span back[] = {SPAN("2.999.1.9")};
    struct xcpd_query later = query;
    later.subject = everything_of_ann();
    later.subject.birth_time = SPAN_EMPTY;
    later.subject.birth_range =
        (struct time_range){.low = SPAN("1946"), .high = SPAN("1948"), .is_high_excluded = true};
    later.subject.care_providers = (struct ident_list){idents, 1, 1};
    later.reverse_authorities = (struct span_list){back, 1, 1};
    later.minimum_degree = 75;
    later.match_algorithm = SPAN("exact");
    later.is_deferred = true;
    later.respond_to = SPAN("https://a.example/deferred");
    buf_reset(&out);
    MUST(xcpd_query_write(&later, arena, &out, &diag, &asked));
    save("xcpd_query", "deferred", -1, buf_span(&out));
    query.query_xml = asked;
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        buf_reset(&out);
        MUST(xcpd_answer_write(&query, &answers[i].answer, SPAN("2.999.2"), query.creation_us, &out,
                               &diag));
        save("xcpd_answer", answers[i].name, -1, buf_span(&out));
    }
    buf_done(&out);
}

/* ---- ITI-47, ITI-45, ITI-56 and acknowledgements ---- */

static struct hl7_domain domains[] = {{.root = {"2.999.4", 7}}, {.root = {"2.999.6", 7}}};
static struct span domain_roots[] = {{"2.999.6", 7}};

static void
save_demographics(struct arena *arena, struct buf *out)
{
    struct diag diag = {0};
    struct span asked = SPAN_EMPTY;
    struct xcpd_query query = {
        .id = {.root = SPAN("2.999.1"), .extension = SPAN("m1")},
        .query_id = {.root = SPAN("2.999.5"), .extension = SPAN("q1")},
        .sender_home = SPAN("2.999.1"),
        .subject = everything_of_ann(),
        .domains = {domains, 2, 2},
        .initial_quantity = 3,
    };
    struct xcpd_match match = {.patient = everything_of_ann(),
                               .degree = 80,
                               .own_ids = 1,
                               .missing_domains = {domain_roots, 1, 1}};
    const struct xcpd_answer answer = {
        .result = XCPD_MATCH,
        .matches = {&match, 1, 1},
        .quantities = {.is_known = true, .total = 9, .current = 1, .remaining = 8}};
    const struct pdq_continuation more = {
        .id = query.id, .query_id = query.query_id, .start = 4, .quantity = 10};
    buf_reset(out);
    MUST(pdq_query_write(&query, arena, out, &diag, &asked));
    save("hl7_question", "demographics", -1, buf_span(out));
    query.query_xml = asked;
    buf_reset(out);
    MUST(pdq_answer_write(&query, &answer, SPAN("2.999.2"), 0, out, &diag));
    save("hl7_answer", "demographics", -1, buf_span(out));
    buf_reset(out);
    MUST(pdq_continuation_write(&more, out, &diag));
    save("hl7_question", "continuation", -1, buf_span(out));
}

static void
save_references(struct arena *arena, struct buf *out)
{
    struct diag diag = {0};
    struct span asked = SPAN_EMPTY;
    struct pix_query query = {
        .id = {.root = SPAN("2.999.1"), .extension = SPAN("m1")},
        .query_id = {.root = SPAN("2.999.5"), .extension = SPAN("q1")},
        .sender_home = SPAN("2.999.1"),
        .patient = {.root = SPAN("2.999.3"), .extension = SPAN("1")},
        .sources = {domains, 2, 2},
    };
    const struct {
        const char *name;
        struct pix_answer answer;
    } answers[] = {
        {"found", {.result = PIX_FOUND, .ids = {idents, 2, 2}}},
        {"nothing", {.result = PIX_NONE}},
        {"patient", {.result = PIX_UNKNOWN_PATIENT}},
        {"source", {.result = PIX_UNKNOWN_SOURCE, .unknown = {1}, .unknown_n = 1}},
    };
    buf_reset(out);
    MUST(pix_query_write(&query, arena, out, &diag, &asked));
    save("hl7_question", "reference", -1, buf_span(out));
    query.query_xml = asked;
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        buf_reset(out);
        MUST(pix_answer_write(&query, &answers[i].answer, SPAN("2.999.2"), 0, out, &diag));
        save("hl7_answer", answers[i].name, -1, buf_span(out));
    }
}

static void
save_locations(struct arena *arena, struct buf *out)
{
    struct diag diag = {0};
    const struct ident patient = {.root = SPAN("2.999.3"), .extension = SPAN("1")};
    struct plq_location there[] = {{.home = SPAN("2.999.2"), .patient = idents[0]}};
    struct mcci refusal = {.sender_home = SPAN("2.999.2"), .receiver_home = SPAN("2.999.1")};
    buf_reset(out);
    MUST(plq_query_write(&patient, out, &diag));
    save("hl7_question", "location", -1, buf_span(out));
    buf_reset(out);
    MUST(plq_answer_write(&patient, &(struct plq_location_list){there, 1, 1}, out, &diag));
    save("hl7_answer", "location", -1, buf_span(out));
    buf_reset(out);
    MUST(mcci_unsupported_mode(arena, &diag, &refusal.said));
    refusal.said.target = patient;
    MUST(mcci_write(&refusal, out, &diag));
    save("hl7_answer", "refusal", -1, buf_span(out));
}

static void
save_hl7(struct arena *arena)
{
    struct buf out;
    buf_init(&out, (size_t)64 * 1024);
    save_demographics(arena, &out);
    save_references(arena, &out);
    save_locations(arena, &out);
    buf_done(&out);
}

/* ---- ITI-38 and ITI-39 ---- */

static struct code codes[] = {
    {.value = {"34133-9", 7}, .scheme = {"2.16.840.1.113883.6.1", 21}, .display = {"Summary", 7}}};
static struct author authors[] = {{.person = {"^Lee^Ann", 8}, .institution = {"Blue HIE", 8}}};

static struct document_entry
full_entry(void)
{
    return (struct document_entry){
        .entry_uuid = SPAN("urn:uuid:00000000-0000-4000-8000-000000000002"),
        .unique_id = SPAN("2.999.7.1^a1"),
        .home = SPAN("urn:oid:2.999.2"),
        .repository = SPAN("2.999.2.2"),
        .patient_id = SPAN("P1^^^&2.999.1.9&ISO"),
        .mime_type = SPAN("text/xml"),
        .object_type = SPAN(DOCUMENT_STABLE),
        .status = SPAN(DOCUMENT_APPROVED),
        .title = SPAN("Summary & more"),
        .creation_time = SPAN("20261122103000"),
        .service_start = SPAN("20261101"),
        .language = SPAN("en-US"),
        .hash = SPAN("da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        .size = 5,
        .has_size = true,
        .class_code = codes[0],
        .type_code = codes[0],
        .format_code = DOCUMENT_ANY_FORMAT,
        .facility_type = DOCUMENT_ANY_FACILITY,
        .practice_setting = DOCUMENT_ANY_PRACTICE,
        .confidentiality = {codes, 1, 1},
        .authors = {authors, 1, 1},
    };
}

static void
save_query(struct arena *arena)
{
    struct diag diag = {0};
    struct span asked = SPAN_EMPTY;
    struct buf out;
    struct span patient[] = {SPAN("P1^^^&2.999.1.9&ISO")};
    struct span statuses[] = {SPAN(DOCUMENT_APPROVED), SPAN("it's")};
    struct query_param params[] = {
        {.name = SPAN("$XDSDocumentEntryPatientId"), .values = {patient, 1, 1}},
        {.name = SPAN("$XDSDocumentEntryStatus"), .values = {statuses, 2, 2}, .is_multiple = true},
    };
    const struct stored_query query = {.id = SPAN(XCA_FIND_DOCUMENTS),
                                       .home = SPAN("urn:oid:2.999.2"),
                                       .wants_leaf_class = true,
                                       .params = {params, 2, 2}};
    struct document_entry entry = full_entry();
    struct document_ref refs[] = {
        {.home = entry.home, .repository = entry.repository, .unique_id = entry.entry_uuid}};
    struct registry_error errors[] = {
        {.code = SPAN("XDSRegistryError"), .context = SPAN("c"), .location = SPAN("l")}};
    const struct query_answer answer = {.status = REGISTRY_PARTIAL_SUCCESS,
                                        .errors = {errors, 1, 1},
                                        .objects.documents = {&entry, 1, 1},
                                        .refs = {refs, 1, 1}};
    buf_init(&out, (size_t)64 * 1024);
    MUST(stored_query_write(&query, arena, &out, &diag, &asked));
    save("regrep", "query", 0, buf_span(&out));
    buf_reset(&out);
    MUST(query_answer_write(&answer, arena, &out, &diag));
    save("regrep", "query-answer", 1, buf_span(&out));
    buf_done(&out);
}

static void
save_retrieve(struct arena *arena)
{
    struct diag diag = {0};
    struct buf out;
    struct document_ref refs[] = {{.home = SPAN("urn:oid:2.999.2"),
                                   .repository = SPAN("2.999.2.2"),
                                   .unique_id = SPAN("2.999.7.1")}};
    const struct document_ref_list list = {refs, 1, 1};
    struct retrieved_document document = {.ref = refs[0], .mime_type = SPAN("text/xml")};
    struct retrieve_answer answer = {.status = REGISTRY_SUCCESS, .documents = {&document, 1, 1}};
    body_init(&document.body);
    buf_init(&out, (size_t)64 * 1024);
    MUST(retrieve_query_write(&list, arena, &out, &diag));
    save("regrep", "retrieve", 0, buf_span(&out));
    buf_reset(&out);
    MUST(retrieve_answer_write(&answer, arena, &out, &diag));
    save("regrep", "retrieve-answer", 1, buf_span(&out));
    body_done(&document.body);
    buf_done(&out);
}

int
main(int argc, char **argv)
{
    FUZZ_MUST(argc == 2, "usage: seeds FOLDER");
    folder = argv[1];
    struct arena *const arena = fuzz_arena();
    save_xcpd(arena);
    save_hl7(arena);
    save_query(arena);
    save_retrieve(arena);
    arena_free(arena);
    return 0;
}
