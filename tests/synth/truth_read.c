/*
 * Reads what truth.c wrote. Called by the comparer and by `synth person`.
 */
#include <string.h>

#include "tests/synth/json_read.h"
#include "tests/synth/truth.h"

static struct status
community_index(const struct json_file *file, const struct truth *truth, struct span oid,
                size_t *ret_index)
{
    for (size_t i = 0; i < truth->communities.n; i++) {
        if (span_eq(truth->communities.items[i].oid, oid)) {
            *ret_index = i;
            return OK;
        }
    }
    return FAIL(file->diag, ERR_MESSAGE_CONTENT, "%s: no community '%.*s' in it", file->path,
                SPAN_PRINT(oid));
}

static struct status
read_document(const struct json_file *file, const json_t *object,
              struct truth_document *ret_document)
{
    struct truth_document document = {0};
    json_t *paths, *path;
    size_t i;

    TRY(json_take_text(file, object, "sha256", false, &document.sha256));
    TRY(json_take_number(file, object, "bytes", &document.bytes));
    TRY(json_take_text(file, object, "type", true, &document.type));
    TRY(json_take_text(file, object, "title", true, &document.title));
    TRY(json_take_text(file, object, "confidentiality", true, &document.confidentiality));
    TRY(json_take_array(file, object, "files", &paths));
    json_array_foreach(paths, i, path)
    {
        struct span text;

        TRY(arena_dup(file->arena, span_of_cstr(json_string_value(path)), file->diag, &text));
        TRY(ARENA_PUSH(file->arena, file->diag, &document.files, text));
    }
    *ret_document = document;
    return OK;
}

static struct status
read_answer(const struct json_file *file, struct span text, enum rules_answer *ret_answer)
{
    static const enum rules_answer answers[] = {RULES_NO_MATCH, RULES_MATCH, RULES_AMBIGUOUS};

    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        if (span_eq_cstr(text, rules_answer_name(answers[i]))) {
            *ret_answer = answers[i];
            return OK;
        }
    }
    return FAIL(file->diag, ERR_MESSAGE_CONTENT, "%s: unknown status '%.*s'", file->path,
                SPAN_PRINT(text));
}

static struct status
read_expected(const struct json_file *file, const struct truth *truth, const json_t *object,
              struct truth_expected *ret_expected)
{
    struct truth_expected expected = {0};
    struct span oid, status;
    json_t *documents, *item;
    size_t i;

    TRY(json_take_text(file, object, "community", false, &oid));
    TRY(community_index(file, truth, oid, &expected.community));
    TRY(json_take_text(file, object, "status", false, &status));
    TRY(read_answer(file, status, &expected.answer));
    TRY(json_take_array(file, object, "documents", &documents));
    json_array_foreach(documents, i, item)
    {
        struct truth_document document;

        TRY(read_document(file, item, &document));
        TRY(ARENA_PUSH(file->arena, file->diag, &expected.documents, document));
    }
    *ret_expected = expected;
    return OK;
}

static struct status
read_who(const struct json_file *file, const json_t *object, struct truth_question *question)
{
    json_t *given, *item;
    size_t i;

    TRY(json_take_text(file, object, "case", false, &question->name));
    TRY(json_take_text(file, object, "note", true, &question->note));
    TRY(json_take_text(file, object, "family", false, &question->who.family));
    TRY(json_take_text(file, object, "birth_date", false, &question->birth));
    TRY(json_take_text(file, object, "sex", true, &question->sex));
    TRY(json_take_array(file, object, "given", &given));
    json_array_foreach(given, i, item)
    {
        if (i == RULES_GIVEN_MAX) {
            return FAIL(file->diag, ERR_MESSAGE_CONTENT, "%s: more than %d given names", file->path,
                        RULES_GIVEN_MAX);
        }
        TRY(arena_dup(file->arena, span_of_cstr(json_string_value(item)), file->diag,
                      &question->who.given[i]));
        question->who.given_n = i + 1;
    }
    return OK;
}

static struct status
read_question(const struct json_file *file, const struct truth *truth, const json_t *object,
              struct truth_question *ret_question)
{
    struct truth_question question = {0};
    struct span asker;
    json_t *expected, *item;
    size_t i;

    TRY(read_who(file, object, &question));
    TRY(json_take_text(file, object, "asker", false, &asker));
    TRY(community_index(file, truth, asker, &question.asker));
    TRY(json_take_array(file, object, "expected", &expected));
    json_array_foreach(expected, i, item)
    {
        struct truth_expected answer;

        TRY(read_expected(file, truth, item, &answer));
        TRY(ARENA_PUSH(file->arena, file->diag, &question.expected, answer));
    }
    *ret_question = question;
    return OK;
}

static struct status
read_truth(const struct json_file *file, struct truth *truth)
{
    struct span format;
    json_t *list, *item;
    size_t i;

    TRY(json_take_text(file, file->root, "format", false, &format));
    if (!span_eq_cstr(format, TRUTH_FORMAT)) {
        return FAIL(file->diag, ERR_MESSAGE_CONTENT, "%s: format is '%.*s', not " TRUTH_FORMAT,
                    file->path, SPAN_PRINT(format));
    }
    TRY(json_take_text(file, file->root, "source", false, &truth->source));
    TRY(json_take_number(file, file->root, "seed", &truth->seed));
    TRY(json_take_array(file, file->root, "communities", &list));
    json_array_foreach(list, i, item)
    {
        struct truth_community community = {0};

        TRY(json_take_text(file, item, "name", false, &community.name));
        TRY(json_take_text(file, item, "id", false, &community.oid));
        TRY(json_take_number(file, item, "files", &community.files));
        TRY(ARENA_PUSH(file->arena, file->diag, &truth->communities, community));
    }
    TRY(json_take_array(file, file->root, "questions", &list));
    json_array_foreach(list, i, item)
    {
        struct truth_question question;

        TRY(read_question(file, truth, item, &question));
        TRY(ARENA_PUSH(file->arena, file->diag, &truth->questions, question));
    }
    return OK;
}

struct status
truth_read(const char *path, struct arena *arena, struct diag *diag, struct truth *ret_truth)
{
    struct truth truth = {0};
    struct json_file file;
    struct status st = json_file_open(&file, path, arena, diag);

    if (is_ok(st)) {
        st = read_truth(&file, &truth);
    }
    json_file_done(&file);
    if (is_ok(st)) {
        *ret_truth = truth;
    }
    return st;
}
