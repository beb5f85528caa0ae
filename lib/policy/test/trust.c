/* SPDX-License-Identifier: Apache-2.0 */
/* pp-wire 10: the trust anchors; every field missing, repeated, unknown, past its limit, wrong. */
#include "world.h"

#include "hash.h"
#include "kem.h"
#include "text.h"

static struct world *w;

static int make(void **state)
{
    (void)state;
    w = world_new();
    return 0;
}

static int drop(void **state)
{
    (void)state;
    world_free(w);
    return 0;
}

static struct pp_problem problem;
static struct pp_trust trust;

static pp_res parse(const struct pp_trust_files *files)
{
    pp_trust_done(&trust);
    memset(&problem, 0, sizeof problem);
    return pp_trust_parse(&trust, files, &problem);
}

static int is_among(struct pp_span name, const char *keys)
{
    struct pp_span rest = pp_span_cstr(keys), key;

    while (rest.len > 0) {
        pp_text_cut(&rest, ' ', &key);
        if (pp_span_eq(key, name))
            return 1;
    }
    return 0;
}

/* The world's trust file with the lines of `keys` left out, and `added` behind the rest. */
static struct pp_trust_files with(const char *keys, const char *added)
{
    static char text[PP_TRUST_FILE_BYTES_MAX + 64];
    struct pp_trust_files files = w->files;
    struct pp_wr wr = pp_wr_over(text, sizeof text);
    struct pp_span rest = PP_STR(WORLD_TRUST), line;

    while (rest.len > 0) {
        struct pp_span name, value;
        pp_text_cut(&rest, '\n', &line);
        value = line;
        pp_text_cut(&value, ' ', &name);
        if (is_among(name, keys))
            continue;
        pp_wr_span(&wr, line);
        pp_wr_u8(&wr, '\n');
    }
    pp_wr_text(&wr, added);
    assert_ok(pp_wr_ok(&wr));
    files.trust = pp_wr_done(&wr);
    return files;
}

#define assert_field(files, name)                                                                  \
    do {                                                                                           \
        struct pp_trust_files files_ = (files);                                                    \
        assert_code(parse(&files_), PP_E_TRUST);                                                   \
        assert_string_equal(problem.field, (name));                                                \
    } while (0)

/* `added` in the place of the line of `key` is refused, and the refusal names the key. */
#define assert_refused(key, added) assert_field(with((key), (added)), (key))
#define assert_taken(key, added)                                                                   \
    do {                                                                                           \
        struct pp_trust_files files_ = with((key), (added));                                       \
        assert_ok(parse(&files_));                                                                 \
    } while (0)

static void good_anchors_are_read(void **state)
{
    (void)state;
    assert_ok(parse(&w->files));
    assert_int_equal(trust.environment, PP_RECORD_DEV);
    assert_true(pp_span_eq(trust.name_space, PP_STR(WORLD_NAMESPACE)));
    assert_true(pp_span_eq(trust.origin, PP_STR(WORLD_ORIGIN)));
    assert_true(pp_span_eq(trust.gateway_authority, PP_STR("gateway.example")));
    assert_int_equal(trust.relay_count, 1);
    assert_int_equal(trust.mirror_count, 1);
    assert_int_equal(trust.platforms, 1 << PP_PLATFORM_SEV_SNP);
    assert_int_equal(trust.message_kem, PP_KEM_X25519_SHA256);
    assert_int_equal(trust.batches, 1);
    assert_int_equal(trust.snp_anchors.count, 3);
    assert_int_equal(trust.log.witness_count, WITNESSES);
    assert_non_null(trust.hardware.snp.floor);
}

static void every_mandatory_field_is_missed(void **state)
{
    (void)state;
    for (size_t i = 0; i < PP_TRUST_KEY_COUNT; i++)
        if (PP_TRUST_KEYS[i].mandatory) {
            assert_refused(PP_TRUST_KEYS[i].name, "");
            assert_string_equal(problem.got, "(missing)");
            assert_true(problem.expected[0] != '\0');
        }
}

