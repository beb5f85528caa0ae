/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attacks on the binding that are known from the literature, run against the device's client,
 * with the TLS identity key of the guests in the attacker's hands and genuine guests for oracles
 * (docs/threat-model.md, "Relays and diversions").
 *
 *     oracle_attacks_BUILD GUEST-PROGRAM ROOT-FOLDER
 *
 * It prints one line for each attack: name, verdict, expected verdict.
 *
 * One source, four programs: the product's binding, and three weakened ones (weak_binding.c). The
 * guest must be of the same build. table.py puts the four beside each other.
 */
#include "chosen.h"
#include "leak.h"
#include "stage.h"

#include "message.h"

enum { TRIES = 50, HELLO_RANDOM_AT = 11, FLIGHT_BYTES_MAX = 1 << 17 };

/* In the order of the columns; BUILD is one of them. */
enum { STRONG, KEY_AND_NONCE, NONCE_ALONE, KEY_ALONE, BUILDS };

static struct stage *s;

/* --- the attacker's session with a guest ------------------------------------------------------ */

struct oracle {
    struct pp_ratls_client *client;
    uint8_t hello[PP_HELLO_BYTES];
    uint8_t server_random[PP_TLS_RANDOM_BYTES];
    uint8_t body[PP_EVIDENCE_BODY_BYTES];
    struct pp_evidence evidence; /* borrows from body */
};

/* `nonce`: the random that his ClientHello repeats, or NULL for one of his own. */
static void oracle_new(struct oracle *o, const uint8_t *nonce)
{
    struct pp_wr wr = pp_wr_over(o->hello, sizeof o->hello);

    chosen_random(nonce);
    assert_ok(pp_ratls_client_new(s->client_ctx, &o->client));
    chosen_random(NULL);
    assert_ok(pp_ratls_client_take(o->client, &wr));
    assert_true(nonce == NULL ||
                memcmp(o->hello + HELLO_RANDOM_AT, nonce, PP_TLS_RANDOM_BYTES) == 0);
}

/* He is the client, so he reads all that the guest sends. */
static void oracle_read(struct oracle *o, struct pp_span flight)
{
    struct pp_rd rd = pp_rd_span(flight);
    struct pp_span body, cbor;

    pp_rd_skip(&rd, HELLO_RANDOM_AT);
    pp_rd_copy(&rd, o->server_random, sizeof o->server_random);
    assert_ok(pp_rd_ok(&rd));
    assert_ok(pp_ratls_client_feed(o->client, flight));
    assert_ok(pp_ratls_client_flight_end(o->client));
    assert_ok(pp_ratls_client_evidence(o->client, &body));
    memcpy(o->body, body.at, sizeof o->body);
    pp_ratls_client_free(o->client);
    assert_ok(pp_evidence_body_parse(PP_BYTES(o->body), &cbor));
    assert_ok(pp_evidence_parse(cbor, PP_END_SERVER, &o->evidence));
}

static void oracle_ask(struct oracle *o, int guest, const uint8_t *nonce)
{
    oracle_new(o, nonce);
    oracle_read(o, guest_open(&s->guests[guest], PP_BYTES(o->hello)));
}

/* Two sessions that share one report. Which sessions a guest takes together is up to its timing. */
static void oracle_ask_two(struct oracle o[2], const uint8_t *nonce)
{
    struct pp_span flights[2];
    struct oracle busy;

    for (int i = 0; i < TRIES; i++) {
        oracle_new(&busy, NULL);
        oracle_new(&o[0], nonce);
        oracle_new(&o[1], nonce);
        guest_open_two(&s->guests[AT_FIRST], PP_BYTES(o[0].hello), PP_BYTES(o[1].hello),
                       PP_BYTES(busy.hello), flights);
        pp_ratls_client_free(busy.client);
        oracle_read(&o[0], flights[0]);
        oracle_read(&o[1], flights[1]);
        if (o[0].evidence.batch.size == 2 && o[1].evidence.batch.size == 2)
            return;
    }
    fail_msg("no shared report in %d tries", TRIES);
}

/* --- the attacker in the place of the guest --------------------------------------------------- */

struct front {
    struct pp_ratls_server *server;
    struct pp_ratls_session session;
    uint8_t flight[FLIGHT_BYTES_MAX];
    uint8_t request[512];
};

/* Ends the device's TLS under the leaked key, or one of his own; with a Diffie-Hellman key of his
 * own in any case, and a ServerHello random of his choice. */
