/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admission.h: what a log takes and what it adds of its own: all in which a log of records and a
 * log of anything differ. What they share (tree, files, signature, witnesses) is in sequencer.h.
 *
 *     records   the ledger: entries are signed records that keep the rules (record_rules.h); a
 *               status record closes each batch; batches on the hour; a directory bundle
 *     opaque    entries are any bytes; no entry of the log's own; batches by time or count
 *
 * An admission has seen every entry of the signed tree, and behind them the batches that wait: a
 * batch is judged once, when it comes, and its signatures are verified then and not again. What
 * was seen since the last pp_admission_save can be taken back.
 */
#ifndef PP_ADMISSION_H
#define PP_ADMISSION_H

#include "batch.h"
#include "record_rules.h"
#include "store.h"

enum {
    PP_ADMISSION_RECORDS_MAX = 1 << 16,      /* releases, host-sets and key-epochs of a log */
    PP_ADMISSION_MEASUREMENTS_MAX = 1 << 17, /* rows of its releases */
    PP_ADMISSION_HOUR_S = 3600,
    PP_ADMISSION_WINDOW = 1 << 20, /* an opaque entry is taken once within so many */
};

enum pp_admission_kind { PP_ADMISSION_RECORDS, PP_ADMISSION_OPAQUE };

struct pp_admission_config {
    enum pp_admission_kind kind;
    struct pp_log_keys log;
    /* Of a log of records alone. */
    struct pp_span name_space;
    enum pp_record_env environment;
    struct pp_record_keys keys; /* keys.log is made here and may be NULL */
};

struct pp_admission {
    struct pp_admission_config config;
    const struct pp_admission_ops *ops;
    struct pp_policy own;  /* our keys as the only log */
    struct pp_rules rules; /* stays zero in an opaque log */
};

/* One of each kind; every function is there. */
struct pp_admission_ops {
    size_t entry_max; /* bytes of an entry */
    size_t id_window; /* 0: every id is kept, and every entry read when the log is opened */
    int has_directory;

    pp_res (*open)(struct pp_admission *a);

    /* What makes two entries the same one. FORMAT, for records. */
    pp_res (*id)(struct pp_span entry, struct pp_record_id *ret);

    /* An entry of the signed tree. A code of pp_rules_feed; LEDGER_SIGNATURE: a status of none of
     * the log's keys. */
    pp_res (*replay)(struct pp_admission *a, struct pp_span entry);

    /* The last entry of an opened log. MISMATCH, LEDGER_NOT_LAST: a log of the other kind. */
    pp_res (*recognise)(const struct pp_admission *a, struct pp_span last);

    /* A batch behind all that was seen: seen whole, or refused at `*ret_entry` and not seen. */
    pp_res (*see)(struct pp_admission *a, const struct pp_batch *b, size_t *ret_entry);

    /* LEDGER_WINDOW when a batch that was seen came too late for a tree that is closed then. */
    pp_res (*is_in_time)(const struct pp_admission *a, uint64_t when);

    /* Could a tree be closed then, with all that was seen? The codes of `close`. */
    pp_res (*could_close)(const struct pp_admission *a, uint64_t when);

    /* Writes the log's own last entry of a tree and sees it; nothing in an opaque log. */
    pp_res (*close)(struct pp_admission *a, uint64_t now, struct pp_wr *ret);

    /*
     * When what was seen is closed, if `waiting` batches of it wait: 0 at once, else a POSIX
     * second. An opaque log's caller counts milliseconds, so here it is always 0 or never.
     */
    uint64_t (*due)(const struct pp_admission *a, size_t waiting, uint64_t now);
};

extern const struct pp_admission_ops pp_admission_records;
extern const struct pp_admission_ops pp_admission_opaque;

/* NO_MEMORY. pp_admission_done is right after a failure too. */
PP_MUST pp_res pp_admission_init(struct pp_admission *a, const struct pp_admission_config *config);
void pp_admission_done(struct pp_admission *a);

struct pp_rules_state pp_admission_save(const struct pp_admission *a);
void pp_admission_restore(struct pp_admission *a, const struct pp_rules_state *saved);

#endif
