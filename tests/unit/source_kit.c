/*
 * What the scenario tests of sources share.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "soap/envelope.h"
#include "source_kit.h"

struct scene sources_scene;
struct arena *sources_arena;
struct scene_reply sources_reply;
struct scene_stored sources_isabella;

struct place *
sources_green(void)
{
    return scene_place(&sources_scene, "green");
}

/* ---- green's sources ---- */

static void
read_text(const char *path, char *text, size_t size)
{
    FILE *file = fopen(path, "r");

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    text[fread(text, 1, size - 1, file)] = '\0';
    (void)fclose(file);
}

#define NO_SOURCES "sources: []\n"
#define CHANGES    4

/* What green's file says now; and the configurations of before, which questions still name. */
static const char *sources_now;
static const struct config *replaced[CHANGES];
static size_t replaced_n;

void
sources_change(const char *sources)
{
    struct place *place = sources_green();
    const char *path = place->config->path;
    const struct config *config = NULL;
    struct yaml_report report;
    struct diag diag = {0};
    char text[32768], *at;
    FILE *file;

    read_text(path, text, sizeof(text));
    at = strstr(text, sources_now);
    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    (void)fprintf(file, "%.*s%s%s", (int)(at - text), text, sources, at + strlen(sources_now));
    sources_now = sources;
    CU_ASSERT_EQUAL(fclose(file), 0);
    yaml_report_init(&report);
    if (!CHECK_OK(&diag, config_load(path, clock_system(), &report, &diag, &config))) {
        printf("\n%.*s", SPAN_PRINT(buf_span(&report.text)));
    }
    yaml_report_done(&report);
    CU_ASSERT_PTR_NOT_NULL_FATAL(config);
    CU_ASSERT_FATAL(replaced_n < CHANGES);
    replaced[replaced_n++] = place->config;
    place->config = place->node.config = config;
}

void
sources_open(const char *sources)
{
    struct span given[1] = {SPAN("Isabella")};
    struct person_name name[1] = {{.family = SPAN("Jones"), .given = {given, 1, 1}}};
    struct ident ids[1] = {{.root = SPAN("2.999.77"), .extension = SPAN("H-1")}};
    const struct patient patient = {.names = {name, 1, 1},
                                    .birth_time = SPAN("19470501"),
                                    .sex = SPAN("F"),
                                    .ids = {ids, 1, 1}};

    sources_arena = kit_open_green(&sources_scene);
    scene_add_marked_document(sources_green(), &patient, "N",
                              "<ClinicalDocument>third</ClinicalDocument>", &sources_isabella);
    sources_now = NO_SOURCES;
    sources_change(sources);
}

void
sources_close(void)
{
    kit_close_green(&sources_scene, sources_arena);
    while (replaced_n > 0) {
        config_unref(replaced[--replaced_n]);
    }
}

/* ---- what the sources are asked ---- */

size_t
sources_question(const char *source)
{
    const size_t i = kit_question_to(&sources_scene, source);

    CU_ASSERT_NOT_EQUAL_FATAL(i, SIZE_MAX);
    CU_ASSERT_EQUAL(sources_scene.questions[i].undurable, 0);
    return i;
}

bool
sources_was_asked(size_t question, const char *text)
{
    return span_find(buf_span(&sources_scene.questions[question].body), span_of_cstr(text)) !=
           SPAN_MISSING;
}

size_t
sources_count(const char *source)
{
    size_t n = 0;

    for (size_t i = 0; i < sources_scene.questions_n; i++) {
        n += strcmp(sources_scene.questions[i].to->id, source) == 0 ? 1 : 0;
    }
    return n;
}

/* ---- what the sources answer ---- */

