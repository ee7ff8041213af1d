/*
 * Every mistake that a configuration can have, with the exact line that the operator reads.
 */
#include <string.h>
#include <unistd.h>

#include "config_world.h"
#include "unit.h"

#define MAIN  "isthmus.yaml:"
#define TRUST "  partners: {anchors: red/ca.pem, "

static const struct mistake main_mistakes[] = {
    /* keys */
    {1, "comunity: {id: 2.999.1, name: Red HIE}",
     MAIN "1:1: error: unknown key 'comunity'; did you mean 'community'?\n" MAIN
          "1:1: error: missing 'community'\n"},
    {17, "endpoints: x",
     MAIN "17:1: error: unknown key 'endpoints'; expected one of: community, listen, asserts, "
          "credentials, trust, partners, store, sources, audit, policies, security, limits, log, "
          "id_tokens, outbound, spool, systems, recipients, discovery, profiles\n"},
    {17, "store: {path: x}", MAIN "17:1: error: 'store' is already set at isthmus.yaml:13:1\n"},
    {17, "log: &x {level: info}",
     MAIN "17:9: error: anchor '&x' is not allowed; write each value where it is used\n"},
    {17, "log: !t {level: info}",
     MAIN "17:9: error: a tag is not allowed; remove the '!' before this value\n"},
    {17, "log: {level: *nothing}",
     MAIN "17:14: error: alias '*nothing' is not allowed; write each value where it is used\n"},
    {17, "log: [", MAIN "18:1: error: YAML syntax: flow sequence without a closing bracket\n"},

    /* community */
    {1, "community: Red",
     MAIN "1:12: error: community: expected 'key: value' pairs of id, name, patient_authority, "
          "repository, got 'Red'\n"},
    {1, "community: {name: Red}", MAIN "1:1: error: missing 'id' in 'community'\n"},
    {1, "community: {id: 2.999.1}", MAIN "1:1: error: missing 'name' in 'community'\n"},
    {1, "community: {id: 2.999.01, name: Red}",
     MAIN "1:17: error: id: expected an OID such as 2.999.1, got '2.999.01'\n"},
    {1, "community: {id: [2.999.1], name: Red}",
     MAIN "1:13: error: id: expected an OID such as 2.999.1, got a list\n"},
    {1, "community: {id: red, name: }",
     MAIN "1:17: error: id: expected an OID such as 2.999.1, got 'red'\n" MAIN
          "1:22: error: name: expected text, got nothing\n"},
    {1, "community: {id: 2.999.1, name: Red, repository: urn:oid:2}",
     MAIN "1:49: error: repository: expected an OID such as 2.999.1, got 'urn:oid:2'\n"},
    {1, "community: {id: 2.999.111111111111111111111111111111111111111111111111111111111, name: R}",
     MAIN "1:17: error: the default of 'patient_authority', "
          "2.999.111111111111111111111111111111111111111111111111111111111.1, is too long an "
          "OID; set it\n" MAIN "1:17: error: the default of 'repository', "
          "2.999.111111111111111111111111111111111111111111111111111111111.2, is too long an "
          "OID; set it\n"},
    /* listen */
    {3, "  network: {address: 127.0.0.1, credential: node, trust: partners}",
     MAIN "3:22: error: address: expected a numeric address with a port such as 127.0.0.1:8080 "
          "or [::1]:8080, or unix:/path, got '127.0.0.1'\n"},
    {3, "  network: {address: localhost:8443, credential: node, trust: partners}",
     MAIN "3:22: error: address: expected a numeric address with a port such as 127.0.0.1:8080 "
          "or [::1]:8080, or unix:/path, got 'localhost:8443'\n"},
    {3, "  network: {address: 127.0.0.1:70000, credential: node, trust: partners}",
     MAIN "3:22: error: address: expected a numeric address with a port such as 127.0.0.1:8080 "
          "or [::1]:8080, or unix:/path, got '127.0.0.1:70000'\n"},
    {3, "  network: {address: 127.0.0.1:0, credential: node, trust: partners}",
     MAIN "3:22: error: address: expected a numeric address with a port such as 127.0.0.1:8080 "
          "or [::1]:8080, or unix:/path, got '127.0.0.1:0'\n"},
    {3, "  network: {address: '::1:8443', credential: node, trust: partners}",
     MAIN "3:22: error: address: expected a numeric address with a port such as 127.0.0.1:8080 "
          "or [::1]:8080, or unix:/path, got '::1:8443'\n"},
    {3, "  network: {address: 'unix:/run/x', credential: node, trust: partners}",
     MAIN "3:22: error: address: expected an address that partners can reach, such as "
          "0.0.0.0:8443, got 'unix:/run/x'\n"},
    {3, "  network: {address: 0.0.0.0:8443, credential: node, trust: partners}",
     MAIN "3:22: error: address '0.0.0.0:8443' does not say how partners reach this node; add "
          "url: https://HOST:8443\n"},
    {3, "  network: {address: '[::]:8443', credential: node, trust: partners}",
     MAIN "3:22: error: address '[::]:8443' does not say how partners reach this node; add url: "
          "https://HOST:8443\n"},
    {3, "  network: {address: 127.0.0.1:8443}",
     MAIN "3:3: error: missing 'credential' in 'network'\n" MAIN
          "3:3: error: missing 'trust' in 'network'\n"},
    {3, "  network: {address: 127.0.0.1:8443, credential: node}",
     MAIN "3:3: error: 'network' has a credential but no 'trust'; say whose certificates may "
          "connect\n"},
    {3, "  network: {address: 127.0.0.1:8443, trust: partners}",
     MAIN "3:3: error: 'network' has 'trust' but no 'credential'; without TLS nobody shows a "
          "certificate\n"},
    {3, "  network: {address: 127.0.0.1:8443, credential: nod, trust: parners}",
     MAIN "3:50: error: credential 'nod' is not in 'credentials'; did you mean 'node'?\n" MAIN
          "3:62: error: trust 'parners' is not in 'trust'; did you mean 'partners'?\n"},
    {3, "  network: {address: 127.0.0.1:8443, credential: tls, trust: audit}",
     MAIN "3:50: error: credential 'tls' is not in 'credentials'\n" MAIN
          "3:62: error: trust 'audit' is not in 'trust'\n"},
    {3,
     "  network: {address: 127.0.0.1:8443, credential: node, trust: partners, url: "
     "http://red.example}",
     MAIN "3:78: error: url: 'http://red.example' is not encrypted; expected https://host[:port] "
          "without a path\n"},
    {3,
     "  network: {address: 127.0.0.1:8443, credential: node, trust: partners, url: "
     "https://red.example/x}",
     MAIN "3:78: error: url: expected https://host[:port] without a path, got "
          "'https://red.example/x'\n"},
    {3, "  netwrk: {address: 127.0.0.1:8443}",
     MAIN "3:3: error: unknown key 'netwrk'; did you mean 'network'?\n"},
    {4, "  local: {address: 10.0.0.1:8080}",
     MAIN "4:20: error: address '10.0.0.1:8080' leaves this machine without TLS; use 127.0.0.1, "
          "[::1] or a unix socket, or add 'credential' and 'trust'\n"},
    {5, "  admin: {address: 0.0.0.0:9090}",
     MAIN "5:20: error: address '0.0.0.0:9090' leaves this machine without TLS; use 127.0.0.1, "
          "[::1] or a unix socket, or add 'credential' and 'trust'\n"},
    {5, "  admin: {}", MAIN "5:3: error: missing 'address' in 'admin'\n"},
    {5, "  admin: {address: 127.0.0.1:8080}",
     MAIN "5:20: error: address '127.0.0.1:8080' is the address of 'local' already\n"},
    {4, "  local: {address: 'unix:run/x'}",
     MAIN "4:20: error: address: expected a numeric address with a port such as 127.0.0.1:8080 "
          "or [::1]:8080, or unix:/path, got 'unix:run/x'\n"},
    /* asserts */
    {6, "asserts: {organization: , npi: '1234567890', purposes: [T-TREAT]}",
     MAIN "6:46: error: unknown key 'purposes'; did you mean 'purpose'?\n" MAIN
          "6:11: error: organization: expected text, got nothing\n" MAIN
          "6:32: error: npi: expected ten digits with a valid check digit, got '1234567890'\n"},
    {6, "asserts: {organization_id: 2.999.1, role: a b, purpose_system: x, npi: 123456789}",
     MAIN "6:28: error: organization_id: expected urn:oid:OID or a URL, got '2.999.1'\n" MAIN
          "6:43: error: role: expected a code, got 'a b'\n" MAIN
          "6:64: error: purpose_system: expected an OID such as 2.999.1, got 'x'\n" MAIN
          "6:72: error: npi: expected ten digits with a valid check digit, got '123456789'\n"},
    {6, "asserts: {user: \"A\\nB\"}",
     MAIN "6:17: error: user: expected one line of at most 256 bytes\n"},
    /* credentials */
    {8, "  tls: {certificate: red/node.pem, key: red/node.key}",
     MAIN "7:1: error: missing 'node' in 'credentials'\n" MAIN
          "3:50: error: credential 'node' is not in 'credentials'\n"},
    {8, "  node: {certificate: red/missing.pem, key: red/node.key}",
     MAIN "8:23: error: cannot open red/missing.pem: No such file or directory\n"},
    {8, "  node: {certificate: red/node.pem, key: red/missing.key}",
     MAIN "8:42: error: cannot open red/missing.key: No such file or directory\n"},
    {8, "  node: {certificate: red/node.pem, key: red/signing.key}",
     MAIN "8:42: error: red/signing.key: this key does not belong to the certificate "
          "red/node.pem\n"},
    {8, "  node: {certificate: red/node.pem, key: red/open.key}",
     MAIN "8:42: error: red/open.key: mode 0644 lets others use this private key; run chmod 600 on "
          "it\n"},
    {8, "  node: {certificate: red/node.key, key: red/node.key}",
     MAIN "8:23: error: red/node.key: no certificate; expected PEM ('-----BEGIN "
          "CERTIFICATE-----')\n"},
    {8, "  node: {certificate: red/node.pem}", MAIN "8:3: error: missing 'key' in 'node'\n"},
    {8, "  node: {certificate: red/node.pem, key: [x]}",
     MAIN "8:37: error: key: expected a path, got a list\n"},
    {8, "  node: red/node.pem",
     MAIN "8:9: error: node: expected {certificate: FILE, key: FILE}, got 'red/node.pem'\n"},
    {8,
     "  node: {certificate: red/node.pem, key: red/node.key}\n"
     "  No De: {certificate: red/node.pem, key: red/node.key}",
     MAIN "9:3: error: 'No De' is no name; expected lower-case letters, digits, '-' and '_', at "
          "most 32\n"},
    {8, "  node: {certificat: red/node.pem, key: red/node.key}",
     MAIN "8:10: error: unknown key 'certificat'; did you mean 'certificate'?\n" MAIN
          "8:3: error: missing 'certificate' in 'node'\n"},
    {8, "  node: {certificate: red/node.pem, key: red/node.key, passphrase_file: red/missing}",
     MAIN "8:73: error: cannot open red/missing: No such file or directory\n"},
    {8, "  node: {certificate: red/node.pem, key: red/node.key, passphrase_env: NO_SUCH_VARIABLE}",
     MAIN "8:72: error: the environment has no variable NO_SUCH_VARIABLE, which holds the "
          "passphrase\n"},
    {8,
     "  node: {certificate: red/node.pem, key: red/node.key, passphrase_env: A, passphrase_file: "
     "b}",
     MAIN "8:72: error: expected passphrase_file or passphrase_env, got both\n"},
    {8, "  node: {certificate: red/node.pem, key: red/node.key, passphrase: secret}",
     MAIN "8:56: error: unknown key 'passphrase'; expected one of: certificate, key, "
          "passphrase_file, passphrase_env, pkcs11_module\n"},
    {8, "  node: {certificate: red/node.pem, key: red/node.key, pkcs11_module: x.so}",
     MAIN "8:71: error: pkcs11_module is for a key in a token (key: \"pkcs11:...\")\n"},
    {8, "  node: {certificate: red/node.pem, key: 'pkcs11:object=x'}",
     MAIN "8:42: error: a key in a token needs pkcs11_module, the path of its shared object\n"},
    {8,
     "  node: {certificate: red/node.pem, key: 'pkcs11:object=x?pin-value=1', pkcs11_module: x.so}",
     MAIN "8:42: error: a PIN must not be in the configuration (pin-value); write "
          "pin-source=file:/path or passphrase_file\n"},
    /* trust */
    {11, "  audit: {anchors: red/ca.pem}",
     MAIN "10:1: error: missing 'partners' in 'trust'\n" MAIN
          "3:63: error: trust 'partners' is not in 'trust'\n"},
    {11, "  partners: {crl: red/crl.pem}", MAIN "11:3: error: missing 'anchors' in 'partners'\n"},
    {11, "  partners: {anchors: red/missing.pem}",
     MAIN "11:23: error: cannot open red/missing.pem: No such file or directory\n"},
    {11, "  partners: {anchors: red/ca.pem, crl: red/ca.pem}",
     MAIN "11:40: error: red/ca.pem: no revocation list; expected PEM ('-----BEGIN X509 "
          "CRL-----') or DER\n"},
    {11, "  partners: {anchors: red/ca.pem, crl: [red/crl.pem, red/ca.pem]}",
     MAIN "11:54: error: red/ca.pem: no revocation list; expected PEM ('-----BEGIN X509 "
          "CRL-----') or DER\n"},
    {11, "  partners: {anchors: red/ca.pem, crl: red/*.crl}",
     MAIN "11:40: error: expected a revocation list, and no file is there\n"},
    {11, "  partners: {anchors: red/ca.pem, crl: []}",
     MAIN "11:35: error: expected a revocation list, and no file is there\n"},
    {11, "  partners: {anchors: red/ca.pem, crl: {a: b}}",
     MAIN "11:35: error: crl: expected a list of paths, got 'key: value' pairs\n"},
    {11, "  partners: {anchors: red/ca.pem, crl: red/crl.pem, crl_max_age: 5}",
     MAIN "11:66: error: crl_max_age '5' has no unit; write 5s, 500ms or 1m\n"},
    {11, "  partners: {anchors: red/ca.pem, crl: red/crl.pem, crl_max_age: 1s}",
     MAIN "11:66: error: crl_max_age '1s' is out of range; expected 1m to 9600h\n"},
    {11, "  partners: {anchors: red/ca.pem, crl: red/crl.pem, crl_max: 1KB}",
     MAIN "11:62: error: crl_max '1KB' is out of range; expected 4KB to 1GB\n"},
    {11, "  partners: {anchors: red/ca.pem, crl: red/crl.pem}\n  signing: {anchor: red/ca.pem}",
     MAIN "12:13: error: unknown key 'anchor'; did you mean 'anchors'?\n" MAIN
          "12:3: error: missing 'anchors' in 'signing'\n"},
    {11, TRUST "ocsp: {mode: on}}",
     MAIN "11:48: error: mode: expected one of off, soft, hard, got 'on'\n"},
    {11, TRUST "ocsp: hard}",
     MAIN "11:41: error: ocsp: expected 'key: value' pairs of mode, responder, max_age, timeout, "
          "cache, got 'hard'\n"},
    {11, TRUST "ocsp: {responder: 'http://ocsp.example/'}}",
     MAIN
     "11:35: error: missing 'mode' in 'ocsp'\n" MAIN
     "11:53: error: host 'ocsp.example' is not in 'fetch_hosts' of this trust; add it there\n"},
    {11, TRUST "ocsp: {mode: hard}}",
     MAIN "11:35: error: ocsp: nobody may be asked; list the responders' hosts in 'fetch_hosts'\n"},
    {11, TRUST "fetch_hosts: ['http://ocsp.example/', a b, 'x:0', ''], ocsp: {mode: soft}}",
     MAIN "11:49: error: expected a host such as ocsp.example, with a port unless it is 80, got "
          "'http://ocsp.example/'\n" MAIN "11:73: error: expected a host such as ocsp.example, "
          "with a port unless it is 80, got 'a b'\n" MAIN
          "11:78: error: expected a host such as ocsp.example, with a port unless it is 80, got "
          "'x:0'\n" MAIN "11:85: error: expected hosts such as ocsp.example, got nothing\n" MAIN
          "11:90: error: ocsp: nobody may be asked; list the responders' hosts in 'fetch_hosts'\n"},
    {11,
     TRUST
     "fetch_hosts: [ocsp.example], ocsp: {mode: soft, responder: 'http://ocsp.example:8080/'}}",
     MAIN "11:94: error: host 'ocsp.example:8080' is not in 'fetch_hosts' of this trust; add it "
          "there\n"},
    {11, TRUST "fetch_hosts: [a], ocsp: {mode: soft, responder: 'https://a/'}}",
     MAIN "11:83: error: responder: expected http://host[:port][/path], got 'https://a/'\n"},
    {11, TRUST "fetch_hosts: [a], ocsp: {mode: soft, responder: 'http://a@b/'}}",
     MAIN "11:83: error: responder: expected http://host[:port][/path], got 'http://a@b/'\n"},
    {11,
     TRUST
     "fetch_hosts: [a], ocsp: {mode: soft, max_age: 1s, timeout: 10ms, cache: 48h, cach: 1h}}",
     MAIN "11:112: error: unknown key 'cach'; did you mean 'cache'?\n" MAIN
          "11:81: error: max_age '1s' is out of range; expected 1m to 9600h\n" MAIN
          "11:94: error: timeout '10ms' is out of range; expected 100ms to 1m\n" MAIN
          "11:107: error: cache '48h' is out of range; expected 1m to 24h\n"},
    {11, TRUST "fetch_hosts: [a], crl_urls: [http://b/, x], crl_refresh: 1s}",
     MAIN "11:92: error: crl_refresh '1s' is out of range; expected 1m to 24h\n" MAIN
          "11:64: error: host 'b' is not in 'fetch_hosts' of this trust; add it there\n" MAIN
          "11:75: error: expected http://host[:port][/path], got 'x'\n"},
    {11, TRUST "crl_urls: http://a/}",
     MAIN
     "11:45: error: crl_urls: expected a list of http://host[:port][/path], got 'http://a/'\n"},
    {11, "  partners: {anchors: red/ca.pem, crl: red/missing.pem}",
     MAIN "11:40: error: cannot open red/missing.pem: No such file or directory\n"},
    /* partners */
    {12, "partners: [partners.d/green.yaml]",
     MAIN "12:12: error: cannot open partners.d/green.yaml: No such file or directory\n"
          "policy.yaml:5:16: error: rule 'treatment' names partner 'blue', and no partner file "
          "has that id\n"},
    {12, "partners: [partners.d, partners.d/*.yaml]",
     MAIN "12:12: error: partners.d: not a file; for a folder's files write partners.d/*.yaml\n"},
    {12, "partners: partners.d/*.yaml",
     MAIN "12:11: error: partners: expected a list of paths, got 'partners.d/*.yaml'\n"
          "policy.yaml:5:16: error: rule 'treatment' names partner 'blue', and no partner file "
          "has that id\n"},
    {12, "partners: [partners.d/*.yaml, {a: b}]",
     MAIN "12:31: error: expected a path, got 'key: value' pairs\n"},
    /* store, sources, audit */
    {13, "store: {engine: postgresql, path: var/x.db}",
     MAIN "13:17: error: engine 'postgresql' is not supported by this version; write sqlite\n"},
    {13, "store: {engine: mysql, path: var/x.db}",
     MAIN "13:17: error: engine: expected sqlite, got 'mysql'\n"},
    {13, "store: {dsn: x, path: var/x.db}",
     MAIN "13:9: error: 'dsn' is not supported by this version; remove it\n"},
    {13, "store: {engine: sqlite}", MAIN "13:1: error: missing 'path' in 'store'\n"},
    {13, "store: {path: none/isthmus.db}",
     MAIN "13:15: error: folder none: No such file or directory\n"},
    {13, "store: {path: policy.yaml/isthmus.db}", MAIN "13:15: error: policy.yaml: not a folder\n"},
    {14, "sources: x", MAIN "14:10: error: sources: expected a list of sources, got 'x'\n"},
    {15, "audit: {repositories: []}", MAIN "15:1: error: missing 'journal' in 'audit'\n"},
    {15, "audit: {journal: var/audit, on_unavailable: ignore}",
     MAIN "15:45: error: on_unavailable: expected one of refuse, degrade, got 'ignore'\n"},
    {15, "audit: {journal: var/audit, disk_limit: 90}",
     MAIN "15:41: error: disk_limit: expected a share of the disk from 50% to 99%, got '90'\n"},
    {15, "audit: {journal: var/audit, disk_limit: 100%}",
     MAIN "15:41: error: disk_limit: expected a share of the disk from 50% to 99%, got '100%'\n"},
    {15, "audit: {journal: var/audit, disk_limit: 49%}",
     MAIN "15:41: error: disk_limit: expected a share of the disk from 50% to 99%, got '49%'\n"},
    {15, "audit: {journal: var/audit, wait: 5}",
     MAIN "15:35: error: wait '5' has no unit; write 5s, 500ms or 1m\n"},
    {15, "audit: {journal: var/audit, wait: 20m}",
     MAIN "15:35: error: wait '20m' is out of range; expected 100ms to 10m\n"},
    {15, "audit: {journal: var/audit, checkpoints: yes}",
     MAIN "15:42: error: checkpoints: expected 'key: value' pairs of credential, every, records, "
          "trust, got 'yes'\n"},
    {15, "audit: {journal: var/audit, checkpoints: {}}",
     MAIN "15:29: error: missing 'credential' in 'checkpoints'\n"},
    {15, "audit: {journal: var/audit, checkpoints: {credential: audit}}",
     MAIN "15:55: error: credential 'audit' is not in 'credentials'\n"},
    {15, "audit: {journal: var/audit, checkpoints: {credential: node, every: 0s}}",
     MAIN "15:68: error: every '0s' is out of range; expected 1s to 24h\n"},
    {15, "audit: {journal: var/audit, checkpoints: {credential: node, records: 0}}",
     MAIN "15:70: error: records: expected a number from 1 to 1000000, got '0'\n"},
    {15, "audit: {journal: var/audit, checkpoints: {credential: node, trust: old}}",
     MAIN "15:68: error: trust 'old' is not in 'trust'\n"},
    {15, "audit: {journal: var/audit, checkpoints: {credential: node}, retention: 6}",
     MAIN "15:73: error: retention: expected a time such as 6y or 90d, at most 1000y, or never, "
          "got '6'\n"},
    {15, "audit: {journal: var/audit, checkpoints: {credential: node}, retention: 1001y}",
     MAIN "15:73: error: retention: expected a time such as 6y or 90d, at most 1000y, or never, "
          "got '1001y'\n"},
    {15, "audit: {journal: var/audit, retention: 6y}",
     MAIN "15:40: error: 'retention' needs audit.checkpoints: before old records are removed the "
          "journal says so under a signature\n"},
    {15, "audit: {journal: var/audit, archive: red}",
     MAIN "15:38: error: 'archive' needs audit.checkpoints: before old records are removed the "
          "journal says so under a signature\n"},
    {15, "audit: {journal: var/audit, checkpoints: {credential: node}, archive: none/there}",
     MAIN "15:71: error: folder none: No such file or directory\n"},
    {15, "audit: {journal: var/audit, encryption: red/audit.key}",
     MAIN "15:41: error: encryption: expected 'key: value' pairs of key, old_keys, "
          "got 'red/audit.key'\n"},
    {15, "audit: {journal: var/audit, encryption: {key: red/none}}",
     MAIN "15:47: error: cannot open red/none: No such file or directory\n"},
    {15, "audit: {journal: var/audit, encryption: {key: red/open.key}}",
     MAIN "15:47: error: red/open.key: mode 0644 lets others use this key; run chmod 600 on it\n"},
    {15, "audit: {journal: var/audit, encryption: {old_keys: red/audit.key}}",
     MAIN "15:52: error: old_keys: expected a list of paths, got 'red/audit.key'\n"},
    {15, "audit: {journal: var/audit, encryption: {keys: []}}",
     MAIN "15:42: error: unknown key 'keys'; did you mean 'key'?\n"},
    /* policies */
    {16, "policies: [missing.yaml]",
     MAIN "16:12: error: cannot open missing.yaml: No such file or directory\n"},
    {16, "policies: []\npolices: []",
     MAIN "17:1: error: unknown key 'polices'; did you mean "
          "'policies'?\n"},
    {16, "# none", MAIN "1:1: error: missing 'policies'\n"},
    /* security, limits, log */
    {17, "security: {clock_skew: 20}",
     MAIN "17:24: error: clock_skew '20' has no unit; write 20s, 500ms or 1m\n"},
    {17, "security: {authn_contexts: 'urn:x'}",
     MAIN "17:28: error: authn_contexts: expected a list of URIs, got 'urn:x'\n"},
    {17, "security: {authn_contexts: [x, 'urn:x:y', ':y', 'urn:']}",
     MAIN "17:29: error: expected a URI, got 'x'\n" MAIN
          "17:43: error: expected a URI, got ':y'\n" MAIN
          "17:49: error: expected a URI, got 'urn:'\n"},
    {17, "security: {clock_skew: soon, max_lifetime: 1day}",
     MAIN "17:24: error: clock_skew: expected a time such as 20s, 500ms or 1m, got 'soon'\n" MAIN
          "17:44: error: max_lifetime: expected a time such as 20s, 500ms or 1m, got '1day'\n"},
    {17, "security: {clock_skew: 11m, max_lifetime: 59s}",
     MAIN "17:24: error: clock_skew '11m' is out of range; expected 0ms to 10m\n" MAIN
          "17:43: error: max_lifetime '59s' is out of range; expected 1m to 24h\n"},
    {17, "security: {clock_skew: -1s, max_lifetime: 99999999999s}",
     MAIN "17:24: error: clock_skew: expected a time such as 20s, 500ms or 1m, got '-1s'\n" MAIN
          "17:43: error: max_lifetime: expected a time such as 20s, 500ms or 1m, got "
          "'99999999999s'\n"},
    {17, "security: {id_tokens_required: no, id_token_max_age: 25h}",
     MAIN "17:54: error: id_token_max_age '25h' is out of range; expected 1m to 24h\n" MAIN
          "17:32: error: id_tokens_required: expected one of false, true, got 'no'\n"},
    {17, "security: {signatures: xmlsec}",
     MAIN "17:24: error: signatures: expected one of profile, reference, got 'xmlsec'\n"},
    /* id_tokens */
    {17, "id_tokens: idp.json",
     MAIN
     "17:12: error: id_tokens: expected a list of {issuer: URL, jwks: FILE}, got 'idp.json'\n"},
    {17, "id_tokens: [idp.json]",
     MAIN "17:13: error: expected {issuer: URL, jwks: FILE}, got 'idp.json'\n"},
    {17, "id_tokens: [{issuer: 'https://idp.example'}, {jwks: idp.json}]",
     MAIN "17:13: error: missing 'jwks'\n" MAIN "17:46: error: missing 'issuer'\n"},
    {17, "id_tokens: [{issuer: 'http://idp.example', jwks: idp.json, kid: a}]",
     MAIN "17:60: error: unknown key 'kid'; expected one of: issuer, jwks\n" MAIN
          "17:22: error: issuer: 'http://idp.example' is not encrypted; expected "
          "https://host[:port]/path\n"},
    {17, "id_tokens: [{issuer: 'https://idp.example', jwks: missing.json}]",
     MAIN "17:51: error: cannot open missing.json: No such file or directory\n"},
    {17, "id_tokens: [{issuer: 'https://idp.example', jwks: bad.json}]",
     MAIN "17:51: error: bad.json: JWK Set: expected one JSON object in UTF-8, but it is malformed "
          "at byte 9 of 9\n"},
    {17, "id_tokens: [{issuer: 'https://idp.example', jwks: secret.json}]",
     MAIN "17:51: error: secret.json: key 1: 'k' is a part of a private or symmetric key; the file "
          "must hold the issuer's public keys only\n"},
    {17,
     "id_tokens:\n- {issuer: 'https://idp.example', jwks: idp.json}\n"
     "- {issuer: 'https://idp.example', jwks: idp.json}",
     MAIN
     "19:12: error: issuer 'https://idp.example' is there twice; put its keys into one file\n"},
    {17, "spool: {path: nowhere/spool, limit: 1KB, threshold: 1KB}",
     MAIN "17:37: error: limit '1KB' is out of range; expected 1MB to 1024GB\n" MAIN
          "17:53: error: threshold '1KB' is out of range; expected 16KB to 64MB\n" MAIN
          "17:15: error: folder nowhere: No such file or directory\n"},
    {17, "limits: {documents: 1KB}",
     MAIN "17:21: error: documents '1KB' is out of range; expected 1MB to 64GB\n"},
    {17, "outbound: {connections: 2000, requests: 1000}",
     MAIN "17:1: error: 'requests' is less than 'connections'; lower one or raise the other\n"},
    {17, "outbound: {addresses: local}",
     MAIN "17:12: error: unknown key 'addresses'; expected one of: connections, requests, "
          "failures, pause, longest_pause\n"},
    {17, "limits: {timeout: 20, body: 64, root_part: 64 MB}",
     MAIN "17:19: error: timeout '20' has no unit; write 20s, 500ms or 1m\n" MAIN
          "17:29: error: body '64' has no unit; write 64MB, 512KB or 1GB\n" MAIN
          "17:44: error: root_part: expected a size such as 64MB, 512KB or 1GB, got '64 MB'\n"},
    {17, "limits: {body: 5GB, root_part: 1KB}",
     MAIN "17:16: error: body '5GB' is out of range; expected 64KB to 4GB\n" MAIN
          "17:32: error: root_part '1KB' is out of range; expected 64KB to 16MB\n"},
    {17, "limits: {answer_facts: 5GB}",
     MAIN "17:24: error: answer_facts '5GB' is out of range; expected 1MB to 4GB\n"},
    {17, "limits: {answers: 1KB, replay_keys: 999}",
     MAIN "17:19: error: answers '1KB' is out of range; expected 1MB to 4GB\n" MAIN
          "17:37: error: replay_keys: expected a number from 1000 to 10000000, got '999'\n"},
    {17, "discovery: {several: guess}",
     MAIN "17:22: error: several: expected one of ask, none, list, got 'guess'\n"},
    {17, "discovery: {remember: 5}",
     MAIN "17:23: error: remember '5' has no unit; write 5s, 500ms or 1m\n"},
    {17, "discovery: {time_to_live: 9000h}",
     MAIN "17:27: error: time_to_live '9000h' is out of range; expected 1s to 8784h\n"},
    {17, "discovery: {minimum_degree: 101}",
     MAIN "17:29: error: minimum_degree: expected a number from 1 to 100, got '101'\n"},
    {17, "discovery: {ask_back: perhaps}",
     MAIN "17:23: error: ask_back: expected one of false, true, got 'perhaps'\n"},
    {17, "limits: {enough: 0}",
     MAIN "17:18: error: enough: expected off, a number of communities from 1 to 1000000, or a "
          "share of them from 1% to 100%, got '0'\n"},
    {17, "limits: {enough: 101%}",
     MAIN "17:18: error: enough: expected off, a number of communities from 1 to 1000000, or a "
          "share of them from 1% to 100%, got '101%'\n"},
    {17, "limits: {enough: most}",
     MAIN "17:18: error: enough: expected off, a number of communities from 1 to 1000000, or a "
          "share of them from 1% to 100%, got 'most'\n"},
    {17, "limits: {continued_queries: 0, continued_time: 2h}",
     MAIN "17:29: error: continued_queries: expected a number from 1 to 10000, got '0'\n" MAIN
          "17:48: error: continued_time '2h' is out of range; expected 1s to 1h\n"},
    {17, "limits: {continued: 5GB}",
     MAIN "17:21: error: continued '5GB' is out of range; expected 1MB to 4GB\n"},
    {17, "limits: {replay_keys: 10000001}",
     MAIN "17:23: error: replay_keys: expected a number from 1000 to 10000000, got '10000001'\n"},
    {17, "limits: {body: 1MB, root_part: 2MB}",
     MAIN
     "17:1: error: limits: 'root_part' is greater than 'body'; lower one or raise the other\n"},
    {17,
     "limits: {connections: 0, connections_per_address: many, connections_per_partner: 1000001}",
     MAIN "17:23: error: connections: expected a number from 1 to 1000000, got '0'\n" MAIN
          "17:51: error: connections_per_address: expected a number from 1 to 1000000, got "
          "'many'\n" MAIN
          "17:82: error: connections_per_partner: expected a number from 1 to 1000000, got "
          "'1000001'\n"},
    {17, "limits: {requests_per_partner: -1, failures_per_minute: 10001, rate: 1}",
     MAIN "17:32: error: requests_per_partner: expected a number from 1 to 1000000, got "
          "'-1'\n" MAIN "17:57: error: failures_per_minute: expected a number from 1 to 10000, got "
          "'10001'\n" MAIN "17:70: error: rate '1' has no unit; write 1MB, 512KB or 1GB\n"},
    {17, "limits: {handshake_time: 61s, status_time: 50ms, head_time: 10}",
     MAIN "17:26: error: handshake_time '61s' is out of range; expected 100ms to 1m\n" MAIN
          "17:44: error: status_time '50ms' is out of range; expected 100ms to 1m\n" MAIN
          "17:61: error: head_time '10' has no unit; write 10s, 500ms or 1m\n"},
    {17, "limits: {idle_time: 2h, request_time: 2h, answer_time: 25h, connection_time: 1}",
     MAIN "17:21: error: idle_time '2h' is out of range; expected 100ms to 1h\n" MAIN
          "17:39: error: request_time '2h' is out of range; expected 100ms to 1h\n" MAIN
          "17:56: error: answer_time '25h' is out of range; expected 100ms to 24h\n" MAIN
          "17:78: error: connection_time '1' has no unit; write 1s, 500ms or 1m\n"},
    {17, "limits: {requests: 0, held: 1KB, queue_time: 61s, drain_time: 2h}",
     MAIN "17:20: error: requests: expected a number from 1 to 10000000, got '0'\n" MAIN
          "17:46: error: queue_time '61s' is out of range; expected 100ms to 1m\n" MAIN
          "17:63: error: drain_time '2h' is out of range; expected 100ms to 1h\n" MAIN
          "17:29: error: held '1KB' is out of range; expected 1MB to 1024GB\n"},
    {17, "log: {level: loud, format: xml}",
     MAIN "17:14: error: level: expected one of debug, info, warning, error, got 'loud'\n" MAIN
          "17:28: error: format: expected one of text, json, got 'xml'\n"},
};

