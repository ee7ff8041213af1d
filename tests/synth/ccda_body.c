/*
 * The sections of a synthetic C-CDA document: narrative for people, and coded entries in the main
 * sections. What they say is drawn from short lists of common problems, medicines and tests; it is
 * plausible to a parser, not to a physician. Called by ccda.c.
 */
#include "tests/synth/ccda.h"

#include <stdio.h>

#define LOINC    "2.16.840.1.113883.6.1"
#define SNOMED   "2.16.840.1.113883.6.96"
#define RXNORM   "2.16.840.1.113883.6.88"
#define ROWS_MAX 6
#define DAY_TEXT 40

struct term {
    const char *code, *display;
};

static const struct term problems[] = {
    {"38341003", "Hypertensive disorder"},
    {"44054006", "Diabetes mellitus type 2"},
    {"195967001", "Asthma"},
    {"55822004", "Hyperlipidemia"},
    {"40930008", "Hypothyroidism"},
    {"235595009", "Gastroesophageal reflux disease"},
    {"396275006", "Osteoarthritis"},
    {"13645005", "Chronic obstructive lung disease"},
    {"49436004", "Atrial fibrillation"},
    {"37796009", "Migraine"},
    {"64859006", "Osteoporosis"},
    {"271737000", "Anemia"},
};

static const struct term medicines[] = {
    {"314076", "lisinopril 10 MG Oral Tablet"},
    {"197361", "amlodipine 5 MG Oral Tablet"},
    {"617311", "atorvastatin 40 MG Oral Tablet"},
    {"198051", "omeprazole 20 MG Delayed Release Oral Capsule"},
    {"310965", "ibuprofen 200 MG Oral Tablet"},
    {"313782", "acetaminophen 325 MG Oral Tablet"},
};

static const struct term allergies[] = {
    {"91936005", "Allergy to penicillin"},
    {"91935009", "Allergy to peanut"},
    {"300916003", "Latex allergy"},
    {"716186003", "No known allergy"},
};

struct test {
    const char *code, *display, *unit;
    int low, high; /* tenths of the unit */
};

static const struct test laboratory[] = {
    {"2345-7", "Glucose", "mg/dL", 700, 1800},     {"2160-0", "Creatinine", "mg/dL", 6, 14},
    {"2951-2", "Sodium", "mmol/L", 1340, 1460},    {"2823-3", "Potassium", "mmol/L", 34, 52},
    {"718-7", "Hemoglobin", "g/dL", 105, 168},     {"6690-2", "Leukocytes", "10*3/uL", 38, 112},
    {"777-3", "Platelets", "10*3/uL", 1400, 4100}, {"2093-3", "Cholesterol", "mg/dL", 1300, 2600},
};

static const struct test vital_signs[] = {
    {"8480-6", "Systolic blood pressure", "mm[Hg]", 1040, 1620},
    {"8462-4", "Diastolic blood pressure", "mm[Hg]", 580, 980},
    {"8867-4", "Heart rate", "/min", 540, 1040},
    {"8310-5", "Body temperature", "Cel", 361, 379},
    {"29463-7", "Body weight", "kg", 480, 1180},
};

static const char *const remarks[] = {
    "The patient reports feeling well and sleeps through the night.",
    "No chest pain, no shortness of breath at rest.",
    "Appetite is good; weight is stable since the last visit.",
    "Medicines are taken as prescribed, with an occasional missed evening dose.",
    "Home readings were reviewed together and lie within the agreed range.",
    "The lungs are clear; heart sounds are regular without murmur.",
    "There is no swelling of the ankles.",
    "Physical therapy twice a week is continued.",
    "Questions about the treatment were answered; the patient agrees with the plan.",
    "A follow-up visit is arranged; earlier if symptoms return.",
};

struct body {
    struct xmlw *w;
    struct random *random;
    const struct world_document *document;
    int serial; /* for the ids of narrative elements */
};

static void
write_code(struct xmlw *w, const char *qname, const char *code, const char *system,
           const char *display)
{
    xmlw_start(w, qname);
    xmlw_attr_cstr(w, "code", code);
    xmlw_attr_cstr(w, "codeSystem", system);
    xmlw_attr_cstr(w, "displayName", display);
    xmlw_end(w);
}

