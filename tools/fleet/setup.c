/* SPDX-License-Identifier: Apache-2.0 */
/* From nothing to the first session, in the order of pp-wire 13. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cred.h"
#include "ct.h"
#include "fleet_int.h"
#include "gpu.h"
#include "hints.h"
#include "hosts.h"
#include "http_client.h"
#include "machine.h"
#include "ohttp.h"
#include "people.h"
#include "records.h"
#include "text.h"

enum {
    SUBMIT_MS = 60000,
    BUNDLE_BYTES_MAX = 2 << 20,
    ANSWER_BYTES_MAX = 65536,
    CONFIG_BYTES_MAX = 4096,
};

struct steps {
    struct fleet *f;
    void (*say)(void *ctx, const char *line);
    void *ctx;
};

static void say(const struct steps *s, const char *line)
{
    if (s->say != NULL)
        s->say(s->ctx, line);
}

/* Starts a party whose configuration is a format of texts. */
__attribute__((format(printf, 4, 5))) static pp_res start(struct fleet *f, const char *party,
                                                          const char *program, const char *format,
                                                          ...)
{
    char text[CONFIG_BYTES_MAX];
    va_list args;

    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    PP_CHECK(n >= 0 && n < (int)sizeof text, PP_E_RANGE, n);
    const struct fleet_start s = { .party = party, .program = program, .config = text };
    return fleet_start(f, &s);
}

/*
 * Where the neighbours of a party reach it: its own address, or that of a tap before it which
 * writes down what passes, into STATE/tap-<party>.
 */
static pp_res reach(struct fleet *f, const char *party, char ret[FLEET_ADDRESS_MAX])
{
    char name[FLEET_NAME_MAX], folder[FLEET_PATH_MAX], to[FLEET_ADDRESS_MAX];

    PP_TRY(fleet_address(f, party, NULL, ret));
    if (!f->capture)
        return PP_OK;
    PP_CHECK(snprintf(name, sizeof name, "tap-%s", party) < (int)sizeof name, PP_E_RANGE, 0);
    memcpy(to, ret, sizeof to);
    PP_TRY(fleet_folder(f, name, NULL));
    PP_TRY(fleet_path(f, name, NULL, folder));
    const struct fleet_start s = { .party = name,
                                   .program = "pp-tap",
                                   .args = { "--listen", "127.0.0.1:0", "--to", to, "--dir",
                                             folder } };
    PP_TRY(fleet_start(f, &s));
    return fleet_address(f, name, NULL, ret);
}

/* --- the ledger's parties --------------------------------------------------------------------- */

static const char *const WITNESSES[] = { "witness1", "witness2", "witness3", "witness4" };

/* Makes a key with the daemon's own --init and keeps the vkey that it prints. */
static pp_res init_party(struct fleet *f, const char *party, const char *program, const char *name)
{
    char folder[FLEET_PATH_MAX];
    struct pp_buf vkey = { 0 };

    PP_TRY(fleet_folder(f, party, NULL));
    if (fleet_exists(f, party, "vkey"))
        return PP_OK;
    PP_TRY(fleet_path(f, party, NULL, folder));
    const char *const args[] = { "--init", folder, name, NULL };
    PP_TRY(fleet_run(f, program, args, &vkey));
    pp_res r = fleet_write(f, party, "vkey", pp_buf_span(&vkey));
    pp_buf_done(&vkey);
    PP_TRY(r);
    return fleet_give_all(f, party);
}

static pp_res init_ledger(struct fleet *f)
{
    for (size_t i = 0; i < PP_ARRAY_COUNT(WITNESSES); i++) {
        char name[64];
        snprintf(name, sizeof name, "%s.pp-dev.example", WITNESSES[i]);
        PP_TRY(init_party(f, WITNESSES[i], "pp-witnessd", name));
    }
    PP_TRY(init_party(f, "record-witness", "pp-witnessd", "record-witness.pp-dev.example"));
    return init_party(f, "log", "pp-logd", "log.pp-dev.example");
}

/* A copy of a public file of STATE/trust in a party's folder, which is all that it can reach. */
static pp_res copy_trust(struct fleet *f, const char *party, const char *file)
{
    struct pp_buf b = { 0 };

    PP_TRY(fleet_read_file(f, "trust", file, 65536, &b));
    pp_res r = fleet_write(f, party, file, pp_buf_span(&b));
    pp_buf_done(&b);
    return r;
}

