/*
 * What can be chosen of `isthmus audit`, and what its help says. Used by cmd_audit.c only.
 */
#include "cli/audit_choices.h"

#include "cli/audit_search.h"

#define DIGITS(number)   DIGITS_OF(number)
#define DIGITS_OF(value) #value

struct audit_choices audit_choices;

/* clang-format off */
#define CONFIG_OPTION \
    {.name = "c", .argument = "FILE", .help = "the node's configuration", .value = &audit_choices.config}
#define READER_OPTIONS \
    {.name = "by", .argument = "NAME", .help = "who reads: for the record of this access, beside the unix user", \
     .value = &audit_choices.by}, \
    {.name = "reason", .argument = "TEXT", .help = "and why", .value = &audit_choices.reason}
#define JSON_OPTION(what) {.name = "json", .help = what, .flag = &audit_choices.is_json}
#define XML_OPTION(what)  {.name = "xml", .help = what, .flag = &audit_choices.is_xml}
#define FHIR_OPTION(what) {.name = "fhir", .help = what, .flag = &audit_choices.is_fhir}

static const struct cli_option tail_options[] = {
    CONFIG_OPTION,
    {.name = "n", .argument = "N", .help = "how many records (default " DIGITS(AUDIT_TAIL_DEFAULT) ")",
     .value = &audit_choices.count},
    {.name = "f", .help = "go on: print records as they come", .flag = &audit_choices.is_following},
    {.name = "access", .help = "also the records that say who read the journal", .flag = &audit_choices.has_access},
    AUDIT_FILTER_OPTIONS(audit_choices.filter),
    READER_OPTIONS,
    JSON_OPTION("one JSON object per record"),
    XML_OPTION("one DICOM AuditMessage per record"),
    FHIR_OPTION("one FHIR AuditEvent per record"),
};
static const struct cli_option show_options[] = {
    CONFIG_OPTION,
    READER_OPTIONS,
    JSON_OPTION("the record as JSON"),
    XML_OPTION("the record as a DICOM AuditMessage"),
    FHIR_OPTION("the record as a FHIR AuditEvent"),
};
static const struct cli_option search_options[] = {
    CONFIG_OPTION,
    AUDIT_FILTER_OPTIONS(audit_choices.filter),
    {.name = "n", .argument = "N", .help = "so many at most (default " DIGITS(AUDIT_SEARCH_DEFAULT) ")",
     .value = &audit_choices.count},
    {.name = "limit", .argument = "N", .help = "the same as -n", .value = &audit_choices.count},
    {.name = "newest-first", .help = "begin with the newest", .flag = &audit_choices.is_newest_first},
    {.name = "oldest-first", .help = "begin with the oldest", .flag = &audit_choices.is_oldest_first},
    {.name = "after", .argument = "RECORD", .help = "the next page: what follows this record in that order",
     .value = &audit_choices.after},
    {.name = "count", .help = "only how many there are", .flag = &audit_choices.is_count},
    READER_OPTIONS,
    JSON_OPTION("one JSON object per record"),
    XML_OPTION("one DICOM AuditMessage per record"),
    FHIR_OPTION("one FHIR AuditEvent per record"),
};
static const struct cli_option disclosure_options[] = {
    CONFIG_OPTION,
    AUDIT_PATIENT_OPTIONS(audit_choices.filter),
    AUDIT_TIME_OPTIONS(audit_choices.filter),
    {.name = "all", .help = "every disclosure, the exempt ones marked (the default)", .flag = &audit_choices.is_all},
    {.name = "accountable", .help = "without those for treatment, payment and operations",
     .flag = &audit_choices.is_accountable},
    READER_OPTIONS,
    JSON_OPTION("one JSON object per disclosure"),
    {.name = "csv", .help = "for a spreadsheet (RFC 4180)", .flag = &audit_choices.is_csv},
};
static const struct cli_option export_options[] = {
    CONFIG_OPTION,
    {.name = "o", .argument = "PATH", .help = "the file, or folder, to make", .value = &audit_choices.output},
    {.name = "format", .argument = "FORM", .help = "xml (AuditMessages), fhir (AuditEvents), csv, or json (the default)",
     .value = &audit_choices.format},
    {.name = "proof", .help = "a folder, with a proof of every record beside them", .flag = &audit_choices.is_proven},
    {.name = "force", .help = "write over a file that is there", .flag = &audit_choices.is_forced},
    AUDIT_FILTER_OPTIONS(audit_choices.filter),
    READER_OPTIONS,
    JSON_OPTION("say what was written as JSON"),
};
static const struct cli_option index_options[] = {
    CONFIG_OPTION,
    {.name = "rebuild", .help = "throw the old one away first", .flag = &audit_choices.is_rebuilding},
    READER_OPTIONS,
    JSON_OPTION("say what was done as JSON"),
};
/* clang-format on */

