/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Project Wycheproof's files. One table row per schema: what a case calls, and what became of it.
 *
 * A case is `valid` (must give the result), `invalid` (must be refused) or `acceptable`. The notes
 * of the files leave the last to the library; what we decided stands in DECISIONS, and every
 * acceptable case without a decision must give the result.
 */
#include <stdio.h>
#include <string.h>

#include "aead.h"
#include "hash.h"
#include "kem.h"
#include "sign.h"
#include "topics.h"

enum outcome {
    GAVE,       /* the operation succeeded and gave what the file says */
    GAVE_OTHER, /* it succeeded with another result */
    REFUSED,
    NOT_OFFERED, /* this build has no such algorithm or parameter */
    UNREADABLE,  /* the case lacks a field */
};

enum { FIELDS_MAX = 8, OUTPUT_BYTES_MAX = 16384 };

/* One case; its hex members are decoded on demand and released together. */
struct test {
    const json_t *group, *json;
    struct pp_buf bufs[FIELDS_MAX];
    size_t buf_count;
    const char *note; /* why it is not offered */
    int unreadable;
};

static struct pp_span hex(struct test *t, const json_t *object, const char *member)
{
    struct pp_buf *b = &t->bufs[t->buf_count];

    PP_ASSERT(t->buf_count < FIELDS_MAX);
    *b = vectors_hex(object, member);
    if (b->bytes == NULL)
        t->unreadable = 1;
    t->buf_count++;
    return pp_buf_span(b);
}

static size_t number(const json_t *object, const char *member)
{
    return (size_t)json_integer_value(json_object_get(object, member));
}

static int text_is(const json_t *object, const char *member, const char *want)
{
    const char *text = json_string_value(json_object_get(object, member));

    return text != NULL && strcmp(text, want) == 0;
}

static enum outcome not_offered(struct test *t, const char *note)
{
    t->note = note;
    return NOT_OFFERED;
}

static enum outcome verdict(pp_res r)
{
    return pp_is_ok(r) ? GAVE : REFUSED;
}

static enum outcome compare(pp_res r, struct pp_span got, struct pp_span want)
{
    if (!pp_is_ok(r))
        return REFUSED;
    return pp_span_eq(got, want) ? GAVE : GAVE_OTHER;
}

/* SHA-256, SHA-384 or SHA-512 as the files write them; 0 for another hash. */
static enum pp_hash_id hash_of(const char *name)
{
    if (name == NULL)
        return (enum pp_hash_id)0;
    return strcmp(name, "SHA-256") == 0   ? PP_SHA256
           : strcmp(name, "SHA-384") == 0 ? PP_SHA384
           : strcmp(name, "SHA-512") == 0 ? PP_SHA512
                                          : (enum pp_hash_id)0;
}

static const char *text(const json_t *object, const char *member)
{
    return json_string_value(json_object_get(object, member));
}

/* --- one function per schema ----------------------------------------------------------------- */

static enum outcome run_eddsa(struct test *t, const char *algorithm)
{
    const json_t *key = json_object_get(t->group, "publicKey");
    struct pp_span pk = hex(t, key, "pk");
    struct pp_span msg = hex(t, t->json, "msg");
    struct pp_span sig = hex(t, t->json, "sig");

    (void)algorithm;
    if (!text_is(key, "curve", "edwards25519"))
        return not_offered(t, "only Ed25519 is offered");
    if (t->unreadable || pk.len != PP_ED25519_PK_BYTES)
        return UNREADABLE;
    return verdict(pp_ed25519_verify(pk.at, msg, sig));
}

static enum outcome run_ecdsa(struct test *t, const char *algorithm)
{
    const json_t *key = json_object_get(t->group, "publicKey");
    enum pp_hash_id hash = hash_of(text(t->group, "sha"));
    struct pp_span point = hex(t, key, "uncompressed");
    struct pp_span msg = hex(t, t->json, "msg");
    struct pp_span sig = hex(t, t->json, "sig");
    enum pp_curve curve = text_is(key, "curve", "secp256r1") ? PP_P256 : PP_P384;

    (void)algorithm;
    if (hash == 0 || (curve == PP_P384 && !text_is(key, "curve", "secp384r1")))
        return not_offered(t, "only P-256 and P-384 with SHA-2 are offered");
    if (t->unreadable)
        return UNREADABLE;
    return verdict(pp_ecdsa_verify(curve, point, hash, msg, sig));
}

