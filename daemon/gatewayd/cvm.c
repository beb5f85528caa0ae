/* SPDX-License-Identifier: Apache-2.0 */
#include "cvm.h"

#include <stdlib.h>

#include "ct.h"

enum {
    SLOT_BITS = 10,
    CLOSE_TAG = UINT32_MAX, /* answers to close frames: nobody waits for them */
    FRAME_BYTES_MAX = PP_FRAME_HEAD_BYTES + PP_FRAME_REQUEST_BYTES_MAX,
    IN_BYTES = PP_FRAME_HEAD_BYTES + PP_FRAME_ANSWER_BYTES_MAX,
};

_Static_assert(GW_CALLS_PER_CVM_MAX == 1 << SLOT_BITS, "a slot fits its bits of a tag");

/* A request that was sent and whose answer is not complete. */
struct slot {
    struct gw_call *call; /* NULL: cancelled, only the session's end is still to be arranged */
    uint32_t tag;
    uint32_t used;
    uint32_t close_at_first; /* cancelled before the session's id was known */
    uint32_t next_free;
};

struct gw_cvm {
    struct gw_cvms *all;
    struct pp_address address; /* family 0: a place that nobody has */
    int is_listed;
    uint64_t left_ms;         /* when it was listed no more */
    uint32_t backoff_ms;      /* 0: its last connection was of use */
    uint64_t retry_ms;        /* until then it is no candidate */
    struct pp_stream *stream; /* NULL: not connected */
    struct pp_frame_rd reader;
    uint8_t *reader_buf;
    struct slot *slots;
    uint32_t first_free; /* GW_CALLS_PER_CVM_MAX: none */
    uint32_t generation;
    size_t used;
    struct gw_call *waiting; /* for room in the stream, first come first */
};

struct gw_cvms {
    struct pp_loop *loop;
    struct pp_clock clock;
    uint32_t idle_ms;
    uint64_t lost;
    uint8_t *frame; /* one frame on its way out */
    struct gw_cvm cvms[GW_CVMS_MAX];
};

/* --- addresses ------------------------------------------------------------------------------ */

struct pp_handle_address gw_cvms_address(const struct gw_cvms *c, size_t cvm)
{
    const struct pp_address *a = &c->cvms[cvm].address;
    struct pp_handle_address h = { .family = (enum pp_family)a->family, .port = a->port };

    if (a->family == PP_ADDRESS_UNIX) {
        pp_handle_address_unix(&h, pp_span_cstr(a->path));
        return h;
    }
    struct pp_wr wr = pp_wr_over(h.bytes, sizeof h.bytes);
    pp_wr_bytes(&wr, a->ip, sizeof a->ip);
    return h;
}

pp_res gw_cvms_find(const struct gw_cvms *c, const struct pp_handle_address *a, size_t *ret_cvm)
{
    for (size_t i = 0; i < GW_CVMS_MAX; i++) {
        if (c->cvms[i].address.family == 0)
            continue;
        struct pp_handle_address own = gw_cvms_address(c, i);
        if (own.family != a->family || own.port != a->port ||
            !pp_span_eq(PP_BYTES(own.bytes), PP_BYTES(a->bytes)))
            continue;
        *ret_cvm = i;
        return PP_OK;
    }
    return PP_FAIL(PP_E_NOT_FOUND, 0);
}

/* --- who may be given a session --------------------------------------------------------------- */

int gw_address_eq(const struct pp_address *a, const struct pp_address *b)
{
    return a->family == b->family && a->port == b->port &&
           pp_span_eq(PP_BYTES(a->ip), PP_BYTES(b->ip)) &&
           pp_span_eq(pp_span_cstr(a->path), pp_span_cstr(b->path));
}

const struct pp_address *gw_cvms_where(const struct gw_cvms *c, size_t cvm)
{
    return &c->cvms[cvm].address;
}

uint64_t gw_cvms_candidates(const struct gw_cvms *c)
{
    uint64_t now_ms = pp_clock_mono_ms(&c->clock);
    uint64_t listed = 0, healthy = 0;

    for (size_t i = 0; i < GW_CVMS_MAX; i++) {
        const struct gw_cvm *v = &c->cvms[i];
        listed |= (uint64_t)v->is_listed << i;
        healthy |= (uint64_t)(v->is_listed && (v->backoff_ms == 0 || now_ms >= v->retry_ms)) << i;
    }
    return healthy != 0 ? healthy : listed;
}

