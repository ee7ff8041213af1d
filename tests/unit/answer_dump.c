/*
 * Facts as lines (see the header). What is not written cannot be compared: every member is.
 */
#include "answer_dump.h"

#include "soap/envelope.h"

static struct diag ignored; /* the buffer's limit is far away: the comparison would show it */

static void
put(struct buf *out, const char *name, struct span value)
{
    if (value.n > 0) {
        (void)!is_ok(buf_printf(out, &ignored, " %s='%.*s'", name, SPAN_PRINT(value)));
    }
}

static void
put_list(struct buf *out, const char *name, const struct span_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        (void)!is_ok(buf_printf(out, &ignored, " %s[%zu]", name, i));
        put(out, "", list->items[i]);
    }
}

static void
put_code(struct buf *out, const char *name, const struct code *code)
{
    (void)!is_ok(buf_printf(out, &ignored, "\n  %s", name));
    put(out, "value", code->value);
    put(out, "scheme", code->scheme);
    put(out, "display", code->display);
}

static void
put_codes(struct buf *out, const char *name, const struct code_list *codes)
{
    for (size_t i = 0; i < codes->n; i++) {
        put_code(out, name, &codes->items[i]);
    }
}

static void
put_authors(struct buf *out, const struct author_list *authors)
{
    for (size_t i = 0; i < authors->n; i++) {
        const struct author *author = &authors->items[i];

        (void)!is_ok(buf_printf(out, &ignored, "\n  author"));
        put_list(out, "institutions", &author->more_institutions);
        put_list(out, "roles", &author->more_roles);
        put_list(out, "specialties", &author->more_specialties);
        put_list(out, "telecoms", &author->more_telecoms);
        put(out, "person", author->person);
        put(out, "institution", author->institution);
        put(out, "role", author->role);
        put(out, "specialty", author->specialty);
        put(out, "telecom", author->telecom);
    }
}

static void
put_texts(struct buf *out, const struct document_entry *entry)
{
    const struct {
        const char *name;
        struct span value;
    } rows[] = {
        {"uuid", entry->entry_uuid},
        {"unique", entry->unique_id},
        {"home", entry->home},
        {"repository", entry->repository},
        {"patient", entry->patient_id},
        {"mime", entry->mime_type},
        {"type", entry->object_type},
        {"status", entry->status},
        {"title", entry->title},
        {"comments", entry->comments},
        {"created", entry->creation_time},
        {"start", entry->service_start},
        {"stop", entry->service_stop},
        {"language", entry->language},
        {"hash", entry->hash},
        {"uri", entry->uri},
        {"authenticator", entry->legal_authenticator},
        {"source", entry->source_patient_id},
        {"lid", entry->lid},
        {"availability", entry->availability},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        put(out, rows[i].name, rows[i].value);
    }
}

static void
put_extra(struct buf *out, const struct extra_slot_list *extra)
{
    for (size_t i = 0; i < extra->n; i++) {
        put(out, "extra", extra->items[i].name);
        put_list(out, "values", &extra->items[i].values);
    }
}

static void
put_entry(struct buf *out, const struct document_entry *entry, bool has_text)
{
    (void)!is_ok(buf_printf(out, &ignored, "entry %d %d %llu", entry->has_size ? 1 : 0,
                            entry->is_limited ? 1 : 0, (unsigned long long)entry->size));
    put_texts(out, entry);
    put_list(out, "info", &entry->source_patient_info);
    put_list(out, "reference", &entry->reference_ids);
    put_code(out, "class", &entry->class_code);
    put_code(out, "type", &entry->type_code);
    put_code(out, "format", &entry->format_code);
    put_code(out, "facility", &entry->facility_type);
    put_code(out, "practice", &entry->practice_setting);
    put_codes(out, "confidentiality", &entry->confidentiality);
    put_codes(out, "event", &entry->event_codes);
    put(out, "xml", has_text ? entry->xml : SPAN_EMPTY);
    put_authors(out, &entry->authors);
    put_extra(out, &entry->extra);
    (void)!is_ok(buf_printf(out, &ignored, "\n"));
}

static void
put_set(struct buf *out, const struct submission_set *set, bool has_text)
{
    const struct span texts[] = {set->entry_uuid, set->lid,         set->unique_id,      set->home,
                                 set->source_id,  set->patient_id,  set->status,         set->title,
                                 set->comments,   set->target_home, set->submission_time};
    (void)!is_ok(buf_printf(out, &ignored, "set %d", set->is_limited ? 1 : 0));
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        (void)!is_ok(buf_printf(out, &ignored, " %zu", i));
        put(out, "", texts[i]);
    }
    put(out, "xml", has_text ? set->xml : SPAN_EMPTY);
    put_list(out, "recipients", &set->intended_recipients);
    put_code(out, "content", &set->content_type);
    put_authors(out, &set->authors);
    put_extra(out, &set->extra);
    (void)!is_ok(buf_printf(out, &ignored, "\n"));
}

