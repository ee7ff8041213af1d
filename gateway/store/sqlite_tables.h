/*
 * The tables of the registry, as text: documents, packages (SubmissionSets and Folders),
 * associations, and what belongs to each. sqlite_schema.c makes new stores and brings up old ones
 * with the same text. Absent text is '' everywhere; *_key: 14 digits of a DTM, for comparing.
 */
#ifndef STORE_SQLITE_TABLES_H
#define STORE_SQLITE_TABLES_H

/* Several entries may have one uniqueId or the same bytes: a document that is submitted again.
 * sha256 is empty, and size -1, for what has no bytes (on-demand entries). patient_rule: why it is
 * this patient's. source_patient_id: as it was submitted; it does not go out. */
/* clang-format off */
#define SQLITE_DOCUMENTS_TABLE(name)                                                               \
    "CREATE TABLE " name " ("                                                                      \
    "  id INTEGER PRIMARY KEY,"                                                                    \
    "  patient INTEGER NOT NULL REFERENCES patients (id),"                                         \
    "  sha256 BLOB NOT NULL CHECK (length(sha256) IN (0, 32)),"                                    \
    "  entry_uuid TEXT NOT NULL UNIQUE,"                                                           \
    "  lid TEXT NOT NULL,"                                                                         \
    "  unique_id TEXT NOT NULL,"                                                                   \
    "  is_unique_id_made INTEGER NOT NULL,"                                                        \
    "  header_id TEXT NOT NULL,"                                                                   \
    "  source_patient_id TEXT NOT NULL,"                                                           \
    "  patient_rule TEXT NOT NULL,"                                                                \
    "  added_us INTEGER NOT NULL,"                                                                 \
    "  mime_type TEXT NOT NULL, object_type TEXT NOT NULL, status TEXT NOT NULL,"                  \
    "  availability TEXT NOT NULL, is_limited INTEGER NOT NULL,"                                   \
    "  title TEXT NOT NULL, comments TEXT NOT NULL,"                                               \
    "  creation_time TEXT NOT NULL, service_start TEXT NOT NULL, service_stop TEXT NOT NULL,"      \
    "  creation_key TEXT NOT NULL, service_start_key TEXT NOT NULL,"                               \
    "  service_stop_key TEXT NOT NULL,"                                                            \
    "  language TEXT NOT NULL, hash TEXT NOT NULL, uri TEXT NOT NULL,"                             \
    "  legal_authenticator TEXT NOT NULL, size INTEGER NOT NULL,"                                  \
    "  has_slots INTEGER NOT NULL) STRICT;"

#define SQLITE_DOCUMENTS_INDEXES                                                                   \
    "CREATE INDEX documents_patient ON documents (patient, status);"                               \
    "CREATE INDEX documents_unique_id ON documents (unique_id);"                                   \
    "CREATE INDEX documents_sha256 ON documents (sha256);"