static enum outcome run_rsa_pss(struct test *t, const char *algorithm)
{
    enum pp_hash_id hash = hash_of(text(t->group, "sha"));
    struct pp_span spki = hex(t, t->group, "publicKeyDer");
    struct pp_span msg = hex(t, t->json, "msg");
    struct pp_span sig = hex(t, t->json, "sig");

    (void)algorithm;
    if (hash == 0 || !text_is(t->group, "mgf", "MGF1") || hash_of(text(t->group, "mgfSha")) != hash)
        return not_offered(t, "only SHA-2 with MGF1 of the same hash is offered");
    if (t->unreadable)
        return UNREADABLE;
    return verdict(pp_rsa_pss_verify(spki, hash, number(t->group, "sLen"), msg, sig));
}

static enum outcome run_hmac(struct test *t, const char *algorithm)
{
    uint8_t tag[PP_HASH_BYTES_MAX];
    struct pp_span key = hex(t, t->json, "key");
    struct pp_span msg = hex(t, t->json, "msg");
    struct pp_span want = hex(t, t->json, "tag");
    size_t len = number(t->group, "tagSize") / 8;

    if (strcmp(algorithm, "HMACSHA256") != 0)
        return not_offered(t, "only HMAC with SHA-256 is run from these files");
    if (t->unreadable || len > PP_SHA256_BYTES)
        return UNREADABLE;
    pp_hmac_of(PP_SHA256, key, msg, tag);
    return pp_span_eq(pp_span(tag, len), want) ? GAVE : REFUSED;
}

static enum outcome run_hkdf(struct test *t, const char *algorithm)
{
    static uint8_t out[OUTPUT_BYTES_MAX];
    uint8_t prk[PP_HASH_BYTES_MAX];
    enum pp_hash_id hash = strncmp(algorithm, "HKDF-", 5) == 0 ? hash_of(algorithm + 5)
                                                               : (enum pp_hash_id)0;
    struct pp_span ikm = hex(t, t->json, "ikm");
    struct pp_span salt = hex(t, t->json, "salt");
    struct pp_span info = hex(t, t->json, "info");
    struct pp_span okm = hex(t, t->json, "okm");
    size_t size = number(t->json, "size");

    if (hash == 0)
        return not_offered(t, "only HKDF with SHA-2 is offered");
    if (t->unreadable)
        return UNREADABLE;
    pp_hkdf_extract(hash, salt, ikm, prk);
    if (size > 255 * pp_hash_len(hash)) /* nothing is written: the buffer's size is not at stake */
        return verdict(pp_hkdf_expand(hash, pp_span(prk, pp_hash_len(hash)), info, out, size));
    return compare(pp_hkdf_expand(hash, pp_span(prk, pp_hash_len(hash)), info, out, size),
                   pp_span(out, size), okm);
}

static uint16_t aead_of(const char *algorithm, size_t key_bits)
{
    if (strcmp(algorithm, "AES-GCM") == 0)
        return key_bits == 128 ? PP_AES_128_GCM : key_bits == 256 ? PP_AES_256_GCM : 0;
    return strcmp(algorithm, "CHACHA20-POLY1305") == 0 ? PP_CHACHA20_POLY1305 : 0;
}

/* Seals and opens; both must agree with the file. */
static enum outcome seal_and_open(struct pp_aead *a, struct test *t, const uint8_t *nonce)
{
    static uint8_t want[OUTPUT_BYTES_MAX], got[OUTPUT_BYTES_MAX], opened[OUTPUT_BYTES_MAX];
    struct pp_span aad = hex(t, t->json, "aad");
    struct pp_span msg = hex(t, t->json, "msg");
    struct pp_span ct = hex(t, t->json, "ct");
    struct pp_span tag = hex(t, t->json, "tag");
    struct pp_wr wr = pp_wr_over(want, sizeof want);

    pp_wr_span(&wr, ct);
    pp_wr_span(&wr, tag);
    if (t->unreadable || !pp_is_ok(pp_wr_ok(&wr)) || msg.len != ct.len)
        return UNREADABLE;
    enum outcome o = compare(pp_aead_open(a, nonce, aad, pp_wr_done(&wr), opened),
                             pp_span(opened, msg.len), msg);
    if (o != GAVE)
        return o;
    return compare(pp_aead_seal(a, nonce, aad, msg, got), pp_span(got, wr.len), pp_wr_done(&wr));
}