static struct document_entry
entry_of(const struct given *given, size_t i)
{
    struct document_entry entry = {
        .home = span_of_cstr(given->home == NULL ? NO_HOME : given->home),
        .unique_id = span_of_cstr(given->unique_id),
        .repository = span_of_cstr(given->repository),
        .patient_id = span_of_cstr(given->patient),
        .mime_type = SPAN("text/xml"),
        .title = SPAN("Of a source"),
        .status = SPAN(DOCUMENT_APPROVED),
        .object_type = SPAN("urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1"),
        .creation_time = SPAN("20260102030405"),
        .language = SPAN("en-US"),
        .type_code = {SPAN("34133-9"), SPAN("2.16.840.1.113883.6.1"), SPAN("Summary")},
        .class_code = {SPAN("34133-9"), SPAN("2.16.840.1.113883.6.1"), SPAN("Summary")},
        .format_code = {SPAN("urn:hl7-org:sdwg:ccda-structuredBody:2.1"),
                        SPAN("1.3.6.1.4.1.19376.1.2.3"), SPAN("C-CDA")},
        .facility_type = {SPAN("385432009"), SPAN("2.16.840.1.113883.6.96"), SPAN("N/A")},
        .practice_setting = {SPAN("385432009"), SPAN("2.16.840.1.113883.6.96"), SPAN("N/A")},
    };
    const struct code code = {
        .value = span_of_cstr(given->confidentiality == NULL ? "N" : given->confidentiality),
        .scheme = SPAN("2.16.840.1.113883.5.25")};
    struct diag diag = {0};

    CHECK_OK(&diag, arena_printf(sources_arena, &diag, &entry.entry_uuid,
                                 "urn:uuid:00000000-0000-4000-8000-%06zu%06zu",
                                 sources_scene.questions_n, i));
    CHECK_OK(&diag, ARENA_PUSH(sources_arena, &diag, &entry.confidentiality, code));
    return entry;
}

/* Without the homes that the writer insists on: a registry knows of none. */
static void
strip(struct buf *payload, const char *what)
{
    struct diag diag = {0};
    struct span rest = buf_span(payload);
    struct buf stripped;
    size_t at;

    buf_init(&stripped, (size_t)1024 * 1024);
    while ((at = span_find(rest, span_of_cstr(what))) != SPAN_MISSING) {
        CHECK_OK(&diag, buf_append(&stripped, span_slice(rest, 0, at), &diag));
        rest = span_slice(rest, at + strlen(what), rest.n);
    }
    CHECK_OK(&diag, buf_append(&stripped, rest, &diag));
    buf_done(payload);
    *payload = stripped;
}

static struct span
message_id_of(const struct scene_question *question)
{
    const struct span body = buf_span(&question->body);
    const size_t at = span_find(body, SPAN("MessageID"));
    const struct span rest = span_slice(body, at, body.n);
    const size_t urn = span_find(rest, SPAN("urn:uuid:"));

    return span_slice(rest, urn, strlen("urn:uuid:") + UUID_TEXT - 1);
}

static void
answer(size_t i, enum soap_transaction transaction, const struct buf *payload,
       const struct retrieve_answer *documents)
{
    const struct soap_transaction_row *row = soap_transaction(transaction);
    const struct envelope_answer parts = {.action = span_of_cstr(row->response_action),
                                          .relates_to = message_id_of(&sources_scene.questions[i]),
                                          .message_id = SPAN("urn:uuid:11111111-1111-4111-8111-"
                                                             "111111111111"),
                                          .payload = buf_span(payload)};
    char content_type[512] = SOAP_CONTENT_TYPE;
    struct mtom_part mtom[4];
    struct diag diag = {0};
    struct buf envelope, package;
    const size_t n = documents == NULL ? 0 : documents->documents.n;

    buf_init(&envelope, (size_t)1024 * 1024);
    buf_init(&package, (size_t)1024 * 1024);
    CHECK_OK(&diag, envelope_write_answer(&parts, &envelope, &diag));
    for (size_t d = 0; d < n; d++) {
        const struct retrieved_document *document = &documents->documents.items[d];

        mtom[d] = (struct mtom_part){document->content_id, document->mime_type, &document->body};
    }
    if (row->is_mtom) {
        CHECK_OK(&diag, mtom_write(buf_span(&envelope), mtom, n, span_of_cstr(row->response_action),
                                   &package, &diag, content_type));
    }
    scene_answer(&sources_scene, i, 200, content_type,
                 row->is_mtom ? buf_span(&package) : buf_span(&envelope));
    buf_done(&envelope);
    buf_done(&package);
}

void
sources_answer_payload(size_t i, enum soap_transaction transaction, const struct buf *payload)
{
    answer(i, transaction, payload, NULL);
}

