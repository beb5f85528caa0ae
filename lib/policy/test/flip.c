/* SPDX-License-Identifier: Apache-2.0 */
/* Any single flipped bit of a session's Evidence, or of the session's own values, is refused. */
#include "flip.h"
#include "machine.h"

static struct machine *m;
static struct pp_span cbor;

static int make(void **state)
{
    (void)state;
    m = machine_new();
    machine_default(m);
    return 0;
}

static int drop(void **state)
{
    (void)state;
    machine_free(m);
    return 0;
}

static pp_res appraise(void)
{
    struct pp_appraisal appraisal;

    return pp_appraise_stored(&m->trust, &m->ledger, &m->marks, PP_RECORD_ORCHESTRATOR, cbor,
                              &m->session, NULL, NULL, &appraisal);
}

static int is_refused(void *ctx)
{
    (void)ctx;
    return pp_code_class(appraise().code) == PP_CLASS_REFUSED;
}

/* Where in the encoding a value stands. It must be there once, so that it is the right place. */
static struct flip_region region(const char *name, struct pp_span value)
{
    struct flip_region r = { .name = name, .len = value.len };

    assert_true(value.len > 0);
    for (size_t i = 0; i + value.len <= cbor.len; i++)
        if (memcmp(cbor.at + i, value.at, value.len) == 0) {
            assert_null(r.at);
            r.at = m->cbor + i;
        }
    assert_non_null(r.at);
    return r;
}

static void flip(struct flip_region r)
{
    (void)flip_region(&r, is_refused, NULL);
}

/* A batched session, so that every kind of field is there. */
static void share_the_report(struct machine *x)
{
    x->evidence.batch = (struct pp_batch_path){ .size = 2, .index = 1, .node_count = 1 };
    memset(x->evidence.batch.nodes[0], 0x77, sizeof x->evidence.batch.nodes[0]);
}

static void any_flipped_bit_of_the_evidence_is_refused(void **state)
{
    (void)state;
    m->bend_evidence = share_the_report;
    cbor = machine_attest(m);
    assert_ok(appraise());
    const struct pp_evidence *e = &m->evidence;

    flip(region("report", e->report));
    flip(region("chip certificate", e->endorsements[0]));
    flip(region("release id", PP_BYTES(e->release_id)));
    flip(region("configuration", e->config));
    flip(region("message key", e->message_key));
    flip(region("batch path", PP_BYTES(e->batch.nodes[0])));
    flip(region("host-set id", PP_BYTES(e->hosts[0].record_id)));
    for (size_t i = 0; i < e->hosts[0].node_count; i++)
        flip(region("host-set path", PP_BYTES(e->hosts[0].nodes[i])));
    /* And all that stands between them: heads, keys, counts. */
    flip((struct flip_region){ .name = "map", .at = m->cbor, .len = m->cbor_len });
    assert_ok(appraise()); /* everything is as it was */
}

static void any_flipped_bit_of_the_session_is_refused(void **state)
{
    (void)state;
    m->bend_evidence = NULL;
    cbor = machine_attest(m);
    assert_ok(appraise());
    flip((struct flip_region){
        .name = "exporter value", .at = m->session.ekm, .len = sizeof m->session.ekm });
    flip((struct flip_region){
        .name = "server's key", .at = m->session.spki, .len = sizeof m->session.spki });
    assert_ok(appraise());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_flipped_bit_of_the_evidence_is_refused),
        cmocka_unit_test(any_flipped_bit_of_the_session_is_refused),
    };

    return cmocka_run_group_tests(tests, make, drop);
}