static enum outcome run_aead(struct test *t, const char *algorithm)
{
    uint16_t id = aead_of(algorithm, number(t->group, "keySize"));
    struct pp_span key = hex(t, t->json, "key");
    struct pp_span iv = hex(t, t->json, "iv");
    struct pp_aead *a = NULL;

    if (id == 0)
        return not_offered(t, "only AES-128/256-GCM and ChaCha20-Poly1305 are offered");
    if (number(t->group, "tagSize") != 8 * PP_AEAD_TAG_BYTES)
        return not_offered(t, "only tags of 16 bytes are offered");
    if (iv.len != PP_AEAD_NONCE_BYTES)
        return not_offered(t, "only nonces of 12 bytes are offered");
    if (t->unreadable || !pp_is_ok(pp_aead_new(id, key, &a)))
        return UNREADABLE;
    enum outcome o = seal_and_open(a, t, iv.at);
    pp_aead_free(a);
    return o;
}

static enum outcome run_xdh(struct test *t, const char *algorithm)
{
    uint8_t out[PP_X25519_BYTES];
    struct pp_span pk = hex(t, t->json, "public");
    struct pp_span sk = hex(t, t->json, "private");
    struct pp_span want = hex(t, t->json, "shared");

    (void)algorithm;
    if (!text_is(t->group, "curve", "curve25519"))
        return not_offered(t, "only X25519 is offered");
    if (t->unreadable || pk.len != sizeof out || sk.len != sizeof out)
        return UNREADABLE;
    return compare(pp_x25519(sk.at, pk.at, out), PP_BYTES(out), want);
}

static enum outcome run_ecdh(struct test *t, const char *algorithm)
{
    uint8_t out[PP_P256_BYTES], sk[PP_P256_BYTES];
    struct pp_wr wr = pp_wr_over(sk, sizeof sk);
    struct pp_span pk = hex(t, t->json, "public");
    struct pp_span number = hex(t, t->json, "private"); /* a big-endian number of any length */
    struct pp_span want = hex(t, t->json, "shared");

    (void)algorithm;
    if (!text_is(t->group, "curve", "secp256r1"))
        return not_offered(t, "key agreement is offered on P-256 alone");
    while (number.len > sizeof sk && number.at[0] == 0)
        number = pp_span(number.at + 1, number.len - 1);
    if (t->unreadable || number.len > sizeof sk)
        return UNREADABLE;
    pp_wr_zeros(&wr, sizeof sk - number.len);
    pp_wr_span(&wr, number);
    return compare(pp_p256_dh(PP_BYTES(sk), pk, out), PP_BYTES(out), want);
}

/* 0 for another parameter set. */
static uint16_t mlkem_of(const json_t *group)
{
    static const uint16_t ids[] = { PP_KEM_MLKEM512, PP_KEM_MLKEM768, PP_KEM_MLKEM1024 };

    for (size_t i = 0; i < PP_ARRAY_COUNT(ids); i++)
        if (text_is(group, "parameterSet", pp_kem_info(ids[i])->name))
            return ids[i];
    return 0;
}

/* Decapsulation with the key of a seed; `ek`, where the case has it, is the seed's. */
static enum outcome run_mlkem(struct test *t, const char *algorithm)
{
    PP_AUTO(pp_secret) shared = { 0 };
    struct pp_span seed = hex(t, t->json, "seed");
    struct pp_span ct = hex(t, t->json, "c");
    struct pp_span want = hex(t, t->json, "K");
    struct pp_kem_key *key = NULL;
    uint16_t kem = mlkem_of(t->group);

    (void)algorithm;
    if (kem == 0)
        return not_offered(t, "a parameter set that is not offered");
    if (t->unreadable)
        return UNREADABLE;
    if (!pp_is_ok(pp_kem_key_import(kem, seed, &key)))
        return REFUSED;
    enum outcome o = GAVE;
    if (json_object_get(t->json, "ek") != NULL)
        o = compare(PP_OK, pp_kem_key_public(key), hex(t, t->json, "ek"));
    if (o == GAVE) {
        pp_res r = pp_kem_decap(key, ct, &shared);
        o = compare(r, pp_secret_span(&shared), want);
    }
    pp_kem_key_free(key);
    return o;
}

