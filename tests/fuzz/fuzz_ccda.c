/*
 * The header of C-CDA documents: what is read has what the store relies on, twice the same, and is
 * recognised as a document.
 *
 * Input: a document.
 */
#include "base/datetime.h"
#include "fuzz/edits.h"
#include "fuzz/fuzz.h"
#include "fuzz/message_of.h"
#include "fuzz/patient_compare.h"
#include "soap/ccda.h"

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    message_library_init();
    return 0;
}

static void
check_facts(const struct ccda *ccda)
{
    const struct document_entry *const entry = &ccda->entry;
    char dtm[15];
    FUZZ_MUST(datetime_hl7_to_dtm(entry->creation_time, dtm), "no creation time: %.*s",
              SPAN_PRINT(entry->creation_time));
    FUZZ_MUST(entry->service_start.n == 0 || datetime_hl7_to_dtm(entry->service_start, dtm),
              "service start %.*s", SPAN_PRINT(entry->service_start));
    FUZZ_MUST(entry->type_code.value.n > 0, "no type code");
    FUZZ_MUST(entry->class_code.value.n > 0 && entry->format_code.value.n > 0 &&
                  entry->facility_type.value.n > 0 && entry->practice_setting.value.n > 0 &&
                  entry->confidentiality.n > 0,
              "a required code is missing");
    FUZZ_MUST(entry->unique_id.n == 0 || document_unique_id_is_legal(entry->unique_id),
              "not a documentUniqueId");
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const struct span document = span_of((const char *)bytes, n);
    struct arena *const arena = fuzz_arena();
    struct diag diag = {0};
    struct ccda ccda, again;
    const bool is_recognised = ccda_is_recognised(document);
    const struct status st = ccda_read(document, arena, &diag, &ccda);
    fuzz_check_refusal(st, &diag);
    if (is_ok(st)) {
        FUZZ_MUST(is_recognised, "read and not recognised");
        check_facts(&ccda);
        FUZZ_MUST(is_ok(ccda_read(document, arena, &diag, &again)), "%s", diag.text);
        const char *const difference = patient_difference(&ccda.patient, &again.patient);
        FUZZ_MUST(difference == NULL, "the second time another %s", difference);
    }
    arena_free(arena);
    return 0;
}

size_t
LLVMFuzzerCustomMutator(uint8_t *bytes, size_t n, size_t max, unsigned seed)
{
    return edits_mutate_xml(bytes, n, max, seed);
}