/* kind: enum sqlite_package_kind. time: submissionTime, lastUpdateTime. */
#define SQLITE_REGISTRY_TABLES                                                                     \
    "CREATE TABLE packages ("                                                                      \
    "  id INTEGER PRIMARY KEY,"                                                                    \
    "  kind INTEGER NOT NULL,"                                                                     \
    "  patient INTEGER NOT NULL REFERENCES patients (id),"                                         \
    "  entry_uuid TEXT NOT NULL UNIQUE,"                                                           \
    "  lid TEXT NOT NULL,"                                                                         \
    "  unique_id TEXT NOT NULL, source_id TEXT NOT NULL,"                                          \
    "  time TEXT NOT NULL, time_key TEXT NOT NULL,"                                                \
    "  status TEXT NOT NULL, title TEXT NOT NULL, comments TEXT NOT NULL,"                         \
    "  target_home TEXT NOT NULL, is_limited INTEGER NOT NULL, has_slots INTEGER NOT NULL,"        \
    "  added_us INTEGER NOT NULL) STRICT;"                                                         \
    "CREATE INDEX packages_patient ON packages (patient, kind, status);"                           \
    "CREATE INDEX packages_unique_id ON packages (unique_id);"                                     \
                                                                                                   \
    "CREATE TABLE package_codes ("                                                                 \
    "  package INTEGER NOT NULL REFERENCES packages (id),"                                         \
    "  position INTEGER NOT NULL,"                                                                 \
    "  code TEXT NOT NULL, scheme TEXT NOT NULL, display TEXT NOT NULL,"                           \
    "  PRIMARY KEY (package, position)) STRICT, WITHOUT ROWID;"                                    \
                                                                                                   \
    "CREATE TABLE package_authors ("                                                               \
    "  package INTEGER NOT NULL REFERENCES packages (id),"                                         \
    "  position INTEGER NOT NULL,"                                                                 \
    "  person TEXT NOT NULL, institution TEXT NOT NULL, role TEXT NOT NULL,"                       \
    "  specialty TEXT NOT NULL, telecom TEXT NOT NULL,"                                            \
    "  PRIMARY KEY (package, position)) STRICT, WITHOUT ROWID;"                                    \
                                                                                                   \
    /* source, target: entryUUIDs of any object, of an association, too */                         \
    "CREATE TABLE associations ("                                                                  \
    "  id INTEGER PRIMARY KEY,"                                                                    \
    "  entry_uuid TEXT NOT NULL UNIQUE,"                                                           \
    "  type TEXT NOT NULL, source TEXT NOT NULL, target TEXT NOT NULL, status TEXT NOT NULL,"      \
    "  submission_set_status TEXT NOT NULL, previous_version TEXT NOT NULL,"                       \
    "  code TEXT NOT NULL, scheme TEXT NOT NULL, display TEXT NOT NULL,"                           \
    "  has_slots INTEGER NOT NULL, added_us INTEGER NOT NULL) STRICT;"                             \
    "CREATE INDEX associations_source ON associations (source, type);"                             \
    "CREATE INDEX associations_target ON associations (target, type);"                             \
                                                                                                   \
    /* kind: enum sqlite_slot_kind; owner: which author; item: which value of the slot */          \
    "CREATE TABLE object_slots ("                                                                  \
    "  entry_uuid TEXT NOT NULL,"                                                                  \
    "  kind INTEGER NOT NULL, owner INTEGER NOT NULL, position INTEGER NOT NULL,"                  \
    "  item INTEGER NOT NULL,"                                                                     \
    "  name TEXT NOT NULL, value TEXT NOT NULL,"                                                   \
    "  PRIMARY KEY (entry_uuid, kind, owner, position, item)) STRICT, WITHOUT ROWID;"

/* Owed answers, and questions of ours that wait for theirs (jobs.h, pending.h). lease_us: until
 * when somebody works on it; answered_us: 0 while it waits. */
#define SQLITE_JOBS_TABLES                                                                         \
    "CREATE TABLE jobs ("                                                                          \
    "  id INTEGER PRIMARY KEY AUTOINCREMENT,"                                                      \
    "  kind INTEGER NOT NULL, partner TEXT NOT NULL, message_id TEXT NOT NULL,"                    \
    "  path TEXT NOT NULL, content_type TEXT NOT NULL, body BLOB NOT NULL,"                        \
    "  peer_address TEXT NOT NULL,"                                                                \
    "  created_us INTEGER NOT NULL, due_us INTEGER NOT NULL, expires_us INTEGER NOT NULL,"         \
    "  attempts INTEGER NOT NULL, lease_us INTEGER NOT NULL,"                                      \
    "  UNIQUE (partner, message_id)) STRICT;"                                                      \
    "CREATE INDEX jobs_due ON jobs (due_us, lease_us);"                                            \
                                                                                                   \
    "CREATE TABLE pending ("                                                                       \
    "  id INTEGER PRIMARY KEY AUTOINCREMENT,"                                                      \
    "  kind INTEGER NOT NULL, message_id TEXT NOT NULL UNIQUE,"                                    \
    "  transaction_name TEXT NOT NULL, partner TEXT NOT NULL, url TEXT NOT NULL,"                  \
    "  community TEXT NOT NULL, asker TEXT NOT NULL,"                                              \
    "  query_root TEXT NOT NULL, query_extension TEXT NOT NULL, question BLOB NOT NULL,"           \
    "  created_us INTEGER NOT NULL, expires_us INTEGER NOT NULL, answered_us INTEGER NOT NULL,"    \
    "  content_type TEXT NOT NULL, answer BLOB NOT NULL) STRICT;"                                  \
    "CREATE INDEX pending_expires ON pending (expires_us);"

/* person_keys: by what a person is found: folded family names, their other spellings and their parts
 * (match_family_keys), with the birth date (eight digits) behind, so that a day or a range of days
 * is one stretch of the index. person_details: what few people's records say (enum
 * sqlite_detail_kind); patients.has_details tells when there is any. correlations: what other
 * communities answered (store/correlation.h); one row for each match, position 0 without a remote
 * id for "nobody". */
