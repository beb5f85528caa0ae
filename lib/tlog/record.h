/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record.h: the records of the ledger (docs/protocol/ledger.md): what runs, where, under which
 * keys, and what no longer may.
 *
 * A log entry is a signed note (note.h) whose text is a record: ASCII lines "key value" in one
 * fixed order, one encoding a value. A parsed record borrows the text that it was read from.
 * Allocates nothing; any thread. A struct pp_record is about 15 KiB.
 */
#ifndef PP_RECORD_H
#define PP_RECORD_H

#include "merkle.h"
#include "note.h"
#include "quorum.h"

enum {
    PP_RECORD_BYTES_MAX = 32768,                       /* a record text */
    PP_RECORD_LINE_MAX = 4096,                         /* a line without its line feed */
    PP_RECORD_WORD_MAX = 255,                          /* a label, name or place */
    PP_RECORD_ENTRY_MAX = PP_RECORD_BYTES_MAX + 16384, /* a record with its signature lines */

    PP_RELEASE_FIRMWARE_MAX = 8,
    PP_RELEASE_SNP_MAX = 64,
    PP_RELEASE_TDX_MAX = 16,
    PP_RELEASE_GPU_MAX = 8,
    PP_RELEASE_CONFIG_MAX = 4,
    PP_RELEASE_ARTIFACT_MAX = 16,
    PP_RELEASE_REVIEW_MAX = 4,
    PP_RELEASE_CMDLINE_MAX = 3000, /* bytes; its Base64 has to fit a line */
    PP_KEY_EPOCH_CONFIG_MAX = 3000,
    PP_HOST_SET_MAX = 1 << 20, /* machines */
    PP_STATUS_RELEASES_PER_ROLE = 4,
    PP_STATUS_REVOKED_MAX = 256,

    PP_DAY_S = 86400,
    PP_RELEASE_DELAY_S = 93600,          /* `time` to not-before; 0 in dev */
    PP_RELEASE_LOGGED_S = 86400,         /* closing status to not-before; 0 in dev */
    PP_RELEASE_LIFE_S = 21 * PP_DAY_S,   /* not-before to not-after, at most */
    PP_HOST_SET_LIFE_S = 7 * PP_DAY_S,   /* `time` to not-after, at most */
    PP_KEY_EPOCH_DELAY_S = 2 * PP_DAY_S, /* logging to first use; 0 in dev */
    PP_KEY_ISSUE_BEFORE_S = 86400,
    PP_KEY_ISSUE_AFTER_S = 82800, /* in dev 86400 */
    PP_STATUS_LIFE_S = 86400,
};

#define PP_RECORD_TIME_MAX   UINT64_C(253402300799) /* 9999-12-31T23:59:59Z */
#define PP_RECORD_NUMBER_MAX ((uint64_t)INT64_MAX)  /* serials, sizes in bytes */

enum pp_record_type {
    PP_RECORD_RELEASE = 1,
    PP_RECORD_HOST_SET,
    PP_RECORD_KEY_EPOCH,
    PP_RECORD_REVOKE,
    PP_RECORD_STATUS,
};

enum pp_record_env { PP_RECORD_PROD = 1, PP_RECORD_STAGING, PP_RECORD_DEV };

/* Both in the bytewise order of their words, which is the order of lines. */
enum pp_record_role {
    PP_RECORD_GATEWAY,
    PP_RECORD_GUARD,
    PP_RECORD_ORCHESTRATOR,
    PP_RECORD_PREDICTOR,
    PP_RECORD_ROLES, /* how many */
};

enum pp_record_kind { PP_RECORD_ISSUER, PP_RECORD_OHTTP, PP_RECORD_KINDS };

enum pp_record_family { PP_RECORD_GENOA, PP_RECORD_MILAN, PP_RECORD_TURIN, PP_RECORD_FAMILIES };

enum pp_record_reason {
    PP_RECORD_COMPROMISE,
    PP_RECORD_ERROR,
    PP_RECORD_SUPERSEDED,
    PP_RECORD_VULNERABILITY,
    PP_RECORD_REASONS,
};

/* The words of the enumerations, as records spell them ("orchestrator"); constants. */
const char *pp_record_env_name(enum pp_record_env env);
const char *pp_record_role_name(enum pp_record_role role);
const char *pp_record_kind_name(enum pp_record_kind kind);
const char *pp_record_reason_name(enum pp_record_reason reason);
const char *pp_record_type_name(enum pp_record_type type); /* "cvm-release", without version */

/* 0 and the value, or NOT_FOUND. */
PP_MUST pp_res pp_record_env_parse(struct pp_span word, enum pp_record_env *ret);
PP_MUST pp_res pp_record_role_parse(struct pp_span word, enum pp_record_role *ret);