static void front_new(struct front *f, const struct victim *v, int own_key,
                      const uint8_t *server_random)
{
    struct pp_span key = own_key ? PP_STR("") : PP_BYTES(LEAKED_KEY);

    assert_ok(pp_ratls_server_new_bent(s->server_ctx, &s->random, 0, key, &f->server));
    chosen_random(server_random);
    assert_ok(pp_ratls_server_feed(f->server, PP_BYTES(v->hello)));
    chosen_random(NULL);
    assert_ok(pp_ratls_server_session(f->server, &f->session));
}

static struct pp_span front_flight(struct front *f, const struct pp_evidence *e)
{
    uint8_t body[PP_EVIDENCE_BODY_BYTES];
    struct pp_wr body_wr = pp_wr_over(body, sizeof body);
    struct pp_wr wr = pp_wr_over(f->flight, sizeof f->flight);

    assert_ok(pp_evidence_body_write(&body_wr, e));
    assert_ok(pp_ratls_server_evidence(f->server, PP_BYTES(body)));
    assert_ok(pp_ratls_server_take(f->server, &wr));
    return pp_wr_done(&wr);
}

/* Shows `e` to the device. A device that accepts has sent its request to the attacker. */
static uint32_t deceive(struct front *f, struct victim *v, const struct pp_evidence *e)
{
    uint8_t sent[1024];
    struct pp_wr wr = pp_wr_over(sent, sizeof sent);
    struct pp_span got;

    uint32_t code = victim_decides(s, v, front_flight(f, e), &wr);
    pp_ratls_server_request_buffer(f->server, f->request, sizeof f->request);
    if (code == PP_E_OK) {
        assert_ok(pp_ratls_server_feed(f->server, pp_wr_done(&wr)));
        assert_ok(pp_ratls_server_request(f->server, &got));
    }
    pp_ratls_server_free(f->server);
    return code;
}

/* --- nobody in between ------------------------------------------------------------------------ */

static uint32_t direct(int guest)
{
    struct victim v;

    victim_new(s, &v);
    return victim_decides(s, &v, guest_open(&s->guests[guest], PP_BYTES(v.hello)), NULL);
}

static uint32_t no_attacker(void)
{
    return direct(AT_FIRST);
}

/* Nobody reads along: the session ends in that machine, which is what registration is about. */
static uint32_t diverted_to_another_registered_machine(void)
{
    return direct(AT_SECOND);
}

static uint32_t w10_t1_diverted_to_a_genuine_machine_that_nobody_registered(void)
{
    return direct(AT_STRANGER);
}

static uint32_t w20_t2_diverted_to_a_guest_of_another_role(void)
{
    return direct(AS_PREDICTOR);
}

/* --- relays ----------------------------------------------------------------------------------- */

static const uint8_t *nonce_of(const struct victim *v)
{
    return v->hello + HELLO_RANDOM_AT;
}

/* Without the leaked key: fresh Evidence over the device's nonce, under a key that he made. */
static uint32_t w7_t2_a_nonce_relay_under_a_key_of_his_own(void)
{
    static struct oracle o;
    static struct front f;
    struct victim v;

    victim_new(s, &v);
    oracle_ask(&o, AT_FIRST, nonce_of(&v));
    front_new(&f, &v, 1, o.server_random);
    return deceive(&f, &v, &o.evidence);
}

/* CVE-2026-33697. */
static uint32_t w7_t4_a_nonce_relay_with_the_leaked_key(void)
{
    static struct oracle o;
    static struct front f;
    struct victim v;

    victim_new(s, &v);
    oracle_ask(&o, AT_FIRST, nonce_of(&v));
    front_new(&f, &v, 0, NULL);
    return deceive(&f, &v, &o.evidence);
}

/* All that a passive third party sees of the two sessions is the same, but for the two
 * Diffie-Hellman shares: randoms, certificate, configuration, Evidence. */
static uint32_t w7_t5_a_key_relay_that_repeats_both_randoms(void)
{
    static struct oracle o;
    static struct front f;
    struct victim v;

    victim_new(s, &v);
    oracle_ask(&o, AT_FIRST, nonce_of(&v));
    front_new(&f, &v, 0, o.server_random);
    return deceive(&f, &v, &o.evidence);
}

/* His own machine's key ends the TLS, another machine's Evidence is shown (Sardar et al.). */
static uint32_t w7_t5_a_diversion_with_the_evidence_of_another_machine(void)
{
    static struct oracle o;
    static struct front f;
    struct victim v;

    victim_new(s, &v);
    oracle_ask(&o, AT_SECOND, nonce_of(&v));
    front_new(&f, &v, 0, o.server_random);
    return deceive(&f, &v, &o.evidence);
}