static void a_field_that_is_given_twice_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < PP_TRUST_KEY_COUNT; i++) {
        char line[64];
        const struct pp_kv_key *k = &PP_TRUST_KEYS[i];
        if (k->kind == PP_KV_LIST || strcmp(k->name, "batches") == 0)
            continue;
        snprintf(line, sizeof line, "%s = x25519\n", k->name);
        assert_field(with("", line), k->name);
    }
    assert_field(with("", "batches = 1\nbatches = 1\n"), "batches");
    /* Lists may repeat their key, not their value: two equal relays are one relay. */
    assert_field(with("", "relay = http://127.0.0.1:9/relay\n"), "relay");
    assert_field(with("", "mirror = http://127.0.0.1:9/directory\n"), "mirror");
    assert_field(with("", "platform = sev-snp\n"), "platform");
    assert_field(with("", "tcb_min = genoa 9 0 28 86\ntcb_min = genoa 0 0 0 0\n"), "tcb_min");
}

static void an_unknown_key_and_bytes_that_are_no_text_are_refused(void **state)
{
    (void)state;
    assert_field(with("", "skip_checks = yes\n"), "skip_checks");
    assert_field(with("", "Environment = dev\n"), "Environment");
    assert_field(with("", "\xff = 1\n"), "(file)");
    assert_field(with("", "no equals sign\n"), "no equals sign");
    struct pp_trust_files files = w->files;
    files.trust = PP_STR("");
    assert_code(parse(&files), PP_E_TRUST);
}

static void a_file_at_the_limit_is_read_and_one_past_it_is_not(void **state)
{
    (void)state;
    static char filler[PP_TRUST_FILE_BYTES_MAX];
    size_t used = sizeof WORLD_TRUST - 1;

    memset(filler, '#', sizeof filler);
    filler[PP_TRUST_FILE_BYTES_MAX - used] = '\0';
    struct pp_trust_files files = with("", filler);
    assert_int_equal(files.trust.len, PP_TRUST_FILE_BYTES_MAX);
    assert_ok(parse(&files));
    files.trust.len++;
    assert_code(parse(&files), PP_E_TRUST);
    assert_string_equal(problem.field, "(file)");
}

/* --- environments ----------------------------------------------------------------------------- */

static void the_environment_is_one_of_three_words(void **state)
{
    (void)state;
    assert_refused("environment", "environment = production\n");
    assert_refused("environment", "environment = PROD\n");
    assert_refused("environment", "environment = dev,prod\n");
    assert_refused("environment", "environment =\n");
    assert_taken("environment", "environment = staging\n");
}

/* One step nearer to production each time, and the next word is named. */
static void prod_wants_two_of_each_https_authorities_and_a_kem_for_tomorrow(void **state)
{
    (void)state;
#define PROD       "environment = prod\n"
#define TWO(party) party " = https://1.example/\n" party " = https://2.example/\n"
    static const char keys[] = "environment relay mirror issuer_url";

    assert_field(with("environment", PROD), "relay");
    assert_field(with("environment", PROD "relay = https://2.example/\n"), "relay"); /* http */
    assert_field(with("environment relay", PROD "relay = https://1.example/\n"), "relay"); /* one */
    assert_field(with("environment relay", PROD TWO("relay")), "mirror");
    assert_field(with("environment relay mirror", PROD TWO("relay") TWO("mirror")), "issuer_url");
    struct pp_trust_files files = with(keys, PROD TWO("relay")
                                                 TWO("mirror") "issuer_url = https://i.example/\n");
    assert_field(files, "ca.pem");
    files.ca = PP_STR("-----BEGIN CERTIFICATE-----\n");
    assert_field(files, "message_kem");
    assert_field(with(keys, PROD TWO("relay") TWO("mirror") "issuer_url = https://\n"),
                 "issuer_url");
}