static pp_res read_vkey(struct fleet *f, const char *party, char ret[512])
{
    struct pp_buf b = { 0 };

    PP_TRY(fleet_read_file(f, party, "vkey", 511, &b));
    size_t len = b.len;
    while (len > 0 && b.bytes[len - 1] == '\n')
        len--;
    memcpy(ret, b.bytes, len);
    ret[len] = '\0';
    pp_buf_done(&b);
    return PP_OK;
}

static pp_res start_witnesses(struct fleet *f, uint16_t log_port)
{
    char vkey[512];

    PP_TRY(read_vkey(f, "log", vkey));
    for (size_t i = 0; i < PP_ARRAY_COUNT(WITNESSES); i++)
        PP_TRY(start(f, WITNESSES[i], "pp-witnessd", "log = %s\n", vkey));
    PP_TRY(copy_trust(f, "record-witness", "owner.policy"));
    PP_TRY(copy_trust(f, "record-witness", "review.policy"));
    return start(f, "record-witness", "pp-witnessd",
                 "log = %s\nrole = record\nurl = http://127.0.0.1:%u\nnamespace = %s\n"
                 "owner_policy = owner.policy\nreview_policy = review.policy\n",
                 vkey, log_port, FLEET_NAMESPACE);
}

/* The log's own copy of its policy says where the witnesses are. */
static pp_res write_log_policy(struct fleet *f)
{
    char text[CONFIG_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(text, sizeof text);
    char vkey[512], address[FLEET_ADDRESS_MAX];

    PP_TRY(read_vkey(f, "log", vkey));
    pp_wr_text(&wr, "log ");
    pp_wr_text(&wr, vkey);
    pp_wr_u8(&wr, '\n');
    for (size_t i = 0; i <= PP_ARRAY_COUNT(WITNESSES); i++) {
        const char *party = i < PP_ARRAY_COUNT(WITNESSES) ? WITNESSES[i] : "record-witness";

        PP_TRY(read_vkey(f, party, vkey));
        PP_TRY(fleet_address(f, party, NULL, address));
        pp_wr_text(&wr, "witness ");
        pp_wr_text(&wr, party);
        pp_wr_u8(&wr, ' ');
        pp_wr_text(&wr, vkey);
        pp_wr_text(&wr, " http://");
        pp_wr_text(&wr, address);
        pp_wr_u8(&wr, '\n');
    }
    pp_wr_text(&wr, "group plain 3 witness1 witness2 witness3 witness4\n"
                    "group clients all plain record-witness\n"
                    "quorum clients\n");
    PP_TRY(pp_wr_ok(&wr));
    return fleet_write(f, "log", "policy", pp_wr_done(&wr));
}

static pp_res start_ledger_at(struct fleet *f, uint16_t port)
{
    PP_TRY(start_witnesses(f, port));
    PP_TRY(write_log_policy(f));
    PP_TRY(copy_trust(f, "log", "owner.policy"));
    PP_TRY(copy_trust(f, "log", "review.policy"));
    return start(f, "log", "pp-logd",
                 "listen = 127.0.0.1:%u\nnamespace = %s\npolicy = policy\n"
                 "owner_policy = owner.policy\nreview_policy = review.policy\n",
                 port, FLEET_NAMESPACE);
}

/* Log and record witness must know each other's address before they run: the log's is kept free. */
static pp_res start_ledger(struct fleet *f)
{
    uint16_t port;
    int fd;

    PP_TRY(fleet_reserve_port(&port, &fd));
    pp_res r = start_ledger_at(f, port);
    (void)close(fd);
    return r;
}

/* --- publishing ------------------------------------------------------------------------------- */

static pp_res call_log(struct fleet *f, const char *method, const char *path, struct pp_span body,
                       struct pp_http_result *ret)
{
    static const struct pp_http_client_config config = { .response_bytes_max = BUNDLE_BYTES_MAX };
    char url[256], address[FLEET_ADDRESS_MAX];

    PP_TRY(fleet_address(f, "log", NULL, address));
    PP_CHECK(snprintf(url, sizeof url, "http://%s%s", address, path) < (int)sizeof url, PP_E_RANGE,
             0);
    const struct pp_http_call call = {
        .method = method, .url = url, .body = body, .deadline_ms = SUBMIT_MS
    };
    pp_res r = pp_http_call(&config, &call, ret);
    if (!pp_is_ok(r))
        return fleet_refuse(f, r, "log", path, "an answer", "none");
    if (ret->status != 200) {
        char got[160];
        pp_printable(got, sizeof got, pp_span(ret->body, ret->body_len));
        r = fleet_refuse(f, PP_FAIL(PP_E_CHILD, ret->status), "log", path, "status 200", got);
        pp_http_result_done(ret);
    }
    return r;
}

/* What a mirror does every hour. */
pp_res fleet_mirror(struct fleet *f)
{
    struct pp_http_result http = { 0 };

    PP_TRY(fleet_folder(f, "relay", NULL));
    PP_TRY(call_log(f, "GET", "/directory", PP_STR(""), &http));
    pp_res r = fleet_write(f, "relay", "directory", pp_span(http.body, http.body_len));
    pp_http_result_done(&http);
    return r;
}

pp_res fleet_submit(struct fleet *f, struct pp_span batch)
{
    struct pp_http_result http = { 0 };

    PP_TRY(call_log(f, "POST", "/submit", batch, &http));
    pp_http_result_done(&http);
    return fleet_mirror(f);
}

void fleet_release_text(enum fleet_role role, char ret[64])
{
    snprintf(ret, 64, "%s.record", FLEET_CVMS[role].role);
}

enum { HINT_FILES_MAX = 6 };

struct hint_files {
    struct pp_buf bufs[HINT_FILES_MAX];
    size_t count;
};

static pp_res add_hint(struct fleet *f, const char *party, const char *file,
                       struct hint_files *files, struct pp_span *list, size_t *count)
{
    struct pp_buf *b = &files->bufs[files->count];

    PP_ASSERT(files->count < HINT_FILES_MAX);
    PP_TRY(fleet_read_file(f, party, file, PP_HINTS_RECORD_BYTES_MAX, b));
    files->count++;
    list[(*count)++] = pp_buf_span(b);
    return PP_OK;
}

/* What a guest needs to judge machines of a kind. */
static pp_res add_anchors(struct fleet *f, int of_tdx, struct hint_files *files, struct pp_hints *h)
{
    static const char *const FILES[][2][2] = {
        { { "simulated-vendor", "root/ark.der" }, { "simulated-vendor", "root/ask.der" } },
        { { "simulated-vendor", "tdx/root.der" }, { "owner", FLEET_COLLATERAL } },
    };

    for (size_t i = 0; i < 2; i++)
        PP_TRY(add_hint(f, FILES[of_tdx][i][0], FILES[of_tdx][i][1], files, h->collateral,
                        &h->collateral_count));
    return PP_OK;
}

/* Which records a guest needs to judge its peers, and whom it may ask. */
static pp_res add_peers(struct fleet *f, enum fleet_role role,
                        const struct fleet_published_ids *ids, struct hint_files *files,
                        struct pp_hints *h)
{
    enum fleet_role from = role == FLEET_ORCHESTRATOR ? FLEET_GUARD : FLEET_ORCHESTRATOR;
    enum fleet_role to = role == FLEET_ORCHESTRATOR ? FLEET_ROLES : FLEET_GUARD;
    char file[64];

    PP_TRY(add_anchors(f, role == FLEET_ORCHESTRATOR ? f->backends_tdx : f->is_tdx, files, h));
    for (enum fleet_role r = from; r < to; r++) {
        fleet_release_text(r, file);
        PP_TRY(add_hint(f, "owner", file, files, h->records, &h->record_count));
        if (role != FLEET_ORCHESTRATOR)
            continue;
        struct pp_backend *b = &h->backends.items[h->backends.count++];
        b->role = pp_span_cstr(FLEET_CVMS[r].role);
        PP_TRY(pp_hex_parse(ids->releases[r], b->release_id, sizeof b->release_id));
    }
    if (role != FLEET_ORCHESTRATOR)
        return PP_OK;
    return add_hint(f, "owner", FLEET_HOSTS_TEXT, files, h->records, &h->record_count);
}

/* Where the machine of a role stands in the host-set. */
static pp_res write_path(struct fleet *f, enum fleet_role role, struct pp_host_path *ret)
{
    struct pp_host hosts[FLEET_MACHINES_MAX], own;
    struct pp_merkle_path path;
    uint64_t index;
    size_t count;

    PP_TRY(fleet_hosts(f, role, hosts, &count, &own));
    PP_TRY(pp_hosts_path(hosts, count, &own, &index, &path));
    ret->size = (uint32_t)count;
    ret->index = (uint32_t)index;
    ret->node_count = path.count;
    for (size_t i = 0; i < path.count; i++)
        memcpy(ret->nodes[i], path.hashes[i].bytes, sizeof ret->nodes[i]);
    return PP_OK;
}

/* The certificate of the chip's key; a quote brings its own chain. */
static pp_res add_endorsement(struct fleet *f, enum fleet_role role, struct hint_files *files,
                              struct pp_hints *h)
{
    if (fleet_platform(f, role) == PP_PLATFORM_SIM_TDX)
        return PP_OK;
    return add_hint(f, FLEET_CVMS[role].party, "chip/vcek.der", files, h->endorsements,
                    &h->endorsement_count);
}

pp_res fleet_write_hints(struct fleet *f, enum fleet_role role,
                         const struct fleet_published_ids *ids)
{
    uint8_t text[PP_HINTS_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(text, sizeof text);
    struct pp_hints h = { .host_count = 1 };
    struct hint_files files = { .count = 0 };

    PP_TRY(write_path(f, role, &h.hosts[0]));
    PP_TRY(pp_hex_parse(ids->releases[role], h.release_id, sizeof h.release_id));
    PP_TRY(pp_hex_parse(ids->host_set, h.hosts[0].record_id, sizeof h.hosts[0].record_id));
    pp_res r = add_endorsement(f, role, &files, &h);
    if (pp_is_ok(r) && f->backends)
        r = add_peers(f, role, ids, &files, &h);
    if (pp_is_ok(r))
        r = pp_hints_write(&wr, &h);
    if (pp_is_ok(r))
        r = fleet_write(f, FLEET_CVMS[role].party, "hints", pp_wr_done(&wr));
    for (size_t i = 0; i < files.count; i++)
        pp_buf_done(&files.bufs[i]);
    return r;
}

/* --- the operator's parties ------------------------------------------------------------------- */

static pp_res start_issuer(struct fleet *f)
{
    uint8_t key[32];
    char text[65];
    struct pp_wr wr = pp_wr_over(text, sizeof text);

    if (!fleet_exists(f, "issuer", "assertion.key")) {
        PP_TRY(pp_random_fill(&f->random, key, sizeof key));
        pp_wr_hex(&wr, PP_BYTES(key));
        pp_wipe(key, sizeof key);
        PP_TRY(fleet_write(f, "issuer", "assertion.key", pp_wr_done(&wr)));
    }
    if (fleet_fault_player(f->fault) == FLEET_PLAYED_BY_ISSUER)
        return start(f, "issuer", "pp-adversary-issuer", "keys = keys\nmode = %s\n",
                     f->fault->mode);
    return start(f, "issuer", "pp-issuerd",
                 "issuer = %s\nkeys = keys\nstore = counts.db\nassertion_key = assertion.key\n"
                 "batches = 8\n",
                 FLEET_ISSUER);
}

/* What a guest may be: the guest policy of SEV-SNP, the TDATTRIBUTES of TDX. */
static uint64_t guest_policy(const struct fleet *f, enum fleet_role role)
{
    return fleet_platform(f, role) == PP_PLATFORM_SIM_TDX ? SIM_TDX_ATTRIBUTES : SIM_GUEST_POLICY;
}

/* Hosts of the back-ends; gives the lines that tell the orchestrator's host where they are. */
static pp_res start_backends(struct fleet *f, char *ret, size_t cap)
{
    struct pp_wr wr = pp_wr_over(ret, cap);

    for (enum fleet_role role = FLEET_GUARD; f->backends && role < FLEET_ROLES; role++) {
        const struct fleet_cvm *cvm = &FLEET_CVMS[role];
        char at[FLEET_ADDRESS_MAX];

        PP_TRY(start(f, cvm->party, "pp-hostd",
                     "platform = %s\nprogram = program\ncvm_config = cvm.config\nrole = %s\n"
                     "firmware = firmware\npolicy = %016llx\nchip = chip\nhints = hints\n",
                     pp_platform_name(fleet_platform(f, role)), cvm->role,
                     (unsigned long long)guest_policy(f, role)));
        PP_TRY(reach(f, cvm->party, at));
        pp_wr_text(&wr, cvm->role);
        pp_wr_text(&wr, " = ");
        pp_wr_text(&wr, at);
        pp_wr_u8(&wr, '\n');
    }
    pp_wr_u8(&wr, 0);
    return pp_wr_ok(&wr);
}

static pp_res start_host(struct fleet *f)
{
    char backends[512];
    uint64_t policy = guest_policy(f, FLEET_ORCHESTRATOR);
    enum fleet_player player = fleet_fault_player(f->fault);
    const char *program = player == FLEET_PLAYED_BY_CVM ? "pp-adversary-cvm" : "pp-hostd";
    const char *key = player == FLEET_PLAYED_BY_CVM ? "mode" : "fault";
    const char *value = "none";

    PP_TRY(start_backends(f, backends, sizeof backends));
    if (fleet_has_fault(f, FAULT_DEBUG)) /* the bit that lets a host read guest memory */
        policy |= f->is_tdx ? PP_TDX_ATTR_DEBUG : PP_SNP_POLICY_DEBUG;
    if (player == FLEET_PLAYED_BY_CVM || player == FLEET_PLAYED_BY_DEVICE)
        value = f->fault->mode;
    return start(f, "host", program,
                 "platform = %s\nprogram = program\ncvm_config = cvm.config\n"
                 "role = orchestrator\nfirmware = firmware\npolicy = %016llx\nchip = chip\n"
                 "hints = hints\n%s = %s\n%s%s",
                 pp_platform_name(fleet_platform(f, FLEET_ORCHESTRATOR)),
                 (unsigned long long)policy, key, value, f->gpu ? "gpu = gpu\n" : "", backends);
}

static pp_res start_operator(struct fleet *f)
{
    char cvm[FLEET_ADDRESS_MAX], gateway[FLEET_ADDRESS_MAX];

    PP_TRY(start_issuer(f));
    PP_TRY(start_host(f));
    PP_TRY(reach(f, "host", cvm));
    PP_TRY(start(f, "gateway", "pp-gatewayd",
                 "authority = %s\nissuer = %s\ncvm = %s\nohttp_keys = ohttp_keys\n"
                 "token_keys = token_keys\nhandle_key = handle_keys/1.key\nspent = spent/spent.db\n"
                 "grid_ms = 0\n",
                 FLEET_AUTHORITY, FLEET_ISSUER, cvm));
    PP_TRY(reach(f, "gateway", gateway));
    if (fleet_fault_player(f->fault) == FLEET_PLAYED_BY_GATEWAY) {
        PP_TRY(start(f, "adversary", "pp-adversary-gateway",
                     "gateway = http://%s/.well-known/ohttp-gateway\nmode = %s\n", gateway,
                     f->fault->mode));
        PP_TRY(fleet_address(f, "adversary", NULL, gateway));
    }
    PP_TRY(start(f, "relay", "pp-relayd",
                 "gateway = http://%s/.well-known/ohttp-gateway\ndirectory = directory\n",
                 gateway));
    if (fleet_fault_player(f->fault) != FLEET_PLAYED_BY_RELAY)
        return PP_OK;
    if (fleet_has_fault(f, FAULT_RELAY_TAG)) /* an honest relay behind it would take the mark off */
        return start(f, "adversary", "pp-adversary-relay",
                     "relay = http://%s/.well-known/ohttp-gateway\nmode = tag\n", gateway);
    char relay[FLEET_ADDRESS_MAX];
    PP_TRY(fleet_address(f, "relay", NULL, relay));
    return start(f, "adversary", "pp-adversary-relay", "relay = http://%s/ohttp\nmode = %s\n",
                 relay, f->fault->mode);
}

/* --- the device ------------------------------------------------------------------------------- */

static pp_res copy_root_file(struct fleet *f, const char *from, const char *to)
{
    struct pp_buf b = { 0 };

    PP_TRY(fleet_read_file(f, "simulated-vendor", from, 8192, &b));
    pp_res r = fleet_write(f, "trust", to, pp_buf_span(&b));
    pp_buf_done(&b);
    return r;
}

static pp_res copy_roots(struct fleet *f)
{
    if (f->is_tdx)
        return copy_root_file(f, "tdx/root.der", "tdx-root.der");
    PP_TRY(copy_root_file(f, "root/ark.der", "ark.der"));
    return copy_root_file(f, "root/ask.der", "ask.der");
}

/* The one kind of machine that the device takes. */
static const char *trusted_platform(const struct fleet *f)
{
    enum pp_platform platform = fleet_platform(f, FLEET_ORCHESTRATOR);

    if (fleet_has_fault(f, FAULT_SIMULATED_ROOT)) /* with it the vendor's own roots */
        platform = f->is_tdx ? PP_PLATFORM_TDX : PP_PLATFORM_SEV_SNP;
    return pp_platform_name(platform);
}

pp_res fleet_make_trust(struct fleet *f)
{
    char text[CONFIG_BYTES_MAX], relay[FLEET_ADDRESS_MAX], mirror[FLEET_ADDRESS_MAX];
    char issuer[FLEET_ADDRESS_MAX];

    PP_TRY(reach(f, fleet_fault_player(f->fault) == FLEET_PLAYED_BY_RELAY ? "adversary" : "relay",
                 relay));
    if (fleet_fault_player(f->fault) == FLEET_PLAYED_BY_RELAY) /* it plays the relay alone */
        PP_TRY(fleet_address(f, "relay", NULL, mirror));
    else
        PP_TRY(reach(f, "relay", mirror));
    PP_TRY(reach(f, "issuer", issuer));
    int n = snprintf(text, sizeof text,
                     "# Pinned trust anchors of this development fleet, written by ppctl up.\n"
                     "environment = dev\n"
                     "namespace = %s\n"
                     "issuer = %s\n"
                     "issuer_url = http://%s/token-request\n"
                     "gateway_authority = %s\n"
                     "relay = http://%s/ohttp\n"
                     "mirror = http://%s/directory\n"
                     "platform = %s\n"
                     "hardware = strict\n"
                     "message_kem = %s\n"
                     "ohttp_kem = x25519\n"
                     "tls_group = x25519\n"
                     "batches = 1\n",
                     FLEET_NAMESPACE, FLEET_ISSUER, issuer, FLEET_AUTHORITY, relay, mirror,
                     trusted_platform(f),
                     fleet_has_fault(f, FAULT_KEM_HYBRID) ? "classical" : "x-wing");
    PP_CHECK(n > 0 && n < (int)sizeof text, PP_E_RANGE, n);
    if (!fleet_has_fault(f, FAULT_SIMULATED_ROOT)) /* else the vendor's own are the anchors */
        PP_TRY(copy_roots(f));
    PP_TRY(fleet_copy_gpu_roots(f));
    return fleet_write(f, "trust", "trust", pp_span(text, (size_t)n));
}

pp_res fleet_make_device(struct fleet *f)
{
    struct pp_buf key = { 0 };

    PP_TRY(fleet_folder(f, "device", NULL));
    /* In development the device plays its app's server as well, which vouches for the account. */
    PP_TRY(fleet_read_file(f, "issuer", "assertion.key", 128, &key));
    pp_res r = fleet_write(f, "device", "assertion.key", pp_buf_span(&key));
    pp_buf_done(&key);
    PP_TRY(r);
    if (fleet_exists(f, "device", "settings"))
        return PP_OK;
    return fleet_write(f, "device", "settings",
                       PP_STR("# The user of this development device said yes to private "
                              "processing.\nconsent = yes\n"));
}

/* --- all together ----------------------------------------------------------------------------- */

static pp_res up(const struct steps *s)
{
    struct fleet *f = s->f;

    PP_TRY(fleet_begin(f));
    say(s, "keys: owner, reviewers, log, witnesses, issuer, gateway");
    PP_TRY(fleet_make_people(f));
    PP_TRY(init_ledger(f));
    PP_TRY(fleet_make_policies(f));
    PP_TRY(fleet_make_epochs(f));
    say(s, "machine: a simulated secure processor, the CVM's program and configuration");
    PP_TRY(fleet_make_machine(f));
    PP_TRY(fleet_make_collateral(f));
    say(s, "ledger: four witnesses, a record witness, the log");
    PP_TRY(start_ledger(f));
    say(s, "records: host-set, keys, release; signed, logged, cosigned, published");
    PP_TRY(fleet_publish(f));
    PP_TRY(fleet_spoil_machine(f));
    PP_TRY(fleet_spoil_issuer(f));
    say(s, "operator: issuer, host with its CVM, gateway; and the relay");
    PP_TRY(start_operator(f));
    PP_TRY(fleet_make_trust(f));
    PP_TRY(fleet_make_device(f));
    return fleet_apply_fault(f);
}

pp_res fleet_up(struct fleet *f, void (*say_line)(void *ctx, const char *line), void *ctx)
{
    const struct steps s = { f, say_line, ctx };
    char path[FLEET_PATH_MAX];

    pp_res r = up(&s);
    if (pp_is_ok(r))
        return fleet_save(f);
    fleet_stop_all(f);
    if (pp_is_ok(fleet_path(f, "fleet.json", NULL, path)))
        (void)unlink(path);
    return r;
}