/* SHA-256 of the record text, the name of a record everywhere. */
struct pp_record_id {
    uint8_t bytes[PP_SHA256_BYTES];
};

/* --- cvm-release --------------------------------------------------------------------------- */

struct pp_release_named { /* label or purpose, and a digest */
    struct pp_span name;
    uint8_t sha256[PP_SHA256_BYTES];
};

struct pp_release_snp {
    struct pp_span label;
    enum pp_record_family family;
    struct pp_span vmm;
    uint32_t vcpus;
    uint8_t measurement[PP_SHA384_BYTES];
};

struct pp_release_tcb {
    int given; /* 0: no line for this family */
    uint8_t bootloader, tee, snp, microcode;
    uint8_t fmc; /* turin only */
};

struct pp_release_tdx {
    struct pp_span label;
    uint32_t vcpus;
    uint8_t mrtd[PP_SHA384_BYTES];
    uint8_t rtmr[3][PP_SHA384_BYTES]; /* RTMR3 must be zero */
};

struct pp_release_gpu {
    struct pp_span model, vbios, driver;
    uint8_t driver_rim[PP_SHA256_BYTES];
    uint8_t vbios_rim[PP_SHA256_BYTES];
};

struct pp_release {
    enum pp_record_role role;
    uint64_t not_before, not_after;
    struct {
        uint8_t sha256[PP_SHA256_BYTES];
        uint64_t bytes;
        struct pp_span where;
    } image;
    struct {
        struct pp_span repository;
        struct pp_span commit; /* 40 or 64 lower-case hex digits */
    } source;
    uint8_t build[PP_SHA256_BYTES];
    uint8_t sbom[PP_SHA256_BYTES];
    struct pp_release_named firmware[PP_RELEASE_FIRMWARE_MAX];
    size_t firmware_count;
    int has_kernel, has_initrd, has_cmdline, has_rootfs;
    uint8_t kernel[PP_SHA256_BYTES];
    uint8_t initrd[PP_SHA256_BYTES];
    uint8_t rootfs[PP_SHA256_BYTES];
    uint8_t cmdline[PP_RELEASE_CMDLINE_MAX]; /* without a final NUL; its digest is checked */
    size_t cmdline_len;
    struct pp_release_snp snp[PP_RELEASE_SNP_MAX];
    size_t snp_count;
    uint64_t snp_policy_mask, snp_policy_value; /* with snp rows: (policy AND mask) == value */
    struct pp_release_tcb snp_min_tcb[PP_RECORD_FAMILIES];
    struct pp_release_tdx tdx[PP_RELEASE_TDX_MAX];
    size_t tdx_count;
    uint8_t tdx_min_svn[16]; /* with tdx rows */
    struct pp_release_gpu gpu[PP_RELEASE_GPU_MAX];
    size_t gpu_count;
    uint8_t config[PP_RELEASE_CONFIG_MAX][PP_SHA256_BYTES];
    size_t config_count; /* 1.. */
    struct pp_release_named artifacts[PP_RELEASE_ARTIFACT_MAX];
    size_t artifact_count;
    uint8_t egress[PP_SHA256_BYTES];
    int retains; /* 1: the engine keeps state between sessions */
    struct pp_release_named review[PP_RELEASE_REVIEW_MAX];
    size_t review_count; /* 1.. */
};

/* --- the other records --------------------------------------------------------------------- */

struct pp_host_set {
    uint64_t not_after;
    uint64_t count;
    struct pp_merkle_hash root; /* hosts.h */
    uint8_t list[PP_SHA256_BYTES];
    struct pp_span where;
};

struct pp_key_epoch {
    enum pp_record_kind kind;
    uint64_t epoch; /* UTC day number */
    uint64_t issue_from,
        issue_until;              /* issuer only, else 0; written by the parser and the writer */
    uint64_t use_from, use_until; /* the day; likewise */
    uint8_t config[PP_KEY_EPOCH_CONFIG_MAX];
    size_t config_len;
};

struct pp_revoke {
    struct pp_record_id target;
    enum pp_record_reason reason;
    uint64_t effective;
    uint8_t notice[PP_SHA256_BYTES];
};

struct pp_status_key {
    enum pp_record_kind kind;
    struct pp_record_id id;
};

struct pp_status {
    uint64_t valid_until; /* time + PP_STATUS_LIFE_S */
    uint64_t min_serial[PP_RECORD_ROLES];
    struct pp_record_id releases[PP_STATUS_RELEASES_PER_ROLE * PP_RECORD_ROLES];
    size_t release_count;
    struct pp_record_id hosts;
    struct pp_status_key keys[2 * PP_RECORD_KINDS];
    size_t key_count;
    struct pp_record_id revoked[PP_STATUS_REVOKED_MAX];
    size_t revoked_count;
};

