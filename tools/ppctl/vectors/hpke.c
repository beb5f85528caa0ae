/* SPDX-License-Identifier: Apache-2.0 */
/* HPKE (RFC 9180): key derivation, encapsulation, key schedule, messages and exports. */
#include <stdio.h>
#include <string.h>

#include "hpke.h"
#include "topics.h"

enum { FIELDS_MAX = 32 };

/* The hex members of a row, decoded on demand and released together. */
struct row {
    struct vectors *v;
    const char *file;
    const char *name;
    const json_t *json;
    struct pp_buf bufs[FIELDS_MAX];
    size_t buf_count;
};

static struct pp_span field(struct row *row, const char *member)
{
    struct pp_buf *b = &row->bufs[row->buf_count++];

    PP_ASSERT(row->buf_count <= FIELDS_MAX);
    *b = vectors_hex(row->json, member);
    return pp_buf_span(b);
}

static int number(const json_t *object, const char *member)
{
    return (int)json_integer_value(json_object_get(object, member));
}

static int same(struct row *row, const char *what, struct pp_span got, struct pp_span want)
{
    if (pp_span_eq(got, want))
        return 1;
    vectors_fail(row->v, row->file, row->name, "%s differs", what);
    return 0;
}

/* DeriveKeyPair, where the row gives its input. */
static int check_derive(struct row *row, uint16_t kem, const char *ikm_name, const char *sk_name,
                        const char *pk_name)
{
    PP_AUTO(pp_secret) sk = { 0 };
    struct pp_span ikm = field(row, ikm_name);
    struct pp_kem_key *k = NULL;

    if (ikm.len == 0)
        return 1;
    if (!pp_is_ok(pp_kem_key_derive(kem, ikm, &k)) || !pp_is_ok(pp_kem_key_export(k, &sk))) {
        pp_kem_key_free(k);
        vectors_fail(row->v, row->file, row->name, "DeriveKeyPair(%s) failed", ikm_name);
        return 0;
    }
    int ok = same(row, sk_name, pp_secret_span(&sk), field(row, sk_name)) &&
             same(row, pk_name, pp_kem_key_public(k), field(row, pk_name));
    pp_kem_key_free(k);
    return ok;
}

static int check_messages(struct row *row, struct pp_hpke *sender, struct pp_hpke *receiver)
{
    size_t i;
    const json_t *e;

    json_array_foreach(json_object_get(row->json, "encryptions"), i, e)
    {
        struct pp_buf aad = vectors_hex(e, "aad"), pt = vectors_hex(e, "pt"),
                      ct = vectors_hex(e, "ct");
        uint8_t sealed[4096], opened[4096];
        int ok = 0;

        sender->seq = receiver->seq = (uint64_t)json_integer_value(json_object_get(e, "seq"));
        if (pt.bytes != NULL && ct.len == pt.len + PP_AEAD_TAG_BYTES && ct.len <= sizeof sealed)
            ok = pp_is_ok(pp_hpke_seal(sender, pp_buf_span(&aad), pp_buf_span(&pt), sealed)) &&
                 memcmp(sealed, ct.bytes, ct.len) == 0 &&
                 pp_is_ok(pp_hpke_open(receiver, pp_buf_span(&aad), pp_buf_span(&ct), opened)) &&
                 memcmp(opened, pt.bytes, pt.len) == 0;
        pp_buf_done(&aad);
        pp_buf_done(&pt);
        pp_buf_done(&ct);
        if (!ok) {
            vectors_fail(row->v, row->file, row->name, "encryption %zu differs", i);
            return 0;
        }
    }
    return 1;
}

static int check_exports(struct row *row, const struct pp_hpke *c)
{
    size_t i;
    const json_t *e;

    json_array_foreach(json_object_get(row->json, "exports"), i, e)
    {
        struct pp_buf context = vectors_hex(e, "exporter_context");
        struct pp_buf want = vectors_hex(e, "exported_value");
        uint8_t got[1024];
        size_t len = (size_t)number(e, "L");
        int ok = len == want.len && len <= sizeof got &&
                 pp_is_ok(pp_hpke_export(c, pp_buf_span(&context), got, len)) &&
                 memcmp(got, want.bytes, len) == 0;

        pp_buf_done(&context);
        pp_buf_done(&want);
        if (!ok) {
            vectors_fail(row->v, row->file, row->name, "export %zu differs", i);
            return 0;
        }
    }
    return 1;
}

/*
 * What the encapsulation draws: the ephemeral private key of a DHKEM, which some rows give as input
 * key material alone, and the seed of any other KEM.
 */
static struct pp_span drawn(struct row *row, const struct pp_kem_info *kem, struct pp_secret *sk)
{
    struct pp_kem_key *k = NULL;
    struct pp_span given = field(row, "skEm"), ikm = field(row, "ikmE");

    if (!kem->auth)
        return ikm;
    if (given.len > 0)
        return given;
    pp_res r = pp_kem_key_derive(kem->id, ikm, &k);
    if (pp_is_ok(r))
        r = pp_kem_key_export(k, sk);
    pp_kem_key_free(k);
    return pp_is_ok(r) ? pp_secret_span(sk) : PP_STR("");
}

static pp_res set_up_both(struct row *row, const struct pp_hpke_info *info, struct pp_hpke *sender,
                          struct pp_hpke *receiver, uint8_t *ret_enc)
{
    PP_AUTO(pp_secret) ephemeral = { 0 };
    struct pp_span script = drawn(row, pp_kem_info(info->suite.kem), &ephemeral);
    struct pp_random random = pp_random_script(&script);
    struct pp_span psk = field(row, "psk"), sender_sk = field(row, "skSm");
    struct pp_kem_key *key = NULL, *own = NULL;