static uint32_t w7_t1_the_report_of_an_earlier_session(void)
{
    static struct oracle o;
    static struct front f;
    struct victim v;

    oracle_ask(&o, AT_FIRST, NULL);
    victim_new(s, &v);
    front_new(&f, &v, 0, o.server_random);
    return deceive(&f, &v, &o.evidence);
}

static uint32_t w7_t4_a_relay_with_a_message_key_of_his_own(void)
{
    static struct oracle o;
    static struct front f;
    struct victim v;

    victim_new(s, &v);
    oracle_ask(&o, AT_FIRST, nonce_of(&v));
    front_new(&f, &v, 0, o.server_random);
    o.evidence.message_key = pp_span(s->m->message_key, s->m->message_key_len);
    return deceive(&f, &v, &o.evidence);
}

/* --- shared reports --------------------------------------------------------------------------- */

static uint32_t w7_t4_a_relay_through_a_shared_report(void)
{
    static struct oracle o[2];
    static struct front f;
    struct victim v;

    victim_new(s, &v);
    oracle_ask_two(o, nonce_of(&v));
    front_new(&f, &v, 0, o[0].server_random);
    return deceive(&f, &v, &o[0].evidence);
}

static uint32_t w7_t4_the_path_and_index_of_another_session(void)
{
    static struct oracle o[2];
    static struct front f;
    struct victim v;

    victim_new(s, &v);
    oracle_ask_two(o, nonce_of(&v));
    front_new(&f, &v, 0, o[0].server_random);
    o[0].evidence.batch = o[1].evidence.batch;
    return deceive(&f, &v, &o[0].evidence);
}

static uint32_t w7_t4_the_path_of_another_batch(void)
{
    static struct oracle o[2], other[2];
    static struct front f;
    struct victim v;

    victim_new(s, &v);
    oracle_ask_two(o, nonce_of(&v));
    oracle_ask_two(other, nonce_of(&v));
    front_new(&f, &v, 0, o[0].server_random);
    o[0].evidence.batch = other[0].evidence.batch;
    return deceive(&f, &v, &o[0].evidence);
}

/* --- a channel process that was taken over ---------------------------------------------------- */

/*
 * The strongest position: he is the TLS end of the very session that is attested, exporter value
 * and all. What is left to him is to show other things than the attester signed.
 */
static void attest(const struct front *f, enum pp_end end, const struct pp_evidence *e,
                   uint8_t ret_report[PP_SNP_REPORT_BYTES])
{
    struct sim_guest guest = s->guests[AT_FIRST].launched;
    uint8_t binding[PP_BINDING_BYTES];

    assert_ok(pp_binding_of_evidence(end, PP_BYTES(f->session.spki), f->session.ekm, e, binding));
    assert_ok(sim_chip_report(s->m->chip, &guest, binding, ret_report));
}

/* 81 84: one GPU: fresh, report, one certificate, no OCSP answer. */
#define GPU(report)                                                                                \
    "\x81\x84\x58\x20"                                                                             \
    "fresh fresh fresh fresh fresh fr\x43" report "\x81\x41\x30\x80"

struct insider {
    struct victim v;
    struct front f;
    struct pp_evidence e;
    uint8_t report[PP_SNP_REPORT_BYTES];
};

static void insider_new(struct insider *in)
{
    victim_new(s, &in->v);
    front_new(&in->f, &in->v, 0, NULL);
    stage_evidence(s, s->m->chip, &in->e);
    in->e.report = PP_BYTES(in->report);
}

static uint32_t a_channel_process_that_changes_nothing(void)
{
    static struct insider in;

    insider_new(&in);
    attest(&in.f, PP_END_SERVER, &in.e, in.report);
    return deceive(&in.f, &in.v, &in.e);
}

static uint32_t w7_t5_reflection_a_report_of_the_client_end(void)
{
    static struct insider in;

    insider_new(&in);
    attest(&in.f, PP_END_CLIENT, &in.e, in.report);
    return deceive(&in.f, &in.v, &in.e);
}

static uint32_t w7_t4_the_message_key_swapped(void)
{
    static struct insider in;
    static uint8_t other[2 + PP_EVIDENCE_KEY_BYTES_MAX];

    insider_new(&in);
    attest(&in.f, PP_END_SERVER, &in.e, in.report);
    memcpy(other, s->m->message_key, s->m->message_key_len);
    other[s->m->message_key_len - 1] ^= 1; /* of its X25519 half */
    in.e.message_key = pp_span(other, s->m->message_key_len);
    return deceive(&in.f, &in.v, &in.e);
}