static void
section_start(struct body *b, const char *template, const char *code, const char *title)
{
    xmlw_start(b->w, "component");
    xmlw_start(b->w, "section");
    xmlw_start(b->w, "templateId");
    xmlw_attr_cstr(b->w, "root", template);
    xmlw_end(b->w);
    write_code(b->w, "code", code, LOINC, title);
    xmlw_element(b->w, "title", span_of_cstr(title));
}

static void
section_end(struct body *b)
{
    xmlw_end(b->w);
    xmlw_end(b->w);
    xmlw_text_cstr(b->w, "\n");
}

static void
table_start(struct body *b, const char *const *columns, size_t n)
{
    xmlw_start(b->w, "text");
    xmlw_start(b->w, "table");
    xmlw_start(b->w, "thead");
    xmlw_start(b->w, "tr");
    for (size_t i = 0; i < n; i++) {
        xmlw_element(b->w, "th", span_of_cstr(columns[i]));
    }
    xmlw_end(b->w);
    xmlw_end(b->w);
    xmlw_start(b->w, "tbody");
}

static void
table_end(struct body *b)
{
    xmlw_end(b->w);
    xmlw_end(b->w);
    xmlw_end(b->w);
}

static void
write_row(struct body *b, const char *const *cells, size_t n)
{
    char id[24];

    (void)snprintf(id, sizeof(id), "n%d", ++b->serial);
    xmlw_start(b->w, "tr");
    xmlw_attr_cstr(b->w, "ID", id);
    for (size_t i = 0; i < n; i++) {
        xmlw_element(b->w, "td", span_of_cstr(cells[i]));
    }
    xmlw_end(b->w);
}

/* A day before the document's. */
static void
earlier_day(struct body *b, char day[DAY_TEXT])
{
    (void)snprintf(day, DAY_TEXT, "%04d%02d%02d",
                   (b->document->year - random_between(b->random, 1, 12)),
                   random_between(b->random, 1, 12), random_between(b->random, 1, 28));
}

static void
write_observation(struct body *b, const char *code, const char *system, const char *display,
                  const char *day)
{
    xmlw_start(b->w, "observation");
    xmlw_attr_cstr(b->w, "classCode", "OBS");
    xmlw_attr_cstr(b->w, "moodCode", "EVN");
    write_code(b->w, "code", code, system, display);
    xmlw_start(b->w, "statusCode");
    xmlw_attr_cstr(b->w, "code", "completed");
    xmlw_end(b->w);
    xmlw_start(b->w, "effectiveTime");
    xmlw_attr_cstr(b->w, "value", day);
    xmlw_end(b->w);
}

static void
write_value(struct body *b, const char *value, const char *unit)
{
    xmlw_start(b->w, "value");
    xmlw_attr_cstr(b->w, "xsi:type", "PQ");
    xmlw_attr_cstr(b->w, "value", value);
    xmlw_attr_cstr(b->w, "unit", unit);
    xmlw_end(b->w);
}

/* Some terms of a list, as a table and as coded observations. */
static void
write_terms(struct body *b, const struct term *terms, size_t n, const char *system, size_t most)
{
    static const char *const columns[] = {"Description", "Since", "Status"};
    size_t chosen[ROWS_MAX];
    char days[ROWS_MAX][DAY_TEXT];
    const size_t rows = 1 + random_below(b->random, most);

    table_start(b, columns, ARRAY_LEN(columns));
    for (size_t i = 0; i < rows; i++) {
        chosen[i] = random_below(b->random, n);
        earlier_day(b, days[i]);
        const char *const cells[] = {terms[chosen[i]].display, days[i], "active"};

        write_row(b, cells, ARRAY_LEN(cells));
    }
    table_end(b);
    for (size_t i = 0; i < rows; i++) {
        xmlw_start(b->w, "entry");
        write_observation(b, terms[chosen[i]].code, system, terms[chosen[i]].display, days[i]);
        xmlw_end(b->w);
        xmlw_end(b->w);
    }
}