void
sources_answer_objects(const char *source, const struct registry_objects *objects)
{
    sources_answer_question(sources_question(source), objects);
}

void
sources_answer_question(size_t i, const struct registry_objects *objects)
{
    const struct query_answer answered = {.status = REGISTRY_SUCCESS, .objects = *objects};
    struct diag diag = {0};
    struct buf payload;

    CU_ASSERT(sources_was_asked(i, soap_transaction(SOAP_ITI_18)->request_action));
    buf_init(&payload, (size_t)1024 * 1024);
    CHECK_OK(&diag, query_answer_write(&answered, sources_arena, &payload, &diag));
    strip(&payload, " home=\"" NO_HOME "\"");
    answer(i, SOAP_ITI_18, &payload, NULL);
    buf_done(&payload);
}

struct document_entry
sources_entry(const struct given *given, const char *entry_uuid)
{
    struct document_entry entry = entry_of(given, 0);

    entry.entry_uuid = span_of_cstr(entry_uuid);
    return entry;
}

void
sources_answer(const char *source, const struct given *given, size_t n)
{
    struct query_answer entries = {.status = REGISTRY_SUCCESS};
    struct diag diag = {0};

    for (size_t d = 0; d < n; d++) {
        CHECK_OK(&diag, ARENA_PUSH(sources_arena, &diag, &entries.objects.documents,
                                   entry_of(&given[d], d)));
    }
    sources_answer_objects(source, &entries.objects);
}

/* A repository gives this document. */
void
sources_give(const char *source, const char *unique_id, const char *repository, const char *bytes)
{
    const size_t i = sources_question(source);
    struct retrieved_document document = {
        .ref = {.repository = span_of_cstr(repository), .unique_id = span_of_cstr(unique_id)},
        .mime_type = SPAN("text/xml")};
    struct retrieve_answer given = {.status = REGISTRY_SUCCESS};
    struct diag diag = {0};
    struct buf payload, content;

    CU_ASSERT(sources_was_asked(i, soap_transaction(SOAP_ITI_43)->request_action));
    CU_ASSERT(sources_was_asked(i, unique_id) && sources_was_asked(i, repository));
    buf_init(&content, 4096);
    buf_init(&payload, (size_t)1024 * 1024);
    CHECK_OK(&diag, buf_append_cstr(&content, bytes, &diag));
    body_from_buf(&document.body, &content);
    CHECK_OK(&diag, ARENA_PUSH(sources_arena, &diag, &given.documents, document));
    CHECK_OK(&diag, retrieve_answer_write(&given, sources_arena, &payload, &diag));
    answer(i, SOAP_ITI_43, &payload, &given);
    retrieve_answer_done(&given);
    buf_done(&payload);
}

/* ---- what green is asked, and answers ---- */

void
sources_ask_green(const char *home)
{
    struct span patient[1] = {span_of_cstr(sources_isabella.patient_id)};
    struct span status[1] = {SPAN(DOCUMENT_APPROVED)};
    struct query_param params[2] = {
        {.name = SPAN("$XDSDocumentEntryPatientId"), .values = {patient, 1, 1}},
        {.name = SPAN("$XDSDocumentEntryStatus"), .values = {status, 1, 1}, .is_multiple = true},
    };
    const struct stored_query query = {
        .id = SPAN(XCA_FIND_DOCUMENTS),
        .home = home == NULL ? SPAN_EMPTY : span_of_cstr(home),
        .wants_leaf_class = true,
        .params = {params, 2, 2},
    };

    kit_send_query(&sources_scene, &query, &sources_reply);
}

struct query_answer
sources_answer_of_green(void)
{
    struct query_answer got;

    CU_ASSERT_FATAL(sources_reply.is_here);
    kit_read_query_answer(&sources_reply, sources_arena, &got);
    return got;
}

const struct document_entry *
sources_find(const struct query_answer *got, const char *unique_id)
{
    for (size_t i = 0; i < got->objects.documents.n; i++) {
        if (span_eq_cstr(got->objects.documents.items[i].unique_id, unique_id)) {
            return &got->objects.documents.items[i];
        }
    }
    return NULL;
}