const struct cli_command audit_command = {
    .name = "audit",
    .usage = "tail|show|search|disclosures|export|index|verify -c FILE ...",
    .text = "  isthmus audit tail -c FILE [-n N] [-f] [--partner ID] ... [--json|--xml|--fhir]\n"
            "      the last records, one line each\n"
            "  isthmus audit show -c FILE RECORD [--json|--xml|--fhir]\n"
            "      one record explained, and which others belong to it\n"
            "  isthmus audit search -c FILE [--patient ID] [--user TEXT] [--since TIME] ...\n"
            "      the records that fit, oldest first\n"
            "  isthmus audit disclosures -c FILE --patient ID [--accountable] [--csv|--json]\n"
            "      who received what about a patient, when and why\n"
            "  isthmus audit export -c FILE -o PATH [--format json|xml|fhir|csv] [--proof] "
            "[--patient ID] "
            "...\n"
            "      the records that fit into a file, with their chain, number and hash\n"
            "  isthmus audit index -c FILE [--rebuild]\n"
            "      the index that search uses, brought up to date or made anew\n"
            "  isthmus audit verify -c FILE [--against FILE] [--archive DIR] [--proof FILE]\n"
            "      whether every record of the journal is there and unchanged\n\n"
            "'isthmus audit VERB --help' says more. All of them read beside a running node, and "
            "each\n"
            "writes into the journal who read it and what for, before it shows anything.",
};
const struct cli_command audit_command_tail = {
    .name = "audit tail",
    .usage = "-c FILE [-n N] [-f] [--partner ID] ... [--json|--xml|--fhir]",
    .text =
        "Prints the last records of all chains of the journal, merged by time, one line each:\n"
        "when, which transaction, asked by this node or answered by it, how it ended (intent:\n"
        "written before a question left), partner, user, purpose, how many patients and\n"
        "documents, and the record's name for 'isthmus audit show'. Records are verified as\n"
        "they are read; a damaged chain is reported on standard error and hides no other.\n"
        "With filters, the last " DIGITS(
            AUDIT_TAIL_WINDOW) " records of each chain are looked at; 'isthmus audit search'\n"
                               "looks at all. Records that only say that the journal was read are "
                               "shown with --access.\n\n"
                               "Exit code: 0; 1 when something could not be read.",
    .options = tail_options,
    .options_n = ARRAY_LEN(tail_options),
};
const struct cli_command audit_command_show = {
    .name = "audit show",
    .usage = "-c FILE RECORD [--json|--xml|--fhir]",
    .text =
        "Explains one record (CHAIN/NUMBER, as 'isthmus audit tail' prints it): what happened,\n"
        "who asked for what, whom it concerned, which rule decided, how it ended, and which\n"
        "other records are of the same transaction. With --xml only the DICOM AuditMessage,\n"
        "with --fhir the FHIR AuditEvent, with --json the record as the journal holds it.\n\n"
        "Exit code: 0; 1 when there is no such record or it cannot be read.",
    .options = show_options,
    .options_n = ARRAY_LEN(show_options),
};
const struct cli_command audit_command_search = {
    .name = "audit search",
    .usage = "-c FILE [--patient ID] [--user TEXT] ... [--since TIME] [--until TIME] [-n N]",
    .text =
        "Prints the records for which everything that is given holds, as 'isthmus audit tail'\n"
        "does: the newest -n of them, oldest first. --oldest-first and --newest-first begin at\n"
        "either end; --after goes on behind a record that was shown. Names of users and\n"
        "organizations are compared without case, accents, blanks and punctuation.\n\n"
        "An index beside the journal (" AUDIT_INDEX_NAME
        ") is brought up to date first; the records\n"
        "themselves are read, and verified, from the journal. The index may be removed at any\n"
        "time: the next search makes it again. An encrypted journal has none and is read whole.\n\n"
        "Exit code: 0, also when nothing fits; 1 when something could not be read.",
    .options = search_options,
    .options_n = ARRAY_LEN(search_options),
};
const struct cli_command audit_command_disclosures = {
    .name = "audit disclosures",
    .usage = "-c FILE --patient ID [--since TIME] [--until TIME] [--accountable] [--csv|--json]",
    .text =
        "Accounting of disclosures (45 CFR 164.528): what this node told whom about a patient,\n"
        "when, and for which purpose; of the last " DIGITS(
            AUDIT_YEARS_DEFAULT) " years when --since is not given. Answers\n"
                                 "count when they told something; questions and deliveries count "
                                 "from the moment in\n"
                                 "which they were about to leave. What was for treatment, payment "
                                 "or operations is\n"
                                 "marked as exempt, and left out with --accountable. A patient who "
                                 "is known by several\n"
                                 "ids: repeat --patient, or say --same-person.\n\n"
                                 "Exit code: 0; 1 when something could not be read, and the list "
                                 "may lack rows.",
    .options = disclosure_options,
    .options_n = ARRAY_LEN(disclosure_options),
};
const struct cli_command audit_command_export = {
    .name = "audit export",
    .usage = "-c FILE -o PATH [--format json|xml|fhir|csv] [--proof] [--force] [--patient ID] ...",
    .text =
        "Writes the records for which everything that is given holds, oldest first, into a new\n"
        "file that its owner alone can read; it appears when it is whole. Each record stands\n"
        "with its chain, number and SHA-256. xml: one document of DICOM AuditMessages; json: one\n"
        "object a line, the event as the journal holds it; fhir: an AuditEvent a line; csv: RFC\n"
        "4180, and no field that a spreadsheet would take for a formula.\n"
        "With --proof, PATH is a new folder: the records, proofs.jsonl with a line for each\n"
        "record (its bytes, its path in the segment's Merkle tree, the signed checkpoint), and\n"
        "manifest.json. 'isthmus audit verify --proof' checks a proof without the journal.\n\n"
        "Exit code: 0; 1 when nothing was written, or when something could not be read and the\n"
        "file may lack records.",
    .options = export_options,
    .options_n = ARRAY_LEN(export_options),
};
const struct cli_command audit_command_index = {
    .name = "audit index",
    .usage = "-c FILE [--rebuild] [--json]",
    .text = "Brings the index of the journal up to date, as every search does, or makes it anew\n"
            "from the first record. Nothing that writes the journal waits for it.\n\n"
            "Exit code: 0; 1 when a chain could not be read to its end.",
    .options = index_options,
    .options_n = ARRAY_LEN(index_options),
};