/* One measurement of every test of a list. */
static void
write_panel(struct body *b, const struct test *tests, size_t n, const char *template,
            const char *code, const char *title)
{
    static const char *const columns[] = {"Test", "Date", "Value", "Unit"};
    char values[ARRAY_LEN(laboratory)][16];
    char day[DAY_TEXT];

    section_start(b, template, code, title);
    earlier_day(b, day);
    table_start(b, columns, ARRAY_LEN(columns));
    for (size_t i = 0; i < n; i++) {
        const int tenths = random_between(b->random, tests[i].low, tests[i].high);

        (void)snprintf(values[i], sizeof(values[i]), "%d.%d", tenths / 10, tenths % 10);
        const char *const cells[] = {tests[i].display, day, values[i], tests[i].unit};

        write_row(b, cells, ARRAY_LEN(cells));
    }
    table_end(b);
    for (size_t i = 0; i < n; i++) {
        xmlw_start(b->w, "entry");
        write_observation(b, tests[i].code, LOINC, tests[i].display, day);
        write_value(b, values[i], tests[i].unit);
        xmlw_end(b->w);
        xmlw_end(b->w);
    }
    section_end(b);
}

static void
write_remarks(struct body *b, const char *template, const char *code, const char *title,
              size_t paragraphs)
{
    section_start(b, template, code, title);
    xmlw_start(b->w, "text");
    for (size_t i = 0; i < paragraphs; i++) {
        xmlw_start(b->w, "paragraph");
        for (int j = random_between(b->random, 3, 6); j > 0; j--) {
            xmlw_text_cstr(b->w, RANDOM_PICK(b->random, remarks));
            xmlw_text_cstr(b->w, " ");
        }
        xmlw_end(b->w);
    }
    xmlw_end(b->w);
    section_end(b);
}

/* A medicine is taken: substanceAdministration, not an observation. */
static void
write_medicines(struct body *b)
{
    static const char *const columns[] = {"Medicine", "Since", "Directions"};
    const struct term *medicine = &RANDOM_PICK(b->random, medicines);
    char day[DAY_TEXT];

    earlier_day(b, day);
    const char *const cells[] = {medicine->display, day, "1 daily"};

    section_start(b, "2.16.840.1.113883.10.20.22.2.1.1", "10160-0", "History of medication use");
    table_start(b, columns, ARRAY_LEN(columns));
    write_row(b, cells, ARRAY_LEN(cells));
    table_end(b);
    xmlw_start(b->w, "entry");
    xmlw_start(b->w, "substanceAdministration");
    xmlw_attr_cstr(b->w, "classCode", "SBADM");
    xmlw_attr_cstr(b->w, "moodCode", "EVN");
    xmlw_start(b->w, "statusCode");
    xmlw_attr_cstr(b->w, "code", "active");
    xmlw_end(b->w);
    xmlw_start(b->w, "consumable");
    xmlw_start(b->w, "manufacturedProduct");
    xmlw_start(b->w, "manufacturedMaterial");
    write_code(b->w, "code", medicine->code, RXNORM, medicine->display);
    xmlw_end(b->w);
    xmlw_end(b->w);
    xmlw_end(b->w);
    xmlw_end(b->w);
    xmlw_end(b->w);
    section_end(b);
}

void
ccda_write_body(struct xmlw *w, struct random *random, const struct world_document *document,
                size_t least_bytes)
{
    struct body b = {.w = w, .random = random, .document = document};

    xmlw_start(w, "component");
    xmlw_start(w, "structuredBody");
    section_start(&b, "2.16.840.1.113883.10.20.22.2.6.1", "48765-2", "Allergies");
    write_terms(&b, allergies, ARRAY_LEN(allergies), SNOMED, 2);
    section_end(&b);
    write_medicines(&b);
    section_start(&b, "2.16.840.1.113883.10.20.22.2.5.1", "11450-4", "Problem list");
    write_terms(&b, problems, ARRAY_LEN(problems), SNOMED, ROWS_MAX);
    section_end(&b);
    write_panel(&b, vital_signs, ARRAY_LEN(vital_signs), "2.16.840.1.113883.10.20.22.2.4.1",
                "8716-3", "Vital signs");
    write_remarks(&b, "2.16.840.1.113883.10.20.22.2.8", "51848-0", "Assessment", 2);
    while (is_ok(w->status) && w->out->n < least_bytes) {
        write_panel(&b, laboratory, ARRAY_LEN(laboratory), "2.16.840.1.113883.10.20.22.2.3.1",
                    "30954-2", "Results");
        if (random_chance(random, 40)) {
            write_remarks(&b, "2.16.840.1.113883.10.20.22.2.20", "11348-0",
                          "History of past illness", 1);
        }
    }
    write_remarks(&b, "2.16.840.1.113883.10.20.22.2.10", "18776-5", "Plan of treatment", 1);
    xmlw_end(w);
    xmlw_end(w);
}
