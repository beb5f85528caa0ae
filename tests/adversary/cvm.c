/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pp-adversary-cvm: stands where host and CVM should be, and holds the simulated secure processor.
 * It can make genuine reports about the released program, as an attacker can who has such a machine
 * for an oracle; what it cannot do is make that program attest a session that is not its own. It
 * answers `open` frames; a device that sends more than that has been deceived.
 *
 *     mode = replay          the report of another session
 *     mode = other-key       a report for this session's exporter, and another TLS key
 *     mode = relay           man in the middle: the CVM's own TLS key, its own second session with
 *                            the genuine program, and that session's report (CVE-2026-33697)
 *     mode = message-key     a good report, and another message key beside it
 *     mode = no-evidence     mode = evidence-twice     mode = evidence-size
 *     mode = tls12           mode = retry              mode = resumption
 *     mode = honest          no lie: the device must accept, or the others prove nothing
 */
#include <fcntl.h>
#include <stdlib.h>

#include "common.h"
#include "crypto.h"
#include "far_end.h"
#include "file.h"
#include "frame.h"
#include "hints.h"
#include "message.h"
#include "sim.h"
#include "sim_tdx.h"
#include "stream.h"
#include "text.h"

enum { PATH_BYTES_MAX = 256, PROGRAM_BYTES_MAX = 64 << 20, FLIGHT_BYTES_MAX = 65536 };
enum { KEY_BYTES = 2 + 1216 }; /* a message key: KEM id and X-Wing public key */

enum {
    HONEST,
    REPLAY,
    OTHER_KEY,
    RELAY,
    MESSAGE_KEY,
    NO_EVIDENCE,
    EVIDENCE_TWICE,
    EVIDENCE_SIZE,
    TLS12,
    RETRY,
    RESUMPTION,
    MODES
};
static const char *const MODE_NAMES[MODES] = { "honest",         "replay",        "other-key",
                                               "relay",          "message-key",   "no-evidence",
                                               "evidence-twice", "evidence-size", "tls12",
                                               "retry",          "resumption" };

static struct config {
    struct adversary_config common; /* always first */
    struct pp_span platform, program, cvm_config, role, firmware, policy, chip, hints;
} config = { .platform = { (const uint8_t *)"sim-snp", 7 } };

static const struct pp_kv_key KEYS[] = {
    { "platform", PP_KV_TEXT, offsetof(struct config, platform), 0, 1, 16, "sim-snp or sim-tdx" },
    { "program", PP_KV_TEXT, offsetof(struct config, program), 1, 1, 255, "the released program" },
    { "cvm_config", PP_KV_TEXT, offsetof(struct config, cvm_config), 1, 1, 255,
      "its configuration" },
    { "role", PP_KV_TEXT, offsetof(struct config, role), 1, 1, 16, "orchestrator" },
    { "firmware", PP_KV_TEXT, offsetof(struct config, firmware), 1, 1, 255, "a firmware file" },
    { "policy", PP_KV_TEXT, offsetof(struct config, policy), 1, 16, 16, "16 hex digits" },
    { "chip", PP_KV_TEXT, offsetof(struct config, chip), 1, 1, 255, "the processor's folder" },
    { "hints", PP_KV_TEXT, offsetof(struct config, hints), 1, 1, 255, "a file with hints" },
    ADVERSARY_MODE_KEY,
};

static struct {
    int is_tdx;
    struct sim_chip *chip;
    struct sim_guest guest;
    struct sim_tdx_platform *platform; /* in their place, with sim-tdx */
    struct sim_tdx_guest td;
    struct pp_buf config_bytes, hints_bytes;
    struct pp_hints hints;
    struct pp_ratls_ctx *client_ctx;
    struct pp_stream_server *server;
} self;

/* --- start ------------------------------------------------------------------------------------ */

static pp_res path_of(struct pp_span value, char ret[PATH_BYTES_MAX])
{
    struct pp_wr wr = pp_wr_over(ret, PATH_BYTES_MAX);

    pp_wr_span(&wr, value);
    pp_wr_u8(&wr, 0);
    return pp_wr_ok(&wr);
}

static pp_res read_file(struct pp_span name, size_t max, struct pp_buf *ret)
{
    char path[PATH_BYTES_MAX];

    PP_TRY(path_of(name, path));
    return pp_file_read(AT_FDCWD, path, max, ret);
}

/* The measurement of the released program, although what runs is this one: the attacker's machine
 * runs the genuine program somewhere, and reports are what it can be made to give. */