#define SQLITE_PEOPLE_TABLES                                                                       \
    "CREATE TABLE person_keys ("                                                                   \
    "  key TEXT NOT NULL, birth_date TEXT NOT NULL,"                                               \
    "  patient INTEGER NOT NULL REFERENCES patients (id),"                                         \
    "  PRIMARY KEY (key, birth_date, patient)) STRICT, WITHOUT ROWID;"                             \
                                                                                                   \
    "CREATE TABLE person_details ("                                                                \
    "  patient INTEGER NOT NULL REFERENCES patients (id),"                                         \
    "  kind INTEGER NOT NULL, position INTEGER NOT NULL,"                                          \
    "  value TEXT NOT NULL, more TEXT NOT NULL,"                                                   \
    "  PRIMARY KEY (patient, kind, position)) STRICT, WITHOUT ROWID;"                              \
                                                                                                   \
    "CREATE TABLE correlations ("                                                                  \
    "  local_root TEXT NOT NULL, local_extension TEXT NOT NULL,"                                   \
    "  question TEXT NOT NULL, asked TEXT NOT NULL, position INTEGER NOT NULL,"                    \
    "  community TEXT NOT NULL, remote_root TEXT NOT NULL, remote_extension TEXT NOT NULL,"        \
    "  person TEXT NOT NULL, degree INTEGER NOT NULL, partner TEXT NOT NULL,"                      \
    "  learned_us INTEGER NOT NULL, until_us INTEGER NOT NULL,"                                    \
    "  PRIMARY KEY (local_root, local_extension, question, asked, position))"                      \
    "  STRICT, WITHOUT ROWID;"                                                                     \
    "CREATE INDEX correlations_until ON correlations (until_us);"                                  \
    "CREATE INDEX correlations_partner ON correlations (partner);"

/* Whom a question may mean: a stretch of an index each (tests/unit/test_store_discovery.c asks SQLite
 * for its plans). */
#define SQLITE_FIND_BY_KEY                                                                         \
    "SELECT patient FROM person_keys WHERE key = ? AND birth_date >= ? AND birth_date <= ?"        \
    " ORDER BY birth_date, patient"
#define SQLITE_FIND_BY_PREFIX                                                                      \
    "SELECT patient FROM person_keys WHERE key >= ? AND key < ? AND birth_date >= ?"               \
    " AND birth_date <= ? ORDER BY patient"
#define SQLITE_FIND_BY_ID                                                                          \
    "SELECT patient FROM identifiers WHERE root = ? AND extension_key = ? AND unreliable = 0"      \
    " ORDER BY patient"
/* Of what came in submissions. xml: the object as it was submitted, with the registry's attributes
 * in it, but status and lastUpdateTime, which change; patient_id: the CX that it has in it. community:
 * who sent the document, when it came from another. */
#define SQLITE_TEXT_TABLES                                                                         \
    "CREATE TABLE object_texts ("                                                                  \
    "  entry_uuid TEXT PRIMARY KEY, patient_id TEXT NOT NULL, xml TEXT NOT NULL) STRICT;"          \
    "CREATE TABLE document_senders ("                                                              \
    "  entry_uuid TEXT PRIMARY KEY, community TEXT NOT NULL) STRICT, WITHOUT ROWID;"

/* With foreign keys off, as SQLite wants it for a table that others refer to. Entries of old stores
 * have no SubmissionSet. */
#define SQLITE_DOCUMENTS_REBUILT                                                                   \
    SQLITE_DOCUMENTS_TABLE("documents_new")                                                        \
    "INSERT INTO documents_new (id, patient, sha256, entry_uuid, lid, unique_id,"                  \
    " is_unique_id_made, header_id, source_patient_id, patient_rule, added_us, mime_type,"         \
    " object_type, status, availability, is_limited, title, comments, creation_time,"              \
    " service_start, service_stop, creation_key, service_start_key, service_stop_key, language,"   \
    " hash, uri, legal_authenticator, size, has_slots)"                                            \
    " SELECT id, patient, sha256, entry_uuid, entry_uuid, unique_id,"                              \
    " is_unique_id_made, header_id, '', patient_rule, added_us, mime_type,"                        \
    " object_type, status, '', 0, title, comments, creation_time,"                                 \
    " service_start, service_stop, creation_key, service_start_key, service_stop_key, language,"   \
    " hash, uri, legal_authenticator, size, 0 FROM documents;"                                     \
    "DROP TABLE documents;"                                                                        \
    "ALTER TABLE documents_new RENAME TO documents;"                                               \
    SQLITE_DOCUMENTS_INDEXES
/* clang-format on */

#endif
