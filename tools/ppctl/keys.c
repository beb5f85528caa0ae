/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ppctl keys new: the record of an epoch's keys, from the folder of the daemon that uses them; of a
 * private key nothing but its public half leaves the folder. ppctl keys sign: the owner signs it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admit.h"
#include "ohttp_epoch.h"
#include "place.h"
#include "record_sign.h"
#include "record_words.h"
#include "text.h"
#include "token_epoch.h"
#include "verbs.h"

struct keys {
    struct ppctl *p;
    const char *words[2]; /* kind, epoch */
    const char *folder, *chain, *serial_text, *out;
    struct ppctl_place_args place_args;
    struct ppctl_place place;
    struct pp_problem problem;
    uint64_t serial, now_s;
    size_t made;
    struct pp_record record;
    struct pp_record_id id;
    uint8_t text[PP_RECORD_BYTES_MAX];
};

static pp_res refuse(struct keys *k, pp_res r, const char *field, const char *expected,
                     const char *got)
{
    pp_problem_set(&k->problem, field, expected, pp_span_cstr(got));
    return r;
}

/* --- what was asked for --------------------------------------------------------------------- */

static pp_res read_number(struct keys *k, const char *field, const char *text, uint64_t max,
                          uint64_t *ret)
{
    pp_res r = text == NULL ? PP_FAIL(PP_E_MISSING, 0)
                            : pp_decimal_parse(pp_span_cstr(text), max, ret);

    if (pp_is_ok(r) && *ret > 0)
        return PP_OK;
    return refuse(k, PP_FAIL(PP_E_USAGE, 0), field, "a number from 1",
                  text == NULL ? "nothing" : text);
}

static pp_res read_words(struct keys *k)
{
    struct pp_key_epoch *e = &k->record.key_epoch;

    if (strcmp(k->words[0], "issuer") != 0 && strcmp(k->words[0], "ohttp") != 0)
        return refuse(k, PP_FAIL(PP_E_USAGE, 0), "kind", "issuer or ohttp", k->words[0]);
    e->kind = strcmp(k->words[0], "issuer") == 0 ? PP_RECORD_ISSUER : PP_RECORD_OHTTP;
    if (e->kind == PP_RECORD_OHTTP && k->chain != NULL)
        return refuse(k, PP_FAIL(PP_E_USAGE, 0), "--chain", "nothing for OHTTP keys", k->chain);
    if (k->folder == NULL)
        return refuse(k, PP_FAIL(PP_E_USAGE, 0), "--keys", "the key folder of issuer or gateway",
                      "nothing");
    if (k->out == NULL)
        return refuse(k, PP_FAIL(PP_E_USAGE, 0), "--out", "where the record goes", "nothing");
    PP_TRY(read_number(k, "epoch", k->words[1], PP_RECORD_TIME_MAX / PP_DAY_S - 1, &e->epoch));
    return read_number(k, "--serial", k->serial_text, PP_RECORD_NUMBER_MAX, &k->serial);
}

/* The first epoch that a log which publishes next takes. */
static uint64_t first_epoch(const struct keys *k)
{
    if (k->place.environment == PP_RECORD_DEV)
        return k->now_s / PP_DAY_S;
    uint64_t from = pp_admit_published_s(k->place.environment, k->now_s) + PP_KEY_EPOCH_DELAY_S;
    return (from + PP_DAY_S - 1) / PP_DAY_S;
}

/* B4: logged at least 48 h before `use`. Told before a key is made that nobody could use. */
static pp_res check_in_time(struct keys *k)
{
    const uint64_t epoch = k->record.key_epoch.epoch, first = first_epoch(k);
    char expected[96], got[96];

    if (epoch >= first)
        return PP_OK;
    snprintf(expected, sizeof expected, "%llu or later%s", (unsigned long long)first,
             k->place.environment == PP_RECORD_DEV ? "" : ", for keys are logged 48 h before use");
    snprintf(got, sizeof got, "%llu, which begins %s", (unsigned long long)epoch,
             pp_moment_of(epoch * PP_DAY_S).text);
    return refuse(k, PP_FAIL(PP_E_TOO_LATE, 0), "epoch", expected, got);
}

/* --- the keys ------------------------------------------------------------------------------- */

static pp_res issuer_config(struct keys *k, struct pp_wr *wr)
{
    const struct pp_token_epoch e = { .folder = k->folder,
                                      .day = (uint32_t)k->record.key_epoch.epoch,
                                      .environment = k->place.environment };
    int made = 0;

    PP_TRY(pp_token_epoch_make(&e, k->chain, k->now_s, &k->p->random, &k->problem, &made));
    k->made = (size_t)made;
    return pp_token_epoch_config(&e, &k->problem, wr);
}

