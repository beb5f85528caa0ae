/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "monitor.h"
#include "replay.h"
#include "route.h"
#include "sizes.h"
#include "text.h"

struct gw_config gw_config = {
    .grid_ms = PP_GRID_MS,
    .replay_seconds = 120,
    .replay_slots = 1 << 16,
    .connections = 1280, /* a pp-relayd has 1024 requests at a time: it alone fills no gateway */
    .resolve_seconds = 30,
};

#define AT(member) offsetof(struct gw_config, member)

const struct pp_kv_key GW_CONFIG_KEYS[] = {
    { "authority", PP_KV_TEXT, AT(authority), 1, 1, GW_AUTHORITY_BYTES_MAX,
      "the authority of the trust file, at most 64 bytes" },
    { "issuer", PP_KV_TEXT, AT(issuer), 1, 1, 255, "the issuer name of the trust file" },
    { "cvm", PP_KV_LIST, AT(cvms), 0, 0, 0,
      "a confidential VM, 127.0.0.1:PORT, [::1]:PORT or unix:PATH" },
    { "cvm_name", PP_KV_TEXT, AT(cvm_name), 0, 1, GW_NAME_BYTES_MAX + 6,
      "NAME:PORT of the confidential VMs, in place of a list; asked again and again" },
    { "resolve_seconds", PP_KV_U64, AT(resolve_seconds), 0, 1, 3600,
      "how often the name is asked, 1 to 3600" },
    { "ohttp_keys", PP_KV_TEXT, AT(ohttp_keys), 1, 1, GW_PATH_BYTES_MAX - 1,
      "the folder of OHTTP key files, mode 0600, *.key" },
    { "token_keys", PP_KV_TEXT, AT(token_keys), 1, 1, GW_PATH_BYTES_MAX - 1,
      "the folder of token key files, mode 0600, *.key" },
    { "handle_key", PP_KV_LIST, AT(handle_keys), 1, 0, 0,
      "a handle key file of the fleet; the current one first, then the previous" },
    { "spent", PP_KV_TEXT, AT(spent), 1, 1, GW_PATH_BYTES_MAX - 1,
      "the store of spent tokens: a file, or postgresql:FILE with a database's URL" },
    { "grid_ms", PP_KV_U64, AT(grid_ms), 0, 0, 10000,
      "answers leave on this grid; prod takes 250 alone, dev says 0" },
    { "replay_seconds", PP_KV_U64, AT(replay_seconds), 0, 60, 3600,
      "how long an encapsulated key is remembered, 60 to 3600" },
    { "replay_slots", PP_KV_U64, AT(replay_slots), 0, PP_REPLAY_SLOTS_MIN, PP_REPLAY_SLOTS_MAX,
      "room for them in a third of that time, a power of two" },
    { "connections", PP_KV_U64, AT(connections), 0, 1, PP_HTTP_CONNECTIONS_MAX,
      "of relays at a time, 1 to 16384" },
    { "tls_chain", PP_KV_TEXT, AT(tls_chain), 0, 1, GW_PATH_BYTES_MAX - 1,
      "the certificate chain of https, PEM; with tls_key" },
    { "tls_key", PP_KV_TEXT, AT(tls_key), 0, 1, GW_PATH_BYTES_MAX - 1, "its key, PEM, mode 0600" },
    { "choices", PP_KV_TEXT, AT(choices), 0, 1, GW_PATH_BYTES_MAX - 1,
      "the file that keeps what an auditor needs to check the choice of CVMs" },
    { "metrics", PP_KV_TEXT, AT(metrics), 0, 1, PP_ADDRESS_TEXT_MAX,
      "where GET /metrics is answered, an address of this machine alone" },
};
const size_t GW_CONFIG_KEY_COUNT = PP_ARRAY_COUNT(GW_CONFIG_KEYS);

/* Values of the table are shorter than these arrays; the array's last byte stays NUL. */
static void copy_text(char ret[GW_PATH_BYTES_MAX], struct pp_span text)
{
    struct pp_wr wr = pp_wr_over(ret, GW_PATH_BYTES_MAX - 1);

    memset(ret, 0, GW_PATH_BYTES_MAX);
    pp_wr_span(&wr, text);
    PP_ASSERT(pp_is_ok(pp_wr_ok(&wr)));
}