    pp_res r = pp_kem_key_import(info->suite.kem, field(row, "skRm"), &key);
    if (pp_is_ok(r) && sender_sk.len > 0)
        r = pp_kem_key_import(info->suite.kem, sender_sk, &own);
    if (pp_is_ok(r))
        r = pp_hpke_sender_mode(sender, info, psk, own, field(row, "pkRm"), &random, ret_enc);
    if (pp_is_ok(r))
        r = pp_hpke_receiver_mode(receiver, info, psk, field(row, "pkSm"), key, field(row, "enc"));
    pp_kem_key_free(own);
    pp_kem_key_free(key);
    return r;
}

static int check_contexts(struct row *row, const struct pp_hpke_info *info, struct pp_hpke *sender,
                          struct pp_hpke *receiver)
{
    uint8_t enc[PP_KEM_ENC_BYTES_MAX];
    pp_res r = set_up_both(row, info, sender, receiver, enc);

    if (!pp_is_ok(r)) {
        vectors_fail(row->v, row->file, row->name, "set-up failed: %s", pp_code_name(r.code));
        return 0;
    }
    return same(row, "enc", pp_span(enc, pp_kem_info(info->suite.kem)->enc_len),
                field(row, "enc")) &&
           same(row, "key (receiver)", pp_secret_span(&receiver->key_secret), field(row, "key")) &&
           same(row, "key (sender)", pp_secret_span(&sender->key_secret), field(row, "key")) &&
           same(row, "base_nonce", pp_span(sender->base_nonce, sender->key_secret.len > 0 ? 12 : 0),
                field(row, "base_nonce")) &&
           same(row, "exporter_secret", pp_secret_span(&sender->exporter_secret),
                field(row, "exporter_secret")) &&
           check_messages(row, sender, receiver) && check_exports(row, receiver) &&
           check_exports(row, sender);
}

static void check_row(struct row *row)
{
    struct pp_hpke_suite suite = { (uint16_t)number(row->json, "kem_id"),
                                   (uint16_t)number(row->json, "kdf_id"),
                                   (uint16_t)number(row->json, "aead_id") };
    enum pp_hpke_mode mode = (enum pp_hpke_mode)number(row->json, "mode");
    struct pp_hpke_info info;
    PP_AUTO(pp_hpke) sender = { 0 };
    PP_AUTO(pp_hpke) receiver = { 0 };

    if (!pp_is_ok(pp_hpke_suite_check(suite))) {
        vectors_skip(row->v, row->file, row->name, "a KEM, KDF or AEAD that is not offered yet");
        return;
    }
    if (!check_derive(row, suite.kem, "ikmR", "skRm", "pkRm") ||
        !check_derive(row, suite.kem, "ikmS", "skSm", "pkSm"))
        return;
    pp_res r = pp_hpke_info_init_mode(&info, suite, mode, field(row, "psk_id"), field(row, "info"));
    if (!pp_is_ok(r)) {
        vectors_fail(row->v, row->file, row->name, "key schedule refused: %s",
                     pp_code_name(r.code));
        return;
    }
    if (check_contexts(row, &info, &sender, &receiver))
        vectors_pass(row->v, row->file, row->name);
}

/* A KEM alone, as X-Wing's draft prints it: private key, randomness, encapsulation, secret. */
static void check_bare_kem(struct row *row)
{
    PP_AUTO(pp_secret) sent = { 0 };
    PP_AUTO(pp_secret) received = { 0 };
    uint8_t enc[PP_KEM_ENC_BYTES_MAX];
    struct pp_span script = field(row, "eseed");
    struct pp_random random = pp_random_script(&script);
    struct pp_span want = field(row, "ss");
    struct pp_kem_key *key = NULL;

    pp_res r = pp_kem_key_import(PP_KEM_XWING, field(row, "sk"), &key);
    if (pp_is_ok(r))
        r = pp_kem_encap(PP_KEM_XWING, field(row, "pk"), &random, enc, &sent);
    if (pp_is_ok(r))
        r = pp_kem_decap(key, field(row, "ct"), &received);
    if (!pp_is_ok(r))
        vectors_fail(row->v, row->file, row->name, "X-Wing failed: %s", pp_code_name(r.code));
    else if (same(row, "pk", pp_kem_key_public(key), field(row, "pk")) &&
             same(row, "ct", pp_span(enc, pp_kem_info(PP_KEM_XWING)->enc_len), field(row, "ct")) &&
             same(row, "ss (sender)", pp_secret_span(&sent), want) &&
             same(row, "ss (receiver)", pp_secret_span(&received), want))
        vectors_pass(row->v, row->file, row->name);
    pp_kem_key_free(key);
}

static void run_row(struct vectors *v, const char *file, size_t index, const json_t *json)
{
    char name[64];
    struct row row = { .v = v, .file = file, .name = name, .json = json };

    snprintf(name, sizeof name, "row %zu (mode %d kem %#x kdf %d aead %d)", index,
             number(json, "mode"), (unsigned)number(json, "kem_id"), number(json, "kdf_id"),
             number(json, "aead_id"));
    if (json_object_get(json, "kem_id") == NULL)
        check_bare_kem(&row);
    else
        check_row(&row);
    for (size_t k = 0; k < row.buf_count; k++)
        pp_buf_done(&row.bufs[k]);
}

static void run_file(struct vectors *v, const char *file)
{
    vectors_rows(v, file, run_row);
}

void vectors_hpke(struct vectors *v, const char *path)
{
    vectors_walk(v, path, run_file);
}