/* The anchors of a release and those of a folder are one thing: dev may have https as well. */
static void https_needs_its_authorities_in_every_environment(void **state)
{
    (void)state;
    static const struct {
        const char *key, *line;
    } rows[] = { { "relay", "relay = https://1.example/\n" },
                 { "mirror", "mirror = https://1.example/\n" },
                 { "issuer_url", "issuer_url = https://1.example/\n" } };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        struct pp_trust_files files = with(rows[i].key, rows[i].line);
        assert_field(files, "ca.pem");
        files.ca = PP_STR("-----BEGIN CERTIFICATE-----\n");
        assert_ok(parse(&files));
    }
}

static void relays_and_mirrors_have_their_limits(void **state)
{
    (void)state;
    char relays[512] = "", mirrors[512] = "";

    for (int i = 1; i < PP_TRUST_RELAYS_MAX; i++)
        snprintf(relays + strlen(relays), 64, "relay = http://r%d.example/\n", i);
    for (int i = 1; i < PP_TRUST_MIRRORS_MAX; i++)
        snprintf(mirrors + strlen(mirrors), 64, "mirror = http://m%d.example/\n", i);
    assert_taken("", relays);
    assert_int_equal(trust.relay_count, PP_TRUST_RELAYS_MAX);
    assert_taken("", mirrors);
    assert_int_equal(trust.mirror_count, PP_TRUST_MIRRORS_MAX);
    snprintf(relays + strlen(relays), 64, "relay = http://last.example/\n");
    assert_field(with("", relays), "relay");
    snprintf(mirrors + strlen(mirrors), 64, "mirror = http://last.example/\n");
    assert_field(with("", mirrors), "mirror");
}

/* A list of `len` bytes behind "key = ". */
static struct pp_trust_files long_value(const char *key, const char *start, size_t len)
{
    static char line[2048];
    size_t head = (size_t)snprintf(line, sizeof line, "%s = ", key);

    memset(line + head, 'a', len);
    memcpy(line + head, start, strlen(start));
    line[head + len] = '\n';
    line[head + len + 1] = '\0';
    return with(key, line);
}

static void texts_have_their_limits(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        size_t max;
    } rows[] = { { "namespace", 255 },
                 { "issuer", 255 },
                 { "issuer_url", PP_TRUST_URL_BYTES_MAX },
                 { "gateway_authority", PP_TRUST_AUTHORITY_BYTES_MAX },
                 { "relay", PP_TRUST_URL_BYTES_MAX },
                 { "mirror", PP_TRUST_URL_BYTES_MAX } };

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        struct pp_trust_files files = long_value(rows[i].key, "http://", rows[i].max);
        assert_ok(parse(&files));
        assert_field(long_value(rows[i].key, "http://", rows[i].max + 1), rows[i].key);
    }
}

static void numbers_have_their_limits(void **state)
{
    (void)state;
    assert_taken("batches", "batches = 8\n");
    assert_int_equal(trust.batches, 8);
    assert_refused("batches", "batches = 0\n");
    assert_refused("batches", "batches = 9\n");
    assert_refused("batches", "batches = -1\n");
    assert_refused("batches", "batches = 01\n");
}

/* --- platforms and hardware ------------------------------------------------------------------- */

static void a_platform_that_no_verifier_is_for_is_refused(void **state)
{
    (void)state;
    assert_taken("platform", "platform = tdx\n");
    assert_int_equal(trust.platforms, 1 << PP_PLATFORM_TDX);
    assert_int_equal(trust.tdx_anchors.count, 1);
    assert_taken("platform", "platform = tdx\nplatform = sev-snp\n");
    assert_refused("platform", "platform = sim-tdx\n"); /* without its root */
    assert_refused("platform", "platform = SEV-SNP\n");
    assert_refused("platform", "platform = sev-snp\nplatform = none\n");
}

static void a_simulated_platform_is_refused_in_prod(void **state)
{
    (void)state;
    struct pp_trust_files files = with(
        "environment relay mirror issuer_url message_kem platform",
        PROD TWO("relay") TWO("mirror") "issuer_url = https://i.example/\nmessage_kem = x-wing\n"
                                        "platform = sim-snp\n");

    files.ca = PP_STR("-----BEGIN CERTIFICATE-----\n");
    files.ark = PP_STR("not a certificate");
    files.ask = PP_STR("neither");
    assert_field(files, "platform");
    assert_string_equal(problem.got, "sim-snp");

    /* In staging it is the root alone that is wrong here. */
    files = with("environment platform", "environment = staging\nplatform = sim-snp\n");
    files.ark = PP_STR("not a certificate");
    files.ask = PP_STR("neither");
    assert_field(files, "ark, ask");
}

