/* SPDX-License-Identifier: Apache-2.0 */
/* log_test.h: a log's folder, and batches for it. Include after record_test.h. */
#ifndef PP_LOG_TEST_H
#define PP_LOG_TEST_H

#include <fcntl.h>
#include <ftw.h>
#include <unistd.h>

#include "sequencer.h"

static char folder[64];
static int dir = -1;
static struct pp_sequencer sequencer;
static struct pp_sequencer_answer answer;
static struct pp_wr batch;
static uint8_t batch_bytes[PP_BATCH_BYTES_MAX + 16];

static int drop_file(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st;
    (void)type;
    (void)walk;
    return remove(path);
}

/* A new folder with an empty log; nobody has opened it. */
static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "%s/pp-test-log-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (mkdtemp(folder) == NULL)
        return -1;
    dir = open(folder, O_RDONLY | O_DIRECTORY);
    assert_ok(pp_log_store_create(dir, &signers[TEST_LOG]));
    return dir < 0;
}

static int remove_folder(void **state)
{
    (void)state;
    pp_sequencer_done(&sequencer);
    close(dir);
    return nftw(folder, drop_file, 16, FTW_DEPTH | FTW_PHYS);
}

static inline int there(const char *path)
{
    return faccessat(dir, path, F_OK, 0) == 0;
}

static inline struct pp_sequencer_config config_of(enum pp_admission_kind kind)
{
    struct pp_sequencer_config c = { .dir = dir,
                                     .kind = kind,
                                     .log = { &signers[TEST_LOG], 1, NULL, 0 } };

    if (kind == PP_ADMISSION_RECORDS) {
        c.name_space = PP_STR(NAMESPACE);
        c.environment = PP_RECORD_DEV;
        c.keys = keys;
    }
    return c;
}

static inline pp_res reopen(enum pp_admission_kind kind)
{
    struct pp_sequencer_config c = config_of(kind);

    pp_sequencer_done(&sequencer);
    return pp_sequencer_open(&sequencer, &c);
}

static inline void begin_batch(void)
{
    batch = pp_wr_over(batch_bytes, sizeof batch_bytes);
}

static inline void add_bytes(struct pp_span entry)
{
    pp_batch_write(&batch, entry);
    assert_ok(pp_wr_ok(&batch));
}

/* An entry of 8 bytes that says `n`. */
static inline void add_number(uint64_t n)
{
    uint8_t bytes[8];
    struct pp_wr wr = pp_wr_over(bytes, sizeof bytes);

    pp_wr_u64(&wr, n);
    add_bytes(pp_wr_done(&wr));
}

static inline void add_numbers(uint64_t from, size_t count)
{
    for (size_t i = 0; i < count; i++)
        add_number(from + i);
}

static inline enum pp_sequencer_state submit(uint64_t now)
{
    assert_ok(pp_sequencer_submit(&sequencer, pp_wr_done(&batch), now, &answer));
    return answer.state;
}

static inline pp_res publish(void)
{
    return pp_sequencer_publish(&sequencer,
                                pp_span(sequencer.store.note, sequencer.store.note_len));
}

/* The signed tree's entry says `n`, and its proof leads to the signed root. */
static inline void check_number(uint64_t index, uint64_t n)
{
    uint8_t bytes[8];
    struct pp_wr wr = pp_wr_over(bytes, sizeof bytes);
    struct pp_buf entry = { 0 };
    struct pp_merkle_path path;
    struct pp_merkle_hash leaf;

    pp_wr_u64(&wr, n);
    assert_ok(pp_log_store_entry(&sequencer.store, index, &entry));
    assert_true(pp_span_eq(pp_buf_span(&entry), PP_BYTES(bytes)));
    pp_merkle_leaf(PP_BYTES(bytes), &leaf);
    assert_ok(pp_sequencer_inclusion(&sequencer, index, &path));
    assert_ok(pp_merkle_inclusion_verify(index, pp_log_store_size(&sequencer.store), &leaf, &path,
                                         &sequencer.store.root));
    pp_buf_done(&entry);
}

#endif