static void back_off(struct gw_cvm *v)
{
    uint32_t twice = 2 * v->backoff_ms;

    v->backoff_ms = twice == 0                      ? GW_CVM_BACKOFF_MS
                    : twice > GW_CVM_BACKOFF_MS_MAX ? GW_CVM_BACKOFF_MS_MAX
                                                    : twice;
    v->retry_ms = pp_clock_mono_ms(&v->all->clock) + v->backoff_ms;
}

/* --- slots ---------------------------------------------------------------------------------- */

static void free_slots(struct gw_cvm *v)
{
    for (uint32_t i = 0; i < GW_CALLS_PER_CVM_MAX; i++)
        v->slots[i] = (struct slot){ .next_free = i + 1 };
    v->first_free = 0;
    v->used = 0;
}

static struct slot *take_slot(struct gw_cvm *v, struct gw_call *call)
{
    struct slot *s = &v->slots[v->first_free];

    call->slot = v->first_free;
    v->first_free = s->next_free;
    v->used++;
    v->generation++;
    *s = (struct slot){ .call = call, .used = 1, .tag = v->generation << SLOT_BITS | call->slot };
    if (s->tag == CLOSE_TAG)
        s->tag ^= 1U << SLOT_BITS;
    return s;
}

static void give_slot(struct gw_cvm *v, struct slot *s)
{
    *s = (struct slot){ .next_free = v->first_free };
    v->first_free = (uint32_t)(s - v->slots);
    v->used--;
}

/* --- sending -------------------------------------------------------------------------------- */

static void watch_silence(struct gw_cvm *v)
{
    if (v->stream != NULL)
        pp_stream_deadline(v->stream, v->used > 0 ? GW_CVM_SILENCE_MS : v->all->idle_ms);
}

static pp_res send_frame(struct gw_cvm *v, const struct pp_frame *f)
{
    struct pp_wr wr = pp_wr_over(v->all->frame, FRAME_BYTES_MAX);

    PP_TRY(pp_frame_write(&wr, PP_FRAME_REQUESTS, f));
    return pp_stream_write(v->stream, pp_wr_done(&wr));
}

static void send_close(struct gw_cvm *v, const uint8_t sid[PP_SID_BYTES])
{
    struct pp_frame f = { .kind = PP_FRAME_CLOSE, .tag = CLOSE_TAG };

    if (v->stream == NULL)
        return; /* with the connection the CVM has lost nothing that 30 s do not end */
    memcpy(f.sid, sid, sizeof f.sid);
    pp_ignore(send_frame(v, &f), "the CVM ends a session that is not closed after 30 s");
}

/* Sends the call's frame and gives it a slot. BUSY: no room in the stream now. */
static pp_res send_call(struct gw_cvm *v, struct gw_call *call)
{
    struct pp_frame f = { .kind = (uint8_t)call->op, .bytes = call->request };

    struct slot *s = take_slot(v, call);
    f.tag = s->tag;
    memcpy(f.sid, call->sid, sizeof f.sid);
    pp_res r = send_frame(v, &f);
    if (!pp_is_ok(r)) {
        give_slot(v, s);
        return r;
    }
    watch_silence(v);
    return PP_OK;
}

static void wait_for_room(struct gw_cvm *v, struct gw_call *call)
{
    struct gw_call **at = &v->waiting;

    while (*at != NULL)
        at = &(*at)->next;
    call->next = NULL;
    call->is_waiting = 1;
    *at = call;
}

static void stop_waiting(struct gw_cvm *v, struct gw_call *call)
{
    struct gw_call **at = &v->waiting;

    while (*at != call)
        at = &(*at)->next;
    *at = call->next;
    call->is_waiting = 0;
}