static void
test_main_mistakes(void)
{
    write_blue(0, NULL);
    for (size_t i = 0; i < ARRAY_LEN(main_mistakes); i++) {
        write_main(main_mistakes[i].line, main_mistakes[i].instead);
        check_refused(main_mistakes[i].instead, main_mistakes[i].report);
    }
}

#define BLUE "partners.d/blue.yaml:"

/* Main file, partner file and policy file: one run says everything. */
static void
test_all_at_once(void)
{
    write_main(13, "store: {path: none/x.db}");
    write_blue(10, "timeout: 10");
    write_text("policy.yaml", "rules:\n"
                              "  - name: treatment\n"
                              "    effect: allow\n"
                              "    reason: treatment\n"
                              "    partners: [blue]\n"
                              "    purposes: [T-TREAT]\n"
                              "  - effect: deny\n"
                              "    reason: no name\n");
    check_refused("all at once", MAIN
                  "13:15: error: folder none: No such file or directory\n" BLUE
                  "10:10: error: timeout '10' has no unit; write 10s, 500ms or 1m\n"
                  "policy.yaml:3:13: error: unknown effect 'allow'; expected one of: permit, deny\n"
                  "policy.yaml:7:5: error: the rule has no 'name': the audit record names the rule "
                  "that decided\n");
    write_text("policy.yaml", "rules:\n"
                              "  - name: treatment\n"
                              "    effect: permit\n"
                              "    reason: treatment\n"
                              "    partners: [blue]\n"
                              "    purposes: [T-TREAT]\n");
}