/* What a simulator's root vouches for is called simulated, or it is not believed. */
static void a_root_of_ones_own_goes_with_simulated_platforms_alone(void **state)
{
    (void)state;
    struct pp_trust_files files = w->files;

    assert_ok(parse(&files));
    assert_int_equal(trust.own_root, 0);
    assert_refused("platform", "platform = sim-snp\n"); /* AMD's roots vouch for no simulator */
    files.ark = PP_STR("not a certificate");
    files.ask = PP_STR("neither");
    assert_field(files, "platform");
    assert_string_equal(problem.got, "sev-snp");
    files = with("platform", "platform = sim-snp\nplatform = sev-snp\n");
    files.ark = PP_STR("not a certificate");
    assert_field(files, "platform"); /* both kinds together have no root */
    assert_string_equal(problem.got, "sev-snp");
}

static void a_root_of_ones_own_is_whole_or_refused(void **state)
{
    (void)state;
    struct pp_trust_files files = with("platform", "platform = sim-snp\n");

    files.ark = PP_STR("not a certificate");
    assert_field(files, "ark, ask");
    files.ask = PP_STR("neither");
    assert_field(files, "ark, ask");
    files.ark = PP_STR("");
    assert_field(files, "ark, ask");
}

static void hardware_and_algorithms_are_words_of_this_build(void **state)
{
    (void)state;
    assert_refused("hardware", "hardware = relaxed\n");
    assert_taken("hardware", "hardware = fleet-2026\n");
    assert_string_equal(trust.hardware.profile, "fleet-2026");
    assert_true(trust.hardware.waived != 0);
    assert_taken("hardware", "hardware = strict\n");
    assert_true(trust.hardware.waived == 0);
    assert_taken("message_kem", "message_kem = x-wing\n");
    assert_int_equal(trust.message_kem, PP_KEM_XWING);
    assert_refused("message_kem", "message_kem = x25519\n");
    assert_refused("message_kem", "message_kem = none\n");
    assert_taken("ohttp_kem", "ohttp_kem = x-wing\n");
    assert_int_equal(trust.ohttp_kem, PP_KEM_XWING);
    assert_refused("ohttp_kem", "ohttp_kem = classical\n");
    assert_refused("tls_group", "tls_group = secp256r1\n");
    assert_refused("tls_group", "tls_group = x25519,secp256r1\n");
}

/* The desk's profile is for this build's tests; prod refuses it even here. */
static void the_profile_of_a_desk_is_refused_in_prod(void **state)
{
    (void)state;
    static const char prod[] = PROD TWO("relay")
        TWO("mirror") "issuer_url = https://i.example/\nmessage_kem = x-wing\n";
    char lines[2048];

    assert_taken("hardware", "hardware = dev\n");
    assert_string_equal(trust.hardware.profile, "dev");
    snprintf(lines, sizeof lines, "%shardware = dev\n", prod);
    struct pp_trust_files files = with("environment relay mirror issuer_url message_kem hardware",
                                       lines);
    files.ca = PP_STR("-----BEGIN CERTIFICATE-----\n");
    assert_field(files, "hardware");
    assert_string_equal(problem.got, "dev");
    snprintf(lines, sizeof lines, "%shardware = fleet-2026\n", prod);
    files = with("environment relay mirror issuer_url message_kem hardware", lines);
    files.ca = PP_STR("-----BEGIN CERTIFICATE-----\n");
    assert_ok(parse(&files));
}