static void send_waiting(struct gw_cvm *v)
{
    while (v->waiting != NULL && v->used < GW_CALLS_PER_CVM_MAX) {
        struct gw_call *call = v->waiting;
        if (!pp_is_ok(send_call(v, call)))
            return; /* no room again, or the end of the stream is on its way here */
        stop_waiting(v, call);
    }
}

/* --- losing a connection -------------------------------------------------------------------- */

/* Every call that was under way learns it; those that start meanwhile get a new connection. */
static void lose(struct gw_cvm *v)
{
    struct gw_call *lost = v->waiting;
    struct gw_call **end = &lost;

    pp_stream_free(v->stream);
    v->stream = NULL;
    v->waiting = NULL;
    v->all->lost++;
    back_off(v);
    while (*end != NULL)
        end = &(*end)->next;
    for (uint32_t i = 0; i < GW_CALLS_PER_CVM_MAX; i++) {
        if (!v->slots[i].used || v->slots[i].call == NULL)
            continue;
        *end = v->slots[i].call;
        (*end)->next = NULL;
        end = &(*end)->next;
    }
    free_slots(v);
    for (struct gw_call *call = lost; call != NULL; call = call->next)
        call->cvm = NULL;
    while (lost != NULL) {
        struct gw_call *call = lost;
        lost = call->next;
        call->ended(call->ctx, GW_CALL_LOST);
    }
}

static void on_ended(void *ctx, struct pp_stream *s, pp_res why)
{
    struct gw_cvm *v = (struct gw_cvm *)ctx;

    if (why.code == PP_E_TIMEOUT && v->used == 0 && v->waiting == NULL) {
        pp_stream_free(s);
        v->stream = NULL; /* it idled; the next call makes another */
        return;
    }
    pp_ignore(why, "however it ended, what was under way is lost");
    lose(v);
}

/* --- receiving ------------------------------------------------------------------------------ */

/* The slot of an answer, or NULL for a tag that no request of ours has. */
static struct slot *slot_of(struct gw_cvm *v, uint32_t tag)
{
    struct slot *s = &v->slots[tag & (GW_CALLS_PER_CVM_MAX - 1)];

    return s->used && s->tag == tag ? s : NULL;
}

/* An answer to a call that was cancelled: its session ends as soon as it has a name. */
static void answer_nobody(struct gw_cvm *v, struct slot *s, const struct pp_frame *f)
{
    if (s->close_at_first && (f->kind == PP_FRAME_MORE || f->kind == PP_FRAME_LAST)) {
        s->close_at_first = 0;
        send_close(v, f->sid);
    }
    if (f->kind != PP_FRAME_MORE)
        give_slot(v, s);
}

static enum gw_call_end end_of(uint8_t kind)
{
    return kind == PP_FRAME_BUSY   ? GW_CALL_BUSY
           : kind == PP_FRAME_GONE ? GW_CALL_GONE
                                   : GW_CALL_DONE;
}

static int is_zero(const uint8_t sid[PP_SID_BYTES])
{
    return (int)pp_ct_is_zero(sid, PP_SID_BYTES);
}

/* A session has one id from its first answer on. */
static pp_res check_sid(struct gw_call *call, const uint8_t sid[PP_SID_BYTES])
{
    PP_CHECK(!is_zero(sid), PP_E_FORMAT, 0);
    if (is_zero(call->sid))
        memcpy(call->sid, sid, sizeof call->sid);
    PP_CHECK(pp_span_eq(PP_BYTES(call->sid), pp_span(sid, PP_SID_BYTES)), PP_E_FORMAT, 1);
    return PP_OK;
}

/* An answer that the CVM may not give ends the connection: FORMAT. */
static pp_res answer(struct gw_cvm *v, const struct pp_frame *f)
{
    struct slot *s = slot_of(v, f->tag);

    if (f->tag == CLOSE_TAG)
        return PP_OK;
    PP_CHECK(s != NULL, PP_E_FORMAT, f->kind);
    if (s->call == NULL) {
        answer_nobody(v, s, f);
        return PP_OK;
    }
    struct gw_call *call = s->call;
    v->backoff_ms = 0;
    if (f->kind == PP_FRAME_MORE || f->kind == PP_FRAME_LAST) {
        PP_TRY(check_sid(call, f->sid));
        call->bytes(call->ctx, call->sid, f->bytes);
    }
    if (f->kind != PP_FRAME_MORE) {
        give_slot(v, s);
        call->cvm = NULL;
        call->ended(call->ctx, end_of(f->kind));
    }
    return PP_OK;
}