static pp_res measure_files(struct pp_span firmware, struct pp_span program)
{
    static const char CMDLINE[] = "pp.role=orchestrator";

    if (self.is_tdx)
        return sim_tdx_measure_launch(firmware, program, PP_STR(""), pp_span_cstr(CMDLINE),
                                      &self.td);
    return sim_measure_launch(firmware, program, PP_STR(""), pp_span_cstr(CMDLINE), 1,
                              self.guest.measurement);
}

static pp_res measure(void)
{
    struct pp_buf program = { 0 }, firmware = { 0 };
    uint8_t policy[8];

    pp_res r = read_file(config.program, PROGRAM_BYTES_MAX, &program);
    if (pp_is_ok(r))
        r = read_file(config.firmware, SIM_FIRMWARE_BYTES, &firmware);
    if (pp_is_ok(r))
        r = measure_files(pp_buf_span(&firmware), pp_buf_span(&program));
    pp_buf_done(&program);
    pp_buf_done(&firmware);
    PP_TRY(r);
    PP_TRY(pp_hex_parse(config.policy, policy, sizeof policy));
    struct pp_rd rd = pp_rd_over(policy, sizeof policy);
    self.guest.policy = self.td.td_attributes = pp_rd_u64(&rd);
    self.td.xfam = SIM_TDX_XFAM;
    pp_sha256(pp_buf_span(&self.config_bytes), self.guest.host_data);
    memcpy(self.td.mrconfigid, self.guest.host_data, sizeof self.guest.host_data);
    return PP_OK;
}

static pp_res open_all(struct pp_daemon *d, struct pp_problem *problem)
{
    char path[PATH_BYTES_MAX];

    (void)d;
    (void)problem;
    PP_TRY(path_of(config.chip, path));
    self.is_tdx = pp_span_eq(config.platform, PP_STR("sim-tdx"));
    PP_TRY(self.is_tdx ? sim_tdx_platform_load(AT_FDCWD, path, &self.platform)
                       : sim_chip_load(AT_FDCWD, path, &self.chip));
    PP_TRY(read_file(config.cvm_config, PP_EVIDENCE_CONFIG_BYTES_MAX, &self.config_bytes));
    PP_TRY(read_file(config.hints, PP_HINTS_BYTES_MAX, &self.hints_bytes));
    PP_TRY(pp_hints_parse(pp_buf_span(&self.hints_bytes), &self.hints));
    PP_TRY(measure());
    return pp_ratls_ctx_new(PP_END_CLIENT, &self.client_ctx);
}

/* --- Evidence --------------------------------------------------------------------------------- */

/* Two message keys: the one that the report covers, and the one that Evidence shows. */
static pp_res message_keys(uint8_t covered[KEY_BYTES], uint8_t shown[KEY_BYTES])
{
    for (int i = 0; i < 2; i++) {
        struct pp_wr wr = pp_wr_over(i == 0 ? covered : shown, KEY_BYTES);
        struct pp_kem_key *k = NULL;

        PP_TRY(pp_kem_key_generate(PP_KEM_XWING, &adversary.daemon->random, &k));
        pp_wr_u16(&wr, PP_KEM_XWING);
        pp_wr_span(&wr, pp_kem_key_public(k));
        pp_kem_key_free(k);
        PP_TRY(pp_wr_ok(&wr));
    }
    if (adversary.mode != MESSAGE_KEY)
        memcpy(shown, covered, KEY_BYTES);
    return PP_OK;
}

struct report {
    uint8_t bytes[SIM_TDX_QUOTE_BYTES_MAX];
    size_t len;
};

static pp_res make_report(const uint8_t binding[PP_BINDING_BYTES], struct report *ret)
{
    if (self.is_tdx)
        return sim_tdx_quote(self.platform, &self.td, binding, ret->bytes, sizeof ret->bytes,
                             &ret->len);
    ret->len = PP_SNP_REPORT_BYTES;
    return sim_chip_report(self.chip, &self.guest, binding, ret->bytes);
}