static pp_res ohttp_config(struct keys *k, struct pp_wr *wr)
{
    const uint64_t day = k->record.key_epoch.epoch;
    int fd = -1;

    pp_res r = pp_ohttp_epoch_open(k->folder, &fd);
    if (!pp_is_ok(r))
        return refuse(k, PP_FAIL(PP_E_INPUT, r.detail), k->folder,
                      "the gateway's folder of OHTTP keys, which nobody else works on",
                      pp_file_reason(r));
    r = pp_ohttp_epoch_make(fd, day, &k->p->random, &k->made);
    if (pp_is_ok(r))
        r = pp_ohttp_epoch_config(fd, day, wr, &k->problem);
    (void)close(fd);
    return r;
}

/* --- the record ----------------------------------------------------------------------------- */

static pp_res make_record(struct keys *k, struct pp_wr *wr)
{
    struct pp_record *r = &k->record;
    struct pp_wr config = pp_wr_over(r->key_epoch.config, sizeof r->key_epoch.config);

    r->type = PP_RECORD_KEY_EPOCH;
    r->ledger = k->place.origin;
    r->name_space = k->place.name_space;
    r->environment = k->place.environment;
    r->serial = k->serial;
    r->time = k->now_s;
    PP_TRY(r->key_epoch.kind == PP_RECORD_ISSUER ? issuer_config(k, &config)
                                                 : ohttp_config(k, &config));
    r->key_epoch.config_len = config.len;
    PP_TRY(pp_record_write(wr, r));
    /* Read back: the times of the epoch are there then. */
    PP_TRY(pp_record_parse(pp_wr_done(wr), r));
    pp_record_id_of(pp_wr_done(wr), &k->id);
    return PP_OK;
}

static pp_res run(struct keys *k)
{
    struct pp_wr wr = pp_wr_over(k->text, sizeof k->text);

    pp_problem_party(&k->problem, "ppctl");
    PP_TRY(read_words(k));
    PP_TRY(ppctl_place_open(k->p, &k->place_args, 0, &k->problem, &k->place));
    pp_problem_party(&k->problem, "ppctl");
    k->now_s = pp_clock_posix_s(&k->p->clock);
    PP_TRY(check_in_time(k));
    if (access(k->out, F_OK) == 0) /* told before a key is made; the writer makes sure */
        return refuse(k, PP_FAIL(PP_E_EXISTS, 0), k->out, "a new file", "it is there");
    PP_TRY(make_record(k, &wr));
    return ppctl_write_out(k->out, 0, pp_wr_done(&wr), &k->problem);
}

static int print_result(const struct keys *k)
{
    const struct pp_key_epoch *e = &k->record.key_epoch;
    char id[2 * PP_SHA256_BYTES + 1] = "";
    struct pp_wr wr = pp_wr_over(id, sizeof id - 1);

    pp_wr_hex(&wr, PP_BYTES(k->id.bytes));
    if (k->p->json)
        return ppctl_print_json(
            json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I}", "file", k->out, "id", id, "kind",
                      pp_record_kind_name(e->kind), "epoch", (json_int_t)e->epoch, "serial",
                      (json_int_t)k->record.serial, "use_from", (json_int_t)e->use_from,
                      "use_until", (json_int_t)e->use_until, "made", (json_int_t)k->made));
    pp_record_words(stderr, &k->record, &k->id, k->now_s);
    fprintf(stderr, "%zu key files made; the owner signs this record now: %s\n", k->made, k->out);
    return 0;
}

int verb_keys_new(struct ppctl *p, int argc, char **argv)
{
    struct keys *k = calloc(1, sizeof *k);

    if (k == NULL)
        return ppctl_fail(p, PP_FAIL(PP_E_NO_MEMORY, 0), NULL, 0);
    k->p = p;
    const struct ppctl_option options[] = {
        { "--keys", "FOLDER", "of the issuer's, or the gateway's OHTTP keys", &k->folder, NULL },
        { "--chain", "FILE", "the owner's token chain, to make an issuer's key", &k->chain, NULL },
        { "--serial", "N", "above that of the last record of this kind", &k->serial_text, NULL },
        { "--out", "FILE", "where the record goes", &k->out, NULL },
        PPCTL_PLACE_OPTIONS(k->place_args),
    };
    int status = ppctl_parse(p, "keys new", options, PP_ARRAY_COUNT(options), argc, argv, k->words,
                             2, 2, NULL);
    if (status < 0) {
        pp_res r = run(k);
        status = pp_is_ok(r) ? print_result(k) : ppctl_fail(p, r, &k->problem, 0);
    }
    ppctl_place_done(&k->place);
    free(k);
    return status;
}

int verb_keys_sign(struct ppctl *p, int argc, char **argv)
{
    return ppctl_record_sign_verb(p, "keys sign", PPCTL_SIGNS_KEY_EPOCH, argc, argv);
}