/* HOST_DATA says which configuration was measured, whatever the binding covers. */
static uint32_t w13_t3_the_configuration_swapped(void)
{
    static struct insider in;

    insider_new(&in);
    attest(&in.f, PP_END_SERVER, &in.e, in.report);
    in.e.config = PP_STR("environment = dev\n");
    return deceive(&in.f, &in.v, &in.e);
}

static uint32_t w7_t4_the_gpu_evidence_swapped(void)
{
    static struct insider in;

    insider_new(&in);
    in.e.gpu_encoding = PP_STR(GPU("one"));
    attest(&in.f, PP_END_SERVER, &in.e, in.report);
    in.e.gpu_encoding = PP_STR(GPU("two"));
    uint32_t code = victim_compares(&in.v, front_flight(&in.f, &in.e));
    pp_ratls_server_free(in.f.server);
    return code;
}

static uint32_t w7_t4_gpu_evidence_added(void)
{
    static struct insider in;

    insider_new(&in);
    attest(&in.f, PP_END_SERVER, &in.e, in.report);
    in.e.gpu_encoding = PP_STR(GPU("two"));
    uint32_t code = victim_compares(&in.v, front_flight(&in.f, &in.e));
    pp_ratls_server_free(in.f.server);
    return code;
}

/* --- all of them ------------------------------------------------------------------------------ */

enum { YES = PP_E_OK, BINDING = PP_E_SNP_BINDING };

#define ATTACK(name, ...)                                                                          \
    {                                                                                              \
#name, name,                                                                               \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }
#define EVERYWHERE(code) code, code, code, code

static const struct {
    const char *name;
    uint32_t (*run)(void);
    uint32_t expected[BUILDS]; /* strong; key and nonce; nonce alone; key alone */
} ATTACKS[] = {
    ATTACK(no_attacker, EVERYWHERE(YES)),
    ATTACK(a_channel_process_that_changes_nothing, EVERYWHERE(YES)),
    ATTACK(w7_t1_the_report_of_an_earlier_session, BINDING, BINDING, BINDING, YES),
    ATTACK(w7_t2_a_nonce_relay_under_a_key_of_his_own, BINDING, BINDING, YES, BINDING),
    ATTACK(w7_t4_a_nonce_relay_with_the_leaked_key, BINDING, YES, YES, YES),
    ATTACK(w7_t5_a_key_relay_that_repeats_both_randoms, BINDING, YES, YES, YES),
    ATTACK(w7_t5_a_diversion_with_the_evidence_of_another_machine, BINDING, YES, YES, YES),
    ATTACK(w7_t4_a_relay_with_a_message_key_of_his_own, BINDING, YES, YES, YES),
    ATTACK(w7_t4_a_relay_through_a_shared_report, BINDING, YES, YES, YES),
    ATTACK(w7_t4_the_path_and_index_of_another_session, BINDING, YES, YES, YES),
    ATTACK(w7_t4_the_path_of_another_batch, BINDING, YES, YES, YES),
    ATTACK(w7_t5_reflection_a_report_of_the_client_end, BINDING, YES, YES, YES),
    ATTACK(w7_t4_the_message_key_swapped, BINDING, YES, YES, YES),
    ATTACK(w7_t4_the_gpu_evidence_swapped, BINDING, YES, YES, YES),
    ATTACK(w7_t4_gpu_evidence_added, BINDING, YES, YES, YES),
    /* Not the binding's work: the same everywhere. */
    ATTACK(diverted_to_another_registered_machine, EVERYWHERE(YES)),
    ATTACK(w10_t1_diverted_to_a_genuine_machine_that_nobody_registered,
           EVERYWHERE(PP_E_LEDGER_HOST)),
    ATTACK(w20_t2_diverted_to_a_guest_of_another_role, EVERYWHERE(PP_E_LEDGER_MEASUREMENT)),
    ATTACK(w13_t3_the_configuration_swapped, EVERYWHERE(PP_E_SNP_HOST_DATA)),
};

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: oracle_attacks_BUILD GUEST-PROGRAM ROOT-FOLDER\n");
        return 2;
    }
    s = stage_new(argv[1], argv[2]);
    for (size_t i = 0; i < PP_ARRAY_COUNT(ATTACKS); i++)
        printf("%s %s %s\n", ATTACKS[i].name, pp_code_name(ATTACKS[i].run()),
               pp_code_name(ATTACKS[i].expected[BUILD]));
    stage_free(s);
    return 0;
}