static void a_lowest_patch_level_has_one_form(void **state)
{
    (void)state;
    assert_taken("", "tcb_min = genoa 9 1 28 86\ntcb_min = turin 1 2 3 4 5\n");
    assert_int_equal(trust.hardware.snp.tcb_min[PP_SNP_GENOA].boot_loader, 9);
    assert_int_equal(trust.hardware.snp.tcb_min[PP_SNP_GENOA].tee, 1);
    assert_int_equal(trust.hardware.snp.tcb_min[PP_SNP_GENOA].snp, 28);
    assert_int_equal(trust.hardware.snp.tcb_min[PP_SNP_GENOA].microcode, 86);
    assert_int_equal(trust.hardware.snp.tcb_min[PP_SNP_TURIN].fmc, 5);
    assert_field(with("", "tcb_min = milan 1 2 3 4\n"), "tcb_min");
    assert_field(with("", "tcb_min = genoa\n"), "tcb_min");
    assert_field(with("", "tcb_min = genoa 1 2 3\n"), "tcb_min");
    assert_field(with("", "tcb_min = genoa 1 2 3 4 5\n"), "tcb_min");
    assert_field(with("", "tcb_min = turin 1 2 3 4\n"), "tcb_min");
    assert_field(with("", "tcb_min = turin 1 2 3 4 5 6\n"), "tcb_min");
    assert_field(with("", "tcb_min = genoa 1 2 3 256\n"), "tcb_min");
    assert_field(with("", "tcb_min = genoa 1  2 3 4\n"), "tcb_min");
}

/* --- policy files ----------------------------------------------------------------------------- */

static struct world_text policy;

static struct pp_trust_files log_policy(const char *groups)
{
    struct pp_trust_files files = w->files;

    world_begin(&policy);
    world_line(&policy, "log ", w, P_LOG);
    world_line(&policy, "witness w0 ", w, P_W0);
    world_line(&policy, "witness w1 ", w, P_W1);
    world_line(&policy, "witness w2 ", w, P_W2);
    world_line(&policy, "witness w3 ", w, P_W3);
    world_line(&policy, "witness record ", w, P_RECORD_WITNESS);
    pp_wr_text(&policy.wr, groups);
    files.log_policy = world_end(&policy);
    return files;
}

/* W27: k of n such that one dishonest witness and the log cannot show two histories. */
static void a_quorum_that_one_liar_could_split_is_refused(void **state)
{
    (void)state;
    struct pp_trust_files files = log_policy(
        "group p 3 w0 w1 w2\ngroup q all p record\nquorum q\n");

    assert_ok(parse(&files));
    assert_field(log_policy("group p 2 w0 w1 w2 w3\ngroup q all p record\nquorum q\n"),
                 "log policy");
    assert_field(log_policy("group p 2 w0 w1 w2\ngroup q all p record\nquorum q\n"), "log policy");
    assert_field(log_policy("group p 3 w0 w1 w2 w3\ngroup q any p record\nquorum q\n"),
                 "log policy");
    assert_field(log_policy("group p 3 w0 w1 w2 w3\nquorum p\n"), "log policy");
    assert_field(log_policy("quorum record\n"), "log policy");
    assert_field(log_policy("quorum none\n"), "log policy");
}

static void a_log_policy_names_one_log_of_one_key_or_two(void **state)
{
    (void)state;
    static const struct {
        enum person logs[3];
        size_t count;
        int taken;
    } rows[] = {
        { { P_LOG }, 1, 1 },
        { { P_LOG, P_OTHER_LOG }, 2, 1 }, /* the same name: its next key */
        { { P_OTHER_LOG, P_LOG }, 2, 1 },
        { { P_LOG, P_STRANGER }, 2, 0 }, /* another log */
        { { P_LOG, P_OTHER_LOG, P_THIRD_LOG }, 3, 0 },
        { { 0 }, 0, 0 },
    };
    struct pp_trust_files files = w->files;

    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        world_begin(&policy);
        for (size_t k = 0; k < rows[i].count; k++)
            world_line(&policy, "log ", w, rows[i].logs[k]);
        world_witnesses(&policy, w);
        files.log_policy = world_end(&policy);
        if (!rows[i].taken) {
            assert_field(files, "log policy");
            continue;
        }
        assert_ok(parse(&files));
        assert_int_equal(trust.log.log_count, rows[i].count);
        assert_true(pp_span_eq(trust.origin, PP_STR(WORLD_ORIGIN)));
    }
    files.log_policy = w->files.owner_policy; /* none, and people */
    assert_field(files, "log policy");
}