static const struct pp_span DATABASE = { (const uint8_t *)"postgresql:", 11 };

int gw_is_database(struct pp_span spent)
{
    return spent.len >= DATABASE.len && pp_span_eq(pp_span(spent.at, DATABASE.len), DATABASE);
}

void gw_folder_of(struct pp_span value, char ret[GW_PATH_BYTES_MAX])
{
    size_t skip = gw_is_database(value) ? DATABASE.len : 0;
    struct pp_span path = pp_span(value.at + skip, value.len - skip);
    size_t len = path.len;

    while (len > 0 && path.at[len - 1] != '/')
        len--;
    copy_text(ret, len > 1 ? pp_span(path.at, len - 1) : len == 1 ? PP_STR("/") : PP_STR("."));
}

static pp_res check_cvms(struct gw_places *ret, struct pp_problem *problem)
{
    int has_name = gw_config.cvm_name.len > 0;

    if (has_name == (gw_config.cvms.count > 0))
        return pp_daemon_refuse(problem, "cvm", "a list of cvm, or one cvm_name",
                                has_name ? PP_STR("both") : PP_STR("(missing)"));
    if (has_name && !pp_is_ok(gw_name_parse(gw_config.cvm_name, &ret->cvm_name)))
        return pp_daemon_refuse(problem, "cvm_name", "NAME:PORT", gw_config.cvm_name);
    if (gw_config.cvms.count > GW_CVMS_MAX)
        return pp_daemon_refuse(problem, "cvm", "at most 64 of them", PP_STR("more"));
    for (size_t i = 0; i < gw_config.cvms.count; i++) {
        struct pp_address *a = &ret->cvms[i];
        if (!pp_is_ok(pp_address_parse(gw_config.cvms.items[i], a)) ||
            (a->family != PP_ADDRESS_UNIX && a->port == 0))
            return pp_daemon_refuse(problem, "cvm", "an address with a port, or unix:PATH",
                                    gw_config.cvms.items[i]);
    }
    return PP_OK;
}

/*
 * In prod each process reaches its own folder and no other's: the front, which reads what strangers
 * send, must not be able to open a key file, whatever becomes of it.
 */
static pp_res check_folder(const struct pp_daemon *d, const char *key, struct pp_span path,
                           struct pp_problem *problem)
{
    char folder[GW_PATH_BYTES_MAX];

    gw_folder_of(path, folder);
    if (d->is_prod && pp_span_eq(pp_span_cstr(folder), PP_STR(".")))
        return pp_daemon_refuse(problem, key, "a file in a folder of its own, apart from the keys",
                                path);
    return PP_OK;
}

/* The next step of a path, of which "./a//b" has two. 0: there is none. */
static int next_step(struct pp_span *left, struct pp_span *ret)
{
    while (left->len > 0) {
        pp_text_cut(left, '/', ret);
        if (ret->len > 0 && !pp_span_eq(*ret, PP_STR(".")))
            return 1;
    }
    return 0;
}

static int climbs(struct pp_span path)
{
    struct pp_span step;

    while (next_step(&path, &step))
        if (pp_span_eq(step, PP_STR("..")))
            return 1;
    return 0;
}

/* 1 when the folders are one, or one is below the other. */
static int overlap(struct pp_span a, struct pp_span b)
{
    struct pp_span x = { 0 }, y = { 0 };

    while (next_step(&a, &x) && next_step(&b, &y)) /* the shorter one's steps are the other's */
        if (!pp_span_eq(x, y))
            return 0;
    return 1;
}

/* A sandbox opens a folder with all below it, so that no process's may hold another's. */
static pp_res check_apart(const struct gw_places *places, struct pp_problem *problem)
{
    enum { OPENER, REDEEMER, FRONT };
    char spent[GW_PATH_BYTES_MAX];
    const struct {
        const char *key, *folder;
        int of;
    } rows[] = {
        { "ohttp_keys", places->ohttp_keys, OPENER },
        { "token_keys", places->token_keys, REDEEMER },
        { "spent", spent, REDEEMER },
        { "handle_key", places->handle_folders[0], FRONT },
        { "handle_key", places->handle_folders[1], FRONT },
        { "tls_chain", places->tls_folders[0], FRONT },
        { "tls_key", places->tls_folders[1], FRONT },
    };

    gw_folder_of(gw_config.spent, spent);
    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        struct pp_span folder = pp_span_cstr(rows[i].folder);
        if (climbs(folder))
            return pp_daemon_refuse(problem, rows[i].key, "a path without \"..\"", folder);
        for (size_t k = 0; k < i && folder.len > 0; k++) {
            struct pp_span other = pp_span_cstr(rows[k].folder); /* empty: not configured */
            if (rows[i].of != rows[k].of && other.len > 0 && overlap(folder, other))
                return pp_daemon_refuse(problem, rows[i].key,
                                        "a folder apart from those of the other processes", folder);
        }
    }
    return PP_OK;
}