static const struct schema {
    const char *name;
    enum outcome (*run)(struct test *t, const char *algorithm);
} SCHEMAS[] = {
    { "eddsa_verify_schema_v1.json", run_eddsa },
    { "ecdsa_verify_schema_v1.json", run_ecdsa },
    { "rsassa_pss_verify_schema_v1.json", run_rsa_pss },
    { "mac_test_schema_v1.json", run_hmac },
    { "hkdf_test_schema_v1.json", run_hkdf },
    { "aead_test_schema_v1.json", run_aead },
    { "xdh_comp_schema_v1.json", run_xdh },
    { "ecdh_ecpoint_test_schema_v1.json", run_ecdh },
    { "mlkem_test_schema.json", run_mlkem },
};

/* --- verdicts -------------------------------------------------------------------------------- */

/* The flags of acceptable cases that we refuse, and why. */
static const struct {
    const char *flag, *why;
} DECISIONS[] = {
    { "ZeroSharedSecret", "acceptable, refused: RFC 9180 7.1.4 wants an all-zero result refused" },
    { "LowOrderPublic", "acceptable, refused: a point of low order gives an all-zero result" },
    { "CompressedPublic", "acceptable, refused: points have the uncompressed form alone" },
    { "CompressedPoint", "acceptable, refused: points have the uncompressed form alone" },
};

static const char *refusal_decided(const json_t *test)
{
    size_t i;
    const json_t *flag;

    json_array_foreach(json_object_get(test, "flags"), i, flag)
    {
        for (size_t k = 0; k < PP_ARRAY_COUNT(DECISIONS); k++)
            if (json_is_string(flag) && strcmp(json_string_value(flag), DECISIONS[k].flag) == 0)
                return DECISIONS[k].why;
    }
    return NULL;
}

static void judge(struct vectors *v, const char *file, struct test *t, enum outcome o)
{
    const char *why = text_is(t->json, "result", "acceptable") ? refusal_decided(t->json) : NULL;
    int refuse = text_is(t->json, "result", "invalid") || why != NULL;
    char row[160];

    if (why == NULL && text_is(t->json, "result", "acceptable"))
        why = "acceptable, computed: RFC 7748 defines the result";
    snprintf(row, sizeof row, "tcId %zu%s%s", number(t->json, "tcId"), why == NULL ? "" : ": ",
             why == NULL ? "" : why);
    if (o == NOT_OFFERED)
        vectors_skip(v, file, row, t->note);
    else if (o == UNREADABLE)
        vectors_fail(v, file, row, "a field is missing or malformed");
    else if (o == GAVE_OTHER)
        vectors_fail(v, file, row, "gave another result than the file's");
    else if (refuse && o != REFUSED)
        vectors_fail(v, file, row, "was accepted");
    else if (!refuse && o != GAVE)
        vectors_fail(v, file, row, "was refused");
    else
        vectors_pass(v, file, row);
}

static void run_test(struct vectors *v, const char *file, const struct schema *schema,
                     const char *algorithm, const json_t *group, const json_t *json)
{
    struct test t = { .group = group, .json = json };
    enum outcome o = schema->run(&t, algorithm);

    judge(v, file, &t, o);
    for (size_t i = 0; i < t.buf_count; i++)
        pp_buf_done(&t.bufs[i]);
}

static void run_file(struct vectors *v, const char *file)
{
    const char *dot = strrchr(file, '.');

    if (dot == NULL || strcmp(dot, ".json") != 0) {
        vectors_skip(v, file, "-", "not a JSON file");
        return;
    }
    json_t *root = vectors_load(v, file);
    if (root == NULL)
        return;
    const char *name = text(root, "schema");
    const char *algorithm = text(root, "algorithm");
    const struct schema *schema = NULL;
    for (size_t i = 0; name != NULL && algorithm != NULL && i < PP_ARRAY_COUNT(SCHEMAS); i++)
        if (strcmp(name, SCHEMAS[i].name) == 0)
            schema = &SCHEMAS[i];
    if (schema == NULL)
        vectors_skip(v, file, "-", "not a schema that this topic reads");
    size_t g, i;
    const json_t *group, *test;
    json_array_foreach(json_object_get(root, "testGroups"), g, group)
    {
        if (schema == NULL)
            break;
        json_array_foreach(json_object_get(group, "tests"), i, test)
        {
            run_test(v, file, schema, algorithm, group, test);
        }
    }
    json_decref(root);
}

void vectors_wycheproof(struct vectors *v, const char *path)
{
    vectors_walk(v, path, run_file);
}