static void
test_missing_main_file(void)
{
    struct yaml_report report;
    struct diag diag = {0};
    const struct config *config = NULL;

    yaml_report_init(&report);
    CHECK_ERR(&diag, ERR_IO,
              config_load(path_of("none.yaml"), &world.clock.clock, &report, &diag, &config));
    CU_ASSERT(strstr(diag.text, "none.yaml: No such file or directory") != NULL);
    CU_ASSERT(config == NULL && report.errors == 0);
    yaml_report_done(&report);
}

/* An empty file lacks everything that has no default. */
static void
test_empty_file(void)
{
    write_text("isthmus.yaml", "# nothing\n");
    check_refused("empty",
                  MAIN "1:1: error: missing 'community'\n" MAIN
                       "1:1: error: missing 'credentials'\n" MAIN
                       "1:1: error: missing 'trust'\n" MAIN "1:1: error: missing 'store'\n" MAIN
                       "1:1: error: missing 'audit'\n" MAIN "1:1: error: missing 'policies'\n");
}

/* Three years later our own certificate and revocation list have ended. So have those of the
 * partner, which must not keep the node from starting: its messages are refused, ours are not. */
static void
test_expired(void)
{
    struct loaded loaded;

    write_main(0, NULL);
    write_blue(0, NULL);
    fake_clock_init(&world.clock, world.now_us + 1100 * DAY_US);
    load(&loaded);
    CHECK_ERR(&loaded.diag, ERR_CONFIG, loaded.status);
    CU_ASSERT(loaded.report.errors == 2);
    CU_ASSERT(strstr(loaded.report.text.p, MAIN "8:23: error:") != NULL);
    CU_ASSERT(strstr(loaded.report.text.p, MAIN "9:26: error:") != NULL);
    CU_ASSERT(strstr(loaded.report.text.p, BLUE) == NULL);
    CU_ASSERT(strstr(loaded.report.text.p, "the certificate expired at 20") != NULL);
    unload(&loaded);
    fake_clock_init(&world.clock, world.now_us);
}

static const struct unit_test tests[] = {
    {"make files and certificates", test_make_world},
    {"main mistakes", test_main_mistakes},
    {"all at once", test_all_at_once},
    {"missing main file", test_missing_main_file},
    {"empty file", test_empty_file},
    {"expired", test_expired},
};
UNIT_MAIN("config mistakes", tests)