static void on_readable(void *ctx, struct pp_stream *stream)
{
    struct gw_cvm *v = (struct gw_cvm *)ctx;
    const struct pp_frame *frame = NULL;

    do {
        struct pp_span input = pp_stream_input(stream);
        struct pp_span left = input;
        pp_res r = pp_frame_feed(&v->reader, &left, &frame);
        pp_stream_consume(stream, input.len - left.len);
        if (pp_is_ok(r) && frame != NULL)
            r = answer(v, frame);
        if (!pp_is_ok(r)) {
            lose(v); /* frames have no borders to find again */
            return;
        }
    } while (frame != NULL);
    send_waiting(v); /* answers give slots back */
    watch_silence(v);
}

/* --- starting and cancelling ---------------------------------------------------------------- */

static void on_drained(void *ctx, struct pp_stream *stream)
{
    (void)stream;
    send_waiting((struct gw_cvm *)ctx);
}

static pp_res connect(struct gw_cvm *v)
{
    const struct pp_stream_config config = {
        .in_bytes_max = IN_BYTES,
        .out_bytes_max = GW_CVM_OUT_BYTES,
        .readable = on_readable,
        .drained = on_drained,
        .ended = on_ended,
        .ctx = v,
    };

    if (v->stream != NULL)
        return PP_OK;
    pp_frame_rd_init(&v->reader, PP_FRAME_ANSWERS, v->reader_buf, PP_FRAME_ANSWER_BYTES_MAX);
    return pp_stream_connect(v->all->loop, &v->address, &config, GW_CVM_CONNECT_MS, &v->stream);
}

pp_res gw_call_start(struct gw_cvms *c, size_t cvm, const uint8_t *sid, struct pp_span request,
                     struct gw_call *call)
{
    struct gw_cvm *v = &c->cvms[cvm];

    PP_ASSERT(cvm < GW_CVMS_MAX && v->address.family != 0 && call->cvm == NULL);
    PP_CHECK(v->used < GW_CALLS_PER_CVM_MAX, PP_E_BUSY, v->used);
    PP_CHECK(request.len <= PP_FRAME_REQUEST_BYTES_MAX, PP_E_LIMIT, request.len);
    PP_TRY(connect(v));
    call->op = sid == NULL ? PP_FRAME_OPEN : PP_FRAME_CONTINUE;
    call->request = request;
    call->is_waiting = 0;
    call->next = NULL;
    memset(call->sid, 0, sizeof call->sid);
    if (sid != NULL)
        memcpy(call->sid, sid, sizeof call->sid);
    pp_res r = v->waiting != NULL ? PP_FAIL(PP_E_BUSY, 0) : send_call(v, call);
    if (!pp_is_ok(r) && r.code != PP_E_BUSY)
        return r;
    call->cvm = v;
    if (!pp_is_ok(r))
        wait_for_room(v, call);
    return PP_OK;
}

void gw_call_cancel(struct gw_call *call)
{
    struct gw_cvm *v = call->cvm;

    if (v == NULL)
        return;
    call->cvm = NULL;
    if (call->is_waiting) {
        stop_waiting(v, call);
        return;
    }
    struct slot *s = &v->slots[call->slot];
    s->call = NULL;
    if (is_zero(call->sid))
        s->close_at_first = 1;
    else
        send_close(v, call->sid);
}

void gw_cvms_close_session(struct gw_cvms *c, size_t cvm, const uint8_t sid[PP_SID_BYTES])
{
    send_close(&c->cvms[cvm], sid);
}

uint64_t gw_cvms_lost(const struct gw_cvms *c)
{
    return c->lost;
}

size_t gw_cvms_connected(const struct gw_cvms *c)
{
    size_t n = 0;

    for (size_t i = 0; i < GW_CVMS_MAX; i++)
        n += c->cvms[i].stream != NULL;
    return n;
}

/* --- making and freeing --------------------------------------------------------------------- */