struct pp_record {
    enum pp_record_type type;
    struct pp_span ledger;     /* the origin of the log that holds it */
    struct pp_span name_space; /* the `namespace` line (a word that C++ keeps for itself) */
    enum pp_record_env environment;
    uint64_t serial; /* 1.. */
    uint64_t time;   /* POSIX s */
    union {
        struct pp_release release;
        struct pp_host_set host_set;
        struct pp_key_epoch key_epoch;
        struct pp_revoke revoke;
        struct pp_status status;
    };
};

/* --- texts --------------------------------------------------------------------------------- */

/*
 * Reads a record text. Everything that a record says of itself is checked here, waiting times and
 * windows included. Detail is the line number. FORMAT, ENCODING, RANGE, ORDER, DUPLICATE, MISSING,
 * UNKNOWN_FIELD, UNSUPPORTED (a type that is not known), LIMIT, MISMATCH (cmdline digest),
 * LEDGER_WINDOW (a time rule).
 */
PP_MUST pp_res pp_record_parse(struct pp_span text, struct pp_record *ret);

/*
 * Writes a record text and reads it back: a record that the parser would refuse is refused with the
 * parser's code (rows have to be in order). valid_until and the issue and use times are computed.
 */
PP_MUST pp_res pp_record_write(struct pp_wr *wr, const struct pp_record *r);

void pp_record_id_of(struct pp_span text, struct pp_record_id *ret);
int pp_record_id_same(const struct pp_record_id *a, const struct pp_record_id *b);
int pp_record_id_cmp(const struct pp_record_id *a, const struct pp_record_id *b);

/* From when until when a record means something: [from, until). A revoke has no end. */
void pp_record_window(const struct pp_record *r, uint64_t *ret_from, uint64_t *ret_until);

/* --- entries: signed records --------------------------------------------------------------- */

/* Parses an entry: note and record. Codes of pp_note_parse and pp_record_parse. */
PP_MUST pp_res pp_record_open(struct pp_span entry, struct pp_note *ret_note,
                              struct pp_record *ret);

/* Writes an entry: the record, and one signature a signer (type 0x01). */
PP_MUST pp_res pp_record_sign(struct pp_wr *wr, const struct pp_record *r,
                              const struct pp_note_signer *signers, size_t signer_count);

/*
 * Who reviewed once. Keys change, and the log keeps what was logged under the old ones: whoever
 * reads it from its first entry needs them too, and only up to the change, so that a thief of
 * former keys can log nothing new.
 */
struct pp_former_review {
    const struct pp_policy *policy; /* PP_POLICY_REVIEW */
    uint64_t entries;               /* it counts for the entries 0 to `entries` - 1 */
};

enum { PP_FORMER_REVIEWS_MAX = 16 };

/* Whose signatures count; policies outlive it. Always the caller's pins, never what a log says. */
struct pp_record_keys {
    const struct pp_policy *log;           /* PP_POLICY_LOG: its log lines sign status records */
    const struct pp_policy *owner;         /* PP_POLICY_REVIEW */
    const struct pp_policy *review;        /* PP_POLICY_REVIEW */
    const struct pp_former_review *former; /* pp_record_check_logged, in the order of `entries` */
    size_t former_count;
};

/*
 * LEDGER_SIGNER unless the signatures that the record's type needs are there: release: the review
 * quorum; host-set: the owner's quorum and one reviewer with another key; key-epoch: the owner's
 * quorum; revoke: one reviewer; status: the log whose name is the ledger line. A wrong signature
 * of any listed key refuses the record, needed or not. Former reviewers count for nothing here.
 */
PP_MUST pp_res pp_record_check_signers(const struct pp_note *n, const struct pp_record *r,
                                       const struct pp_record_keys *keys);

/*
 * The same for the entry of number `index` of a log, for readers of its history: below its number
 * of entries a former review policy is as good as the one of today. A release is judged under a
 * policy that one of its review lines names; MISMATCH when it names none whose quorum signed.
 */
PP_MUST pp_res pp_record_check_logged(const struct pp_note *n, const struct pp_record *r,
                                      const struct pp_record_keys *keys, uint64_t index);

/* LEDGER_NAMESPACE unless the record is of exactly this ledger, namespace and environment. */
PP_MUST pp_res pp_record_check_place(const struct pp_record *r, struct pp_span ledger,
                                     struct pp_span name_space, enum pp_record_env environment);

#endif