/* What the genuine program attests: always a session of its own. `covered` is which session. */
static pp_res write_evidence(const struct pp_ratls_session *covered, struct pp_wr *wr)
{
    uint8_t key[KEY_BYTES], shown[KEY_BYTES], binding[PP_BINDING_BYTES];
    struct report report;
    struct pp_evidence e = { .platform = self.is_tdx ? PP_PLATFORM_SIM_TDX : PP_PLATFORM_SIM_SNP,
                             .config = pp_buf_span(&self.config_bytes),
                             .host_count = self.hints.host_count };

    PP_TRY(message_keys(key, shown));
    e.message_key = PP_BYTES(key);
    PP_TRY(
        pp_binding_of_evidence(PP_END_SERVER, PP_BYTES(covered->spki), covered->ekm, &e, binding));
    PP_TRY(make_report(binding, &report));
    e.message_key = PP_BYTES(shown);
    e.report = pp_span(report.bytes, report.len);
    if (!self.is_tdx) /* a quote brings its own chain */
        e.endorsements[e.endorsement_count++] = sim_chip_vcek(self.chip);
    memcpy(e.release_id, self.hints.release_id, sizeof e.release_id);
    memcpy(e.hosts, self.hints.hosts, sizeof e.hosts);
    return pp_evidence_body_write(wr, &e);
}

/*
 * The oracle's session: a second handshake, between a client of the attacker's and the genuine
 * program, under the very TLS key that the victim sees.
 */
static pp_res oracle_session(struct pp_ec_key *key, struct pp_ratls_session *ret)
{
    struct pp_ratls_client *client = NULL;
    struct far_end *genuine = NULL;
    uint8_t hello[PP_HELLO_BYTES];
    struct pp_wr wr = pp_wr_over(hello, sizeof hello);

    pp_res r = pp_ratls_client_new(self.client_ctx, &client);
    if (pp_is_ok(r))
        r = pp_ratls_client_take(client, &wr);
    if (pp_is_ok(r))
        r = far_end_new(key, &genuine);
    if (pp_is_ok(r))
        r = far_end_hello(genuine, pp_wr_done(&wr), ret);
    far_end_free(genuine);
    pp_ratls_client_free(client);
    return r;
}

/* The session that the report is about, as the mode has it. */
static pp_res covered_session(struct pp_ec_key *key, const struct pp_ratls_session *own,
                              struct pp_ratls_session *ret)
{
    struct pp_ec_key *other = NULL;
    size_t len;

    *ret = *own;
    if (adversary.mode == RELAY)
        return oracle_session(key, ret);
    if (adversary.mode != REPLAY && adversary.mode != OTHER_KEY)
        return PP_OK;
    PP_TRY(pp_ec_key_generate(PP_P256, &other));
    pp_res r = pp_ec_key_spki(other, ret->spki, sizeof ret->spki, &len);
    pp_ec_key_free(other);
    PP_TRY(r);
    if (adversary.mode == REPLAY)
        return pp_random_fill(&adversary.daemon->random, ret->ekm, sizeof ret->ekm);
    return PP_OK;
}

static pp_res write_messages(struct far_end *e, struct pp_span body)
{
    static uint8_t buf[PP_EVIDENCE_BODY_BYTES + 256];
    struct pp_wr wr = pp_wr_over(buf, sizeof buf);
    size_t extra = adversary.mode == EVIDENCE_SIZE ? 64 : 0;

    if (adversary.mode == NO_EVIDENCE)
        return PP_OK;
    pp_message_head_write(&wr, PP_MESSAGE_EVIDENCE, body.len + extra);
    pp_wr_span(&wr, body);
    pp_wr_zeros(&wr, extra);
    if (adversary.mode == EVIDENCE_TWICE) {
        pp_message_head_write(&wr, PP_MESSAGE_EVIDENCE, 16);
        pp_wr_zeros(&wr, 16);
    }
    PP_TRY(pp_wr_ok(&wr));
    return far_end_write(e, pp_wr_done(&wr));
}

static pp_res attested_flight(struct pp_span hello, struct pp_ec_key *key, struct far_end *e,
                              struct pp_wr *flight)
{
    static uint8_t body[PP_EVIDENCE_BODY_BYTES];
    struct pp_wr wr = pp_wr_over(body, sizeof body);
    struct pp_ratls_session own, covered;

    PP_TRY(far_end_hello(e, hello, &own));
    PP_TRY(covered_session(key, &own, &covered));
    PP_TRY(write_evidence(&covered, &wr));
    PP_TRY(write_messages(e, pp_wr_done(&wr)));
    return far_end_take(e, flight);
}