/* Memory of a place is made with its first CVM and kept for those that follow. */
static pp_res move_in(struct gw_cvm *v, struct gw_cvms *all, const struct pp_address *address)
{
    v->all = all;
    if (v->reader_buf == NULL)
        v->reader_buf = calloc(1, PP_FRAME_ANSWER_BYTES_MAX);
    if (v->slots == NULL)
        v->slots = calloc(GW_CALLS_PER_CVM_MAX, sizeof *v->slots);
    PP_CHECK(v->reader_buf != NULL && v->slots != NULL, PP_E_NO_MEMORY, 0);
    pp_stream_free(v->stream);
    v->stream = NULL;
    free_slots(v);
    v->backoff_ms = 0;
    v->address = *address;
    return PP_OK;
}

/* Sessions of one that left have all ended by then; a call that runs on keeps the place. */
static int is_free(const struct gw_cvm *v, uint64_t now_ms)
{
    if (v->address.family == 0)
        return 1;
    return !v->is_listed && v->used == 0 && v->waiting == NULL &&
           now_ms >= v->left_ms + GW_CVM_LEAVE_MS;
}

static struct gw_cvm *find_place(struct gw_cvms *c, const struct pp_address *a)
{
    for (size_t i = 0; i < GW_CVMS_MAX; i++)
        if (gw_address_eq(&c->cvms[i].address, a))
            return &c->cvms[i];
    return NULL;
}

static pp_res list_new(struct gw_cvms *c, const struct pp_address *a)
{
    uint64_t now_ms = pp_clock_mono_ms(&c->clock);

    for (size_t i = 0; i < GW_CVMS_MAX; i++) {
        struct gw_cvm *v = &c->cvms[i];
        if (!is_free(v, now_ms))
            continue;
        PP_TRY(move_in(v, c, a));
        v->is_listed = 1;
        return PP_OK;
    }
    return PP_FAIL(PP_E_LIMIT, GW_CVMS_MAX);
}

static int is_among(const struct pp_address *a, const struct pp_address *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (gw_address_eq(a, &list[i]))
            return 1;
    return 0;
}

pp_res gw_cvms_set(struct gw_cvms *c, const struct pp_address *addresses, size_t count)
{
    pp_res first = PP_OK;

    /* Who stays, before a place is given to anybody new. */
    for (size_t i = 0; i < GW_CVMS_MAX; i++) {
        struct gw_cvm *v = &c->cvms[i];
        int is_listed = v->address.family != 0 && is_among(&v->address, addresses, count);
        if (v->is_listed && !is_listed)
            v->left_ms = pp_clock_mono_ms(&c->clock);
        v->is_listed = is_listed;
    }
    for (size_t i = 0; i < count; i++) {
        pp_res r = find_place(c, &addresses[i]) != NULL ? PP_OK : list_new(c, &addresses[i]);
        if (pp_is_ok(first))
            first = r;
    }
    return first;
}

pp_res gw_cvms_new(struct pp_loop *loop, const struct pp_address *addresses, size_t count,
                   uint32_t idle_ms, const struct pp_clock *clock, struct gw_cvms **ret)
{
    PP_CHECK(count <= GW_CVMS_MAX, PP_E_RANGE, count);
    struct gw_cvms *c = calloc(1, sizeof *c);
    PP_CHECK(c != NULL, PP_E_NO_MEMORY, 0);
    c->loop = loop;
    c->clock = *clock;
    c->idle_ms = idle_ms;
    c->frame = calloc(1, FRAME_BYTES_MAX);
    pp_res r = c->frame == NULL ? PP_FAIL(PP_E_NO_MEMORY, 0) : PP_OK;
    if (pp_is_ok(r))
        r = gw_cvms_set(c, addresses, count);
    if (!pp_is_ok(r)) {
        gw_cvms_free(c);
        return r;
    }
    *ret = c;
    return PP_OK;
}

void gw_cvms_free(struct gw_cvms *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < GW_CVMS_MAX; i++) {
        pp_stream_free(c->cvms[i].stream);
        free(c->cvms[i].reader_buf);
        free(c->cvms[i].slots);
    }
    free(c->frame);
    free(c);
}