static void
put_folder(struct buf *out, const struct folder *folder, bool has_text)
{
    const struct span texts[] = {folder->entry_uuid, folder->lid,        folder->unique_id,
                                 folder->home,       folder->patient_id, folder->last_update,
                                 folder->status,     folder->title,      folder->comments};
    (void)!is_ok(buf_printf(out, &ignored, "folder %d", folder->is_limited ? 1 : 0));
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        (void)!is_ok(buf_printf(out, &ignored, " %zu", i));
        put(out, "", texts[i]);
    }
    put(out, "xml", has_text ? folder->xml : SPAN_EMPTY);
    put_codes(out, "code", &folder->codes);
    put_extra(out, &folder->extra);
    (void)!is_ok(buf_printf(out, &ignored, "\n"));
}

static void
put_association(struct buf *out, const struct association *a, bool has_text)
{
    const struct span texts[] = {a->entry_uuid, a->home,
                                 a->type,       a->source,
                                 a->target,     a->submission_set_status,
                                 a->status,     a->previous_version};
    (void)!is_ok(buf_printf(out, &ignored, "association"));
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        (void)!is_ok(buf_printf(out, &ignored, " %zu", i));
        put(out, "", texts[i]);
    }
    put(out, "xml", has_text ? a->xml : SPAN_EMPTY);
    put_code(out, "documentation", &a->documentation);
    put_extra(out, &a->extra);
    (void)!is_ok(buf_printf(out, &ignored, "\n"));
}

void
objects_dump(const struct registry_objects *objects, bool has_texts, struct buf *out)
{
    for (size_t i = 0; i < objects->documents.n; i++) {
        put_entry(out, &objects->documents.items[i], has_texts);
    }
    for (size_t i = 0; i < objects->submission_sets.n; i++) {
        put_set(out, &objects->submission_sets.items[i], has_texts);
    }
    for (size_t i = 0; i < objects->folders.n; i++) {
        put_folder(out, &objects->folders.items[i], has_texts);
    }
    for (size_t i = 0; i < objects->associations.n; i++) {
        put_association(out, &objects->associations.items[i], has_texts);
    }
    if (has_texts) {
        put_list(out, "other", &objects->others);
    }
}

void
answer_dump(const struct query_answer *answer, struct buf *out)
{
    (void)!is_ok(buf_printf(out, &ignored, "status %d\n", (int)answer->status));
    for (size_t i = 0; i < answer->errors.n; i++) {
        const struct registry_error *error = &answer->errors.items[i];

        (void)!is_ok(buf_printf(out, &ignored, "error %d", error->is_warning ? 1 : 0));
        put(out, "code", error->code);
        put(out, "context", error->context);
        put(out, "location", error->location);
        (void)!is_ok(buf_printf(out, &ignored, "\n"));
    }
    (void)!is_ok(buf_printf(out, &ignored, "dropped %zu\n", answer->dropped));
    objects_dump(&answer->objects, true, out);
    for (size_t i = 0; i < answer->refs.n; i++) {
        (void)!is_ok(buf_printf(out, &ignored, "ref"));
        put(out, "home", answer->refs.items[i].home);
        put(out, "id", answer->refs.items[i].unique_id);
        (void)!is_ok(buf_printf(out, &ignored, "\n"));
    }
}

static struct status
read_to(struct span envelope, bool in_pieces, struct arena *arena, struct diag *diag,
        struct buf *out)
{
    struct message_limits limits = message_limits_answer();
    struct query_answer answer;
    struct message *message = NULL;

    if (in_pieces) {
        TRY(query_answer_pieces(arena, arena, diag, &limits.pieces));
    }
    TRY(message_read(envelope, SPAN(SOAP_CONTENT_TYPE), &limits, arena, diag, &message));
    TRY(query_answer_read(message, arena, diag, &answer));
    answer_dump(&answer, out);
    return OK;
}

static enum err
read_one_way(struct span envelope, bool in_pieces, struct buf *out)
{
    struct arena *const arena = arena_new((size_t)256 * 1024 * 1024);
    struct diag diag = {0};
    const struct status st = read_to(envelope, in_pieces, arena, &diag, out);

    if (!is_ok(st)) {
        (void)!is_ok(buf_append_cstr(out, err_name(st.code), &ignored));
    }
    arena_free(arena);
    return st.code;
}

bool
answer_read_twice(struct span envelope, struct buf *tree, struct buf *pieces, enum err *ret_code)
{
    *ret_code = read_one_way(envelope, false, tree);
    (void)read_one_way(envelope, true, pieces);
    return span_eq(buf_span(tree), buf_span(pieces));
}