static void owner_and_review_policies_want_a_quorum_of_people(void **state)
{
    (void)state;
    static const char *const names[] = { "owner policy", "review policy" };

    for (size_t i = 0; i < 2; i++) {
        struct pp_trust_files files = w->files;
        struct pp_span *at = i == 0 ? &files.owner_policy : &files.review_policy;
        world_begin(&policy);
        world_line(&policy, "witness a ", w, P_ALICE);
        pp_wr_text(&policy.wr, "quorum none\n");
        *at = world_end(&policy);
        assert_field(files, names[i]);
        *at = w->files.log_policy; /* the wrong file */
        assert_field(files, names[i]);
        *at = PP_STR("");
        assert_field(files, names[i]);
    }
}

static void every_file_counts_in_the_digest_and_keeps_its_place_in_it(void **state)
{
    (void)state;
    uint8_t before[PP_SHA256_BYTES];
    struct pp_trust_files files = w->files;

    assert_ok(parse(&files));
    memcpy(before, trust.files_digest, sizeof before);
    files = with("", "# a comment\n");
    assert_ok(parse(&files));
    assert_memory_not_equal(trust.files_digest, before, sizeof before);
    files = w->files;
    files.ca = PP_STR("-----BEGIN CERTIFICATE-----\n");
    assert_ok(parse(&files));
    assert_memory_not_equal(trust.files_digest, before, sizeof before);
    files = w->files;
    struct pp_span owner = files.owner_policy;
    files.owner_policy = files.review_policy;
    files.review_policy = owner;
    assert_ok(parse(&files));
    assert_memory_not_equal(trust.files_digest, before, sizeof before);
}

/* Receipts name it: where none of the rarer files is, it is what it was before there were any. */
static void without_the_rarer_files_the_digest_is_that_of_the_seven(void **state)
{
    (void)state;
    const struct pp_trust_files *f = &w->files;
    const struct pp_span seven[] = {
        f->trust, f->log_policy, f->owner_policy, f->review_policy, f->ark, f->ask, f->ca
    };
    uint8_t digest[PP_SHA256_BYTES];
    struct pp_hash h;

    pp_hash_init(&h, PP_SHA256);
    for (size_t i = 0; i < PP_ARRAY_COUNT(seven); i++) {
        pp_hash_u64(&h, seven[i].len);
        pp_hash_update(&h, seven[i]);
    }
    pp_hash_final(&h, digest);
    assert_ok(parse(f));
    assert_memory_equal(trust.files_digest, digest, sizeof digest);
}

/* --- revocations that come with the app ------------------------------------------------------- */

static char revokes_text[1 << 16];

/* One behind the other, as `cat` puts notes together. */
static struct pp_trust_files with_revokes(size_t count, enum person by, const char *name_space)
{
    struct pp_wr wr = pp_wr_over(revokes_text, sizeof revokes_text);
    struct pp_trust_files files = w->files;
    struct pp_record r = { .type = PP_RECORD_REVOKE,
                           .ledger = PP_STR(WORLD_ORIGIN),
                           .name_space = pp_span_cstr(name_space),
                           .environment = PP_RECORD_DEV,
                           .time = WORLD_NOW,
                           .revoke = { .effective = WORLD_NOW } };

    for (size_t i = 0; i < count; i++) {
        r.serial = 1 + i;
        r.revoke.target.bytes[0] = (uint8_t)i;
        assert_ok(pp_record_sign(&wr, &r, &w->people[by], 1));
    }
    files.revokes = pp_wr_done(&wr);
    return files;
}