static pp_res check_paths(const struct pp_daemon *d, struct gw_places *ret,
                          struct pp_problem *problem)
{
    copy_text(ret->ohttp_keys, gw_config.ohttp_keys);
    copy_text(ret->token_keys, gw_config.token_keys);
    PP_TRY(check_folder(d, "spent", gw_config.spent, problem));
    if (gw_config.handle_keys.count > PP_HANDLE_KEY_MAX)
        return pp_daemon_refuse(problem, "handle_key", "one file or two", PP_STR("more"));
    for (size_t i = 0; i < gw_config.handle_keys.count; i++) {
        struct pp_span path = gw_config.handle_keys.items[i];
        if (path.len >= GW_PATH_BYTES_MAX)
            return pp_daemon_refuse(problem, "handle_key", "a shorter path", path);
        PP_TRY(check_folder(d, "handle_key", path, problem));
        copy_text(ret->handle_keys[i], path);
        gw_folder_of(path, ret->handle_folders[i]);
    }
    return d->is_prod ? check_apart(ret, problem) : PP_OK;
}

/* RFC 9458 6.1: https on both legs. A TLS proxy on this very machine is fine. */
static pp_res check_clear_text(const struct pp_daemon *d, struct pp_problem *problem)
{
    struct pp_address a;

    PP_TRY(pp_address_parse(gw_config.common.listen, &a)); /* has been read once: it is one */
    if (d->is_prod && !pp_address_is_local(&a))
        return pp_daemon_refuse(problem, "listen", "this machine alone, or tls_chain and tls_key",
                                gw_config.common.listen);
    return PP_OK;
}

static pp_res check_tls(const struct pp_daemon *d, struct gw_places *ret,
                        struct pp_problem *problem)
{
    if ((gw_config.tls_chain.len > 0) != (gw_config.tls_key.len > 0))
        return pp_daemon_refuse(problem, "tls_key", "both of tls_chain and tls_key, or none",
                                PP_STR("one"));
    if (gw_config.tls_key.len == 0)
        return check_clear_text(d, problem);
    PP_TRY(check_folder(d, "tls_key", gw_config.tls_key, problem));
    PP_TRY(check_folder(d, "tls_chain", gw_config.tls_chain, problem));
    copy_text(ret->tls_chain, gw_config.tls_chain);
    copy_text(ret->tls_key, gw_config.tls_key);
    gw_folder_of(gw_config.tls_chain, ret->tls_folders[0]);
    gw_folder_of(gw_config.tls_key, ret->tls_folders[1]);
    return PP_OK;
}

static pp_res check_metrics(struct pp_problem *problem)
{
    struct pp_address a;

    if (gw_config.metrics.len > 0 &&
        (!pp_is_ok(pp_address_parse(gw_config.metrics, &a)) || !pp_address_is_local(&a)))
        return pp_daemon_refuse(problem, "metrics", "127.0.0.1:PORT, [::1]:PORT or unix:PATH",
                                gw_config.metrics);
    return PP_OK;
}

pp_res gw_config_check(const struct pp_daemon *d, struct gw_places *ret, struct pp_problem *problem)
{
    PP_TRY(check_cvms(ret, problem));
    if (d->is_prod && gw_config.grid_ms != PP_GRID_MS)
        return pp_daemon_refuse(problem, "grid_ms", "250 in prod: others would be told apart",
                                PP_STR("another"));
    if ((gw_config.replay_slots & (gw_config.replay_slots - 1)) != 0)
        return pp_daemon_refuse(problem, "replay_slots", "a power of two",
                                PP_STR("another number"));
    PP_TRY(check_tls(d, ret, problem));
    PP_TRY(check_metrics(problem));
    return check_paths(d, ret, problem);
}