static pp_res make_flight(struct pp_span hello, struct pp_wr *flight)
{
    static const enum far_end_forgery forgeries[] = { [TLS12 - TLS12] = FAR_END_TLS12,
                                                      [RETRY - TLS12] = FAR_END_RETRY,
                                                      [RESUMPTION - TLS12] = FAR_END_RESUMPTION };
    struct pp_ec_key *key = NULL;
    struct far_end *e = NULL;

    if (adversary.mode >= TLS12)
        return far_end_forge(forgeries[adversary.mode - TLS12], &adversary.daemon->random, flight);
    PP_TRY(pp_ec_key_generate(PP_P256, &key));
    pp_res r = far_end_new(key, &e);
    if (pp_is_ok(r))
        r = attested_flight(hello, key, e, flight);
    far_end_free(e);
    pp_ec_key_free(key);
    return r;
}

/* --- frames ----------------------------------------------------------------------------------- */

struct connection {
    struct pp_stream *stream;
    struct pp_frame_rd rd;
    uint8_t body[PP_FRAME_REQUEST_BYTES_MAX];
};

static pp_res answer(struct connection *c, const struct pp_frame *request)
{
    static uint8_t flight[FLIGHT_BYTES_MAX], out[FLIGHT_BYTES_MAX + PP_FRAME_HEAD_BYTES];
    struct pp_wr flight_wr = pp_wr_over(flight, sizeof flight), wr = pp_wr_over(out, sizeof out);
    struct pp_frame a = { .kind = PP_FRAME_GONE, .tag = request->tag };

    memcpy(a.sid, request->sid, sizeof a.sid);
    if (request->kind == PP_FRAME_OPEN) {
        PP_TRY(make_flight(request->bytes, &flight_wr));
        PP_TRY(pp_random_fill(&adversary.daemon->random, a.sid, sizeof a.sid));
        a.kind = PP_FRAME_LAST;
        a.bytes = pp_wr_done(&flight_wr);
    }
    PP_TRY(pp_frame_write(&wr, PP_FRAME_ANSWERS, &a));
    return pp_stream_write(c->stream, pp_wr_done(&wr));
}

static void on_readable(void *ctx, struct pp_stream *s)
{
    struct connection *c = ctx;
    struct pp_span in = pp_stream_input(s);
    size_t before = in.len;
    const struct pp_frame *frame = NULL;
    pp_res r = PP_OK;

    while (pp_is_ok(r) && in.len > 0) {
        r = pp_frame_feed(&c->rd, &in, &frame);
        if (pp_is_ok(r) && frame != NULL)
            r = answer(c, frame);
    }
    pp_stream_consume(s, before - in.len);
    if (!pp_is_ok(r))
        pp_stream_finish(s);
}

static void on_ended(void *ctx, struct pp_stream *s, pp_res why)
{
    (void)why;
    pp_stream_free(s);
    free(ctx);
}

static int on_accepted(void *ctx, struct pp_stream *s)
{
    struct connection *c = calloc(1, sizeof *c);

    (void)ctx;
    if (c == NULL)
        return 0;
    c->stream = s;
    pp_frame_rd_init(&c->rd, PP_FRAME_REQUESTS, c->body, sizeof c->body);
    pp_stream_set_ctx(s, c);
    return 1;
}

static pp_res serve(struct pp_daemon *d, struct pp_problem *problem)
{
    const struct pp_stream_server_config c = {
        .stream = { .in_bytes_max = PP_FRAME_REQUEST_BYTES_MAX + PP_FRAME_HEAD_BYTES,
                    .out_bytes_max = 4 * FLIGHT_BYTES_MAX,
                    .readable = on_readable,
                    .ended = on_ended },
        .connections_max = 16,
        .accepted = on_accepted,
    };

    (void)problem;
    return pp_stream_server_new(d->loop, adversary.listener, &c, &self.server);
}

static void close_all(struct pp_daemon *d)
{
    (void)d;
    pp_stream_server_free(self.server);
    pp_ratls_ctx_free(self.client_ctx);
    sim_chip_free(self.chip);
    sim_tdx_platform_free(self.platform);
    pp_buf_done(&self.config_bytes);
    pp_buf_done(&self.hints_bytes);
}

int main(int argc, char **argv)
{
    static const struct adversary_program PROGRAM = {
        .name = "pp-adversary-cvm",
        .what = "an attacker in the place of host and CVM, for tests",
        .keys = KEYS,
        .key_count = PP_ARRAY_COUNT(KEYS),
        .config = &config.common,
        .modes = MODE_NAMES,
        .mode_count = MODES,
        .listener = "frames",
        .open = open_all,
        .serve = serve,
        .close = close_all,
    };

    return adversary_main(&PROGRAM, argc, argv);
}