static void revoke_notes_of_the_app_are_opened_or_refused_with_the_anchors(void **state)
{
    (void)state;
    struct pp_trust_files files = with_revokes(PP_TRUST_REVOKES_MAX, P_CAROL, WORLD_NAMESPACE);
    uint8_t before[PP_SHA256_BYTES];

    assert_ok(parse(&w->files));
    assert_int_equal(trust.revoked_count, 0);
    memcpy(before, trust.files_digest, sizeof before);
    assert_ok(parse(&files));
    assert_int_equal(trust.revoked_count, PP_TRUST_REVOKES_MAX);
    for (size_t i = 0; i < PP_TRUST_REVOKES_MAX; i++)
        assert_int_equal(trust.revoked[i].bytes[0], i);
    assert_memory_not_equal(trust.files_digest, before, sizeof before);
    assert_field(with_revokes(PP_TRUST_REVOKES_MAX + 1, P_CAROL, WORLD_NAMESPACE), "revokes");
    assert_field(with_revokes(1, P_OWNER, WORLD_NAMESPACE), "revokes");
    assert_field(with_revokes(1, P_CAROL, WORLD_NAMESPACE "x"), "revokes");
    files = with_revokes(2, P_BOB, WORLD_NAMESPACE);
    for (size_t n = 1; n < files.revokes.len; n++) {
        struct pp_trust_files cut = files;
        cut.revokes.len = n;
        pp_res r = parse(&cut);
        if (!pp_is_ok(r) || trust.revoked_count != 1) /* one whole note is one */
            assert_code(r, PP_E_TRUST);
    }
    files.revokes = PP_STR("\n");
    assert_field(files, "revokes");
    files.revokes = w->files.owner_policy;
    assert_field(files, "revokes");
}

static void nobody_has_to_ask_for_the_words_of_a_refusal(void **state)
{
    (void)state;
    struct pp_trust_files files = with("hardware", "hardware = none\n");
    struct pp_trust t;

    assert_code(pp_trust_parse(&t, &files, NULL), PP_E_TRUST);
    pp_trust_done(&t);
    pp_trust_done(&t);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(good_anchors_are_read),
    cmocka_unit_test(every_mandatory_field_is_missed),
    cmocka_unit_test(a_field_that_is_given_twice_is_refused),
    cmocka_unit_test(an_unknown_key_and_bytes_that_are_no_text_are_refused),
    cmocka_unit_test(a_file_at_the_limit_is_read_and_one_past_it_is_not),
    cmocka_unit_test(the_environment_is_one_of_three_words),
    cmocka_unit_test(prod_wants_two_of_each_https_authorities_and_a_kem_for_tomorrow),
    cmocka_unit_test(https_needs_its_authorities_in_every_environment),
    cmocka_unit_test(relays_and_mirrors_have_their_limits),
    cmocka_unit_test(texts_have_their_limits),
    cmocka_unit_test(numbers_have_their_limits),
    cmocka_unit_test(a_platform_that_no_verifier_is_for_is_refused),
    cmocka_unit_test(a_simulated_platform_is_refused_in_prod),
    cmocka_unit_test(a_root_of_ones_own_goes_with_simulated_platforms_alone),
    cmocka_unit_test(a_root_of_ones_own_is_whole_or_refused),
    cmocka_unit_test(hardware_and_algorithms_are_words_of_this_build),
    cmocka_unit_test(the_profile_of_a_desk_is_refused_in_prod),
    cmocka_unit_test(a_lowest_patch_level_has_one_form),
    cmocka_unit_test(a_quorum_that_one_liar_could_split_is_refused),
    cmocka_unit_test(a_log_policy_names_one_log_of_one_key_or_two),
    cmocka_unit_test(owner_and_review_policies_want_a_quorum_of_people),
    cmocka_unit_test(every_file_counts_in_the_digest_and_keeps_its_place_in_it),
    cmocka_unit_test(without_the_rarer_files_the_digest_is_that_of_the_seven),
    cmocka_unit_test(revoke_notes_of_the_app_are_opened_or_refused_with_the_anchors),
    cmocka_unit_test(nobody_has_to_ask_for_the_words_of_a_refusal),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, make, drop);
}
