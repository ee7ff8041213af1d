/*
 * The header of a C-CDA document as a patient and a DocumentEntry. Called by `isthmus import` on
 * its thread; the arena of the call owns the result, the XML tree lives only within the call.
 */
#include "soap/ccda.h"

#include "base/mem.h"
#include "soap/ccda_parts.h"

/* Low and high of an interval, or one point for both. */
struct interval {
    struct span low, high;
};

static struct interval
read_interval(struct ccda_reader *r, const xmlNode *node)
{
    const struct span point = ccda_attribute(r, node, "value");
    struct interval interval = {ccda_attribute(r, ccda_child(node, "low"), "value"),
                                ccda_attribute(r, ccda_child(node, "high"), "value")};

    if (interval.low.n == 0 && interval.high.n == 0) {
        interval = (struct interval){point, point};
    }
    interval.low = ccda_dtm(r, interval.low);
    interval.high = ccda_dtm(r, interval.high);
    return interval;
}

/* From the earliest start to the latest stop of what the document is about. The two are not put in
 * order: documents are seen whose events end before they begin, and that is what they say. */
static void
set_service_times(struct ccda_reader *r, const xmlNode *root, struct document_entry *entry)
{
    const xmlNode *node = ccda_child(root, "documentationOf");

    for (; node != NULL; node = ccda_next(node)) {
        const struct interval time =
            read_interval(r, ccda_path(node, "serviceEvent", "effectiveTime", NULL));

        if (time.low.n > 0 &&
            (entry->service_start.n == 0 || span_compare(time.low, entry->service_start) < 0)) {
            entry->service_start = time.low;
        }
        if (time.high.n > 0 && span_compare(time.high, entry->service_stop) > 0) {
            entry->service_stop = time.high;
        }
    }
}

static struct span
read_creation_time(struct ccda_reader *r, const xmlNode *root)
{
    return read_interval(r, ccda_child(root, "effectiveTime")).low;
}

static void
set_title(struct ccda_reader *r, const xmlNode *root, struct document_entry *entry)
{
    entry->title = ccda_child_text(r, root, "title");
    if (entry->title.n == 0) {
        entry->title = entry->type_code.display;
    }
}

static void
read_header(struct ccda_reader *r, const xmlNode *root, bool is_unstructured, struct ccda *ccda)
{
    struct document_entry *entry = &ccda->entry;

    ccda_patient(r, ccda_path(root, "recordTarget", "patientRole", NULL), &ccda->patient);
    ccda_details(r, root, &ccda->patient);
    ccda->header_id = ccda_id(r, ccda_child(root, "id"));
    ccda->set_id = ccda_id(r, ccda_child(root, "setId"));
    ccda->version = ccda_attribute(r, ccda_child(root, "versionNumber"), "value");
    ccda->custodian = ccda_child_text(
        r,
        ccda_path(root, "custodian", "assignedCustodian", "representedCustodianOrganization", NULL),
        "name");
    ccda_codes(r, root, is_unstructured, ccda);
    entry->mime_type = SPAN("text/xml");
    entry->object_type = SPAN(DOCUMENT_STABLE);
    if (document_unique_id_is_legal(ccda->header_id)) {
        entry->unique_id = ccda->header_id;
    }
    set_title(r, root, entry);
    entry->creation_time = read_creation_time(r, root);
    set_service_times(r, root, entry);
    ccda_authors(r, root, entry);
    entry->legal_authenticator = ccda_legal_authenticator(r, root);
    ccda_source_patient_info(r, &ccda->patient, &entry->source_patient_info);
}

/* What neither a default nor the store could supply. */
static struct status
check_header(const xmlNode *root, const struct ccda *ccda, struct diag *diag)
{
    const xmlNode *target = ccda_child(root, "recordTarget");

    if (ccda_path(target, "patientRole", "patient", NULL) == NULL) {
        return FAIL(diag, ERR_DOCUMENT,
                    "the header has no recordTarget/patientRole/patient: whose "
                    "document is it?");
    }
    if (ccda_next(target) != NULL) {
        return FAIL(diag, ERR_DOCUMENT,
                    "the header has several recordTargets; a document of a "
                    "group cannot be given to one patient");
    }
    if (ccda->entry.type_code.value.n == 0) {
        return FAIL(diag, ERR_DOCUMENT,
                    "the header's code element has no code and codeSystem: which kind of document "
                    "is it?");
    }
    if (ccda->entry.creation_time.n == 0) {
        return FAIL(diag, ERR_DOCUMENT,
                    "the header's effectiveTime is no time (YYYY[MM[DD[HH[MM[SS]]]]] and zone)");
    }
    return OK;
}

struct status
ccda_read(struct span bytes, struct arena *arena, struct diag *diag, struct ccda *ret_ccda)
{
    CLEANUP(ccda_tree_done) struct ccda_tree tree = {0};
    struct ccda_reader reader = {arena, diag, OK};
    struct ccda ccda = {0};

    TRY(ccda_tree_parse(bytes, diag, &tree));
    const xmlNode *root = xmlDocGetRootElement(tree.doc);

    read_header(&reader, root, tree.is_unstructured, &ccda);
    TRY(reader.status);
    TRY(check_header(root, &ccda, diag));
    *ret_ccda = ccda;
    return OK;
}
