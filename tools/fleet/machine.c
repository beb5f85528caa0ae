/* SPDX-License-Identifier: Apache-2.0 */
/* The machine: the simulated vendor and chip, the CVM's program and configuration, epoch keys. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "collateral.h"
#include "cred.h"
#include "ct.h"
#include "fleet_int.h"
#include "gpu.h"
#include "handle_keys.h"
#include "machine.h"
#include "ohttp_epoch.h"
#include "record.h"
#include "token_chain.h"
#include "token_keys.h"

enum { PROGRAM_BYTES_MAX = 64 << 20 };

const struct fleet_cvm FLEET_CVMS[FLEET_ROLES] = {
    [FLEET_ORCHESTRATOR] = { "host", "orchestrator", "pp.role=orchestrator" },
    [FLEET_GUARD] = { "guard", "guard", "pp.role=guard" },
    [FLEET_PREDICTOR] = { "predictor", "predictor", "pp.role=predictor" },
};

enum pp_platform fleet_platform(const struct fleet *f, enum fleet_role role)
{
    int is_tdx = role == FLEET_ORCHESTRATOR ? f->is_tdx : f->backends_tdx;

    return is_tdx ? PP_PLATFORM_SIM_TDX : PP_PLATFORM_SIM_SNP;
}

/* --- the simulated processor ------------------------------------------------------------------ */

static pp_res make_snp_vendor(struct fleet *f, struct sim_root **ret)
{
    char path[FLEET_PATH_MAX];

    PP_TRY(fleet_folder(f, "simulated-vendor", NULL));
    PP_TRY(fleet_path(f, "simulated-vendor", "root", path));
    if (fleet_exists(f, "simulated-vendor", "root/ark.key"))
        return sim_root_load(AT_FDCWD, path, ret);
    PP_TRY(sim_root_create(PP_SNP_GENOA, pp_clock_posix_s(&f->clock), ret));
    return sim_root_save(*ret, AT_FDCWD, path);
}

static pp_res make_chip_of(struct fleet *f, const struct sim_root *root, const char *path)
{
    struct sim_chip_params params = sim_chip_params_default(PP_SNP_GENOA);
    struct sim_chip *chip = NULL;

    if (fleet_has_fault(f, FAULT_TCB_MIN))
        params.tcb.snp--;
    PP_TRY(sim_chip_create(root, &params, &f->random, pp_clock_posix_s(&f->clock), &chip));
    pp_res r = sim_chip_save(chip, AT_FDCWD, path);
    sim_chip_free(chip);
    return r;
}

static pp_res make_chip(struct fleet *f, const char *path)
{
    struct sim_root *root = NULL;

    pp_res r = make_snp_vendor(f, &root);
    if (pp_is_ok(r))
        r = make_chip_of(f, root, path);
    sim_root_free(root);
    return r;
}

static pp_res make_tdx_vendor(struct fleet *f, struct sim_tdx_vendor **ret)
{
    char path[FLEET_PATH_MAX];

    PP_TRY(fleet_folder(f, "simulated-vendor", NULL));
    PP_TRY(fleet_path(f, "simulated-vendor", "tdx", path));
    if (fleet_exists(f, "simulated-vendor", "tdx/signer.key"))
        return sim_tdx_vendor_load(AT_FDCWD, path, ret);
    PP_TRY(sim_tdx_vendor_create(pp_clock_posix_s(&f->clock), ret));
    return sim_tdx_vendor_save(*ret, AT_FDCWD, path);
}

static pp_res make_tdx_platform_of(struct fleet *f, const struct sim_tdx_vendor *vendor,
                                   const char *path)
{
    const struct sim_tdx_params params = sim_tdx_params_default();
    struct sim_tdx_platform *platform = NULL;

    PP_TRY(sim_tdx_platform_create(vendor, &params, &f->random, pp_clock_posix_s(&f->clock),
                                   &platform));
    pp_res r = sim_tdx_platform_save(platform, AT_FDCWD, path);
    sim_tdx_platform_free(platform);
    return r;
}

static pp_res make_tdx_platform(struct fleet *f, const char *path)
{
    struct sim_tdx_vendor *vendor = NULL;

    pp_res r = make_tdx_vendor(f, &vendor);
    if (pp_is_ok(r))
        r = make_tdx_platform_of(f, vendor, path);
    sim_tdx_vendor_free(vendor);
    return r;
}

/* The machine of a party, in its folder `chip`. */
static pp_res make_device(struct fleet *f, enum fleet_role role)
{
    const char *party = FLEET_CVMS[role].party;
    int is_tdx = fleet_platform(f, role) == PP_PLATFORM_SIM_TDX;
    char path[FLEET_PATH_MAX];

    if (fleet_exists(f, party, is_tdx ? "chip/pck.key" : "chip/vcek.key"))
        return PP_OK;
    PP_TRY(fleet_path(f, party, "chip", path));
    PP_TRY(fleet_folder(f, party, "chip"));
    PP_TRY(is_tdx ? make_tdx_platform(f, path) : make_chip(f, path));
    return fleet_give_all(f, party);
}

/*
 * One machine runs all guests of a kind: each host has the same keys. Back-ends of another kind
 * than the orchestrator share a machine of their own, the guard's.
 */
static int has_two_machines(const struct fleet *f)
{
    return f->backends && f->is_tdx != f->backends_tdx;
}

static enum fleet_role machine_of(const struct fleet *f, enum fleet_role role)
{
    return has_two_machines(f) && role != FLEET_ORCHESTRATOR ? FLEET_GUARD : FLEET_ORCHESTRATOR;
}

static pp_res host_of_chip(const char *path, struct pp_host *ret)
{
    struct sim_chip *chip = NULL;

    PP_TRY(sim_chip_load(AT_FDCWD, path, &chip));
    pp_res r = pp_host_make(PP_HOST_SNP, pp_span(sim_chip_id(chip), PP_HOST_ID_BYTES), ret);
    sim_chip_free(chip);
    return r;
}

static pp_res host_of_platform(const char *path, struct pp_host *ret)
{
    struct sim_tdx_platform *platform = NULL;

    PP_TRY(sim_tdx_platform_load(AT_FDCWD, path, &platform));
    pp_res r = pp_host_make(PP_HOST_TDX, pp_span(sim_tdx_ppid(platform), PP_TDX_ID_BYTES), ret);
    sim_tdx_platform_free(platform);
    return r;
}

static pp_res host_of(struct fleet *f, enum fleet_role role, struct pp_host *ret)
{
    char path[FLEET_PATH_MAX];

    PP_TRY(fleet_path(f, FLEET_CVMS[role].party, "chip", path));
    return fleet_platform(f, role) == PP_PLATFORM_SIM_TDX ? host_of_platform(path, ret)
                                                          : host_of_chip(path, ret);
}

pp_res fleet_hosts(struct fleet *f, enum fleet_role role, struct pp_host hosts[FLEET_MACHINES_MAX],
                   size_t *ret_count, struct pp_host *ret_own)
{
    size_t count = 0;

    PP_TRY(host_of(f, FLEET_ORCHESTRATOR, &hosts[count++]));
    if (has_two_machines(f))
        PP_TRY(host_of(f, FLEET_GUARD, &hosts[count++]));
    *ret_own = hosts[machine_of(f, role) == FLEET_ORCHESTRATOR ? 0 : 1];
    *ret_count = count;
    return pp_hosts_sort(hosts, count);
}

/* --- what the vendor says of TDX machines ----------------------------------------------------- */

/* The documents as they are when all is well, and the one that a fault is in. */
static pp_res collateral_of(struct fleet *f, const struct sim_tdx_vendor *vendor,
                            const struct sim_tdx_platform *platform, struct sim_tdx_collateral *c)
{
    const uint64_t now = pp_clock_posix_s(&f->clock), serial = SIM_TDX_SERIAL_PCK;
    uint8_t inner[SIM_TDX_DOCUMENT_BYTES_MAX / 2];
    struct pp_wr wr = pp_wr_over(inner, sizeof inner);
    struct pp_tdx_tcb_info info;

    PP_TRY(sim_tdx_collateral(vendor, platform, now, c));
    if (fleet_has_fault(f, FAULT_PLATFORM_REVOKED))
        return sim_tdx_crl(vendor, SIM_TDX_BY_AUTHORITY, now, now + 86400, &serial, 1, c->pck_crl,
                           sizeof c->pck_crl, &c->pck_crl_len);
    if (!fleet_has_fault(f, FAULT_TCB_MIN))
        return PP_OK;
    sim_tdx_tcb_info_of(platform, now, &info);
    info.levels[0].status = PP_TDX_OUT_OF_DATE;
    sim_tdx_tcb_info_write(&wr, &info);
    PP_TRY(pp_wr_ok(&wr));
    return sim_tdx_sign_document(vendor, "tcbInfo", pp_wr_done(&wr), c->tcb_info,
                                 sizeof c->tcb_info, &c->tcb_info_len);
}

static pp_res write_collateral(struct fleet *f, const struct sim_tdx_vendor *vendor,
                               struct sim_tdx_platform *platform)
{
    const struct pp_tdx_pck *pck = &sim_tdx_params(platform)->pck;
    struct sim_tdx_collateral c;
    uint8_t blob[sizeof c + 4 * SIM_TDX_CHAIN_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(blob, sizeof blob);

    PP_TRY(collateral_of(f, vendor, platform, &c));
    struct pp_collateral all = { .platform_ca = pck->has_instance_id,
                                 .tcb_info = pp_span(c.tcb_info, c.tcb_info_len),
                                 .tcb_info_chain = sim_tdx_signer_chain(vendor),
                                 .qe_identity = pp_span(c.qe_identity, c.qe_identity_len),
                                 .qe_identity_chain = sim_tdx_signer_chain(vendor),
                                 .pck_crl = pp_span(c.pck_crl, c.pck_crl_len),
                                 .root_crl = pp_span(c.root_crl, c.root_crl_len) };
    memcpy(all.fmspc, pck->fmspc, sizeof all.fmspc);
    PP_TRY(pp_collateral_write(&wr, &all));
    PP_TRY(fleet_write(f, "owner", FLEET_COLLATERAL, pp_wr_done(&wr)));
    if (fleet_has_fault(f, FAULT_COLLATERAL))
        return PP_OK;
    PP_TRY(fleet_folder(f, "log", "blobs"));
    return fleet_write(f, "log", "blobs/0", pp_wr_done(&wr));
}

pp_res fleet_make_collateral(struct fleet *f)
{
    enum fleet_role role = f->is_tdx ? FLEET_ORCHESTRATOR : FLEET_GUARD;
    struct sim_tdx_platform *platform = NULL;
    struct sim_tdx_vendor *vendor = NULL;
    char path[FLEET_PATH_MAX];

    if (!f->is_tdx && !(f->backends && f->backends_tdx))
        return PP_OK;
    PP_TRY(fleet_path(f, FLEET_CVMS[role].party, "chip", path));
    pp_res r = make_tdx_vendor(f, &vendor);
    if (pp_is_ok(r))
        r = sim_tdx_platform_load(AT_FDCWD, path, &platform);
    if (pp_is_ok(r))
        r = write_collateral(f, vendor, platform);
    sim_tdx_platform_free(platform);
    sim_tdx_vendor_free(vendor);
    return r;
}

/* --- the guest -------------------------------------------------------------------------------- */

/* The line by which a guest knows the root of its peers' machines. */
static pp_res write_root(struct fleet *f, int of_tdx, struct pp_wr *wr)
{
    uint8_t digest[PP_SHA256_BYTES];
    struct pp_buf root = { 0 };

    PP_TRY(fleet_read_file(f, "simulated-vendor", of_tdx ? "tdx/root.der" : "root/ark.der", 8192,
                           &root));
    pp_sha256(pp_buf_span(&root), digest);
    pp_buf_done(&root);
    pp_wr_text(wr, of_tdx ? "simulated_tdx_root = " : "simulated_root = ");
    pp_wr_hex(wr, PP_BYTES(digest));
    pp_wr_u8(wr, '\n');
    return PP_OK;
}

/* The measured configuration of a role. A development guard blocks two words that nobody says. */
static pp_res write_guest_config(struct fleet *f, enum fleet_role role, struct pp_span clients)
{
    char config[1024];
    struct pp_wr wr = pp_wr_over(config, sizeof config);

    pp_wr_text(&wr, "# The measured configuration of the confidential VM.\n"
                    "environment = dev\n"
                    "platform = ");
    pp_wr_text(&wr, pp_platform_name(fleet_platform(f, role)));
    pp_wr_text(&wr, "\nmessage_kem = ");
    pp_wr_text(&wr, fleet_has_fault(f, FAULT_KEM_CLASSICAL) ? "x25519" : "x-wing");
    pp_wr_text(&wr, "\nengine = embedded\n"
                    "sessions_max = 4096\n"
                    "session_s = 30\n"
                    "workers_ready = 4\n");
    PP_TRY(write_root(f, role == FLEET_ORCHESTRATOR ? f->backends_tdx : f->is_tdx, &wr));
    if (clients.len > 0) {
        pp_wr_text(&wr, "clients = ");
        pp_wr_span(&wr, clients);
        pp_wr_u8(&wr, '\n');
    }
    if (f->gpu && role == FLEET_ORCHESTRATOR)
        pp_wr_text(&wr, "gpu = one\n");
    if (role == FLEET_GUARD)
        pp_wr_text(&wr, "blocked = plugh xyzzy\n");
    PP_TRY(pp_wr_ok(&wr));
    return fleet_write(f, FLEET_CVMS[role].party, "cvm.config", pp_wr_done(&wr));
}

/* The files that a host launches: firmware, the released program, its configuration. */
static pp_res make_guest_files(struct fleet *f, enum fleet_role role, struct pp_span clients)
{
    uint8_t firmware[SIM_FIRMWARE_BYTES];
    char path[FLEET_PATH_MAX];
    struct pp_buf program = { 0 };

    sim_firmware_make(firmware);
    PP_TRY(fleet_write(f, FLEET_CVMS[role].party, "firmware", PP_BYTES(firmware)));
    PP_TRY(write_guest_config(f, role, clients));
    PP_CHECK(snprintf(path, sizeof path, "%s/pp-cvmd", f->bin) < FLEET_PATH_MAX, PP_E_RANGE, 0);
    pp_res r = pp_file_read(AT_FDCWD, path, PROGRAM_BYTES_MAX, &program);
    if (!pp_is_ok(r))
        return fleet_refuse(f, PP_FAIL(PP_E_PROGRAM_ABSENT, r.detail), "ppctl", "pp-cvmd",
                            "a program beside ppctl", "none");
    r = fleet_write(f, FLEET_CVMS[role].party, "program", pp_buf_span(&program));
    pp_buf_done(&program);
    return r;
}

pp_res fleet_make_machine(struct fleet *f)
{
    PP_TRY(fleet_folder(f, "host", NULL));
    PP_TRY(make_device(f, FLEET_ORCHESTRATOR));
    if (has_two_machines(f)) {
        PP_TRY(fleet_folder(f, FLEET_CVMS[FLEET_GUARD].party, NULL));
        PP_TRY(make_device(f, FLEET_GUARD));
    }
    PP_TRY(fleet_make_gpu(f));
    return make_guest_files(f, FLEET_ORCHESTRATOR, PP_STR(""));
}

static pp_res copy_chip(const char *from, const char *to)
{
    struct sim_chip *chip = NULL;

    PP_TRY(sim_chip_load(AT_FDCWD, from, &chip));
    pp_res r = sim_chip_save(chip, AT_FDCWD, to);
    sim_chip_free(chip);
    return r;
}

static pp_res copy_tdx_platform(const char *from, const char *to)
{
    struct sim_tdx_platform *platform = NULL;

    PP_TRY(sim_tdx_platform_load(AT_FDCWD, from, &platform));
    pp_res r = sim_tdx_platform_save(platform, AT_FDCWD, to);
    sim_tdx_platform_free(platform);
    return r;
}

static pp_res share_device(struct fleet *f, enum fleet_role role)
{
    enum fleet_role with = machine_of(f, role);
    const char *party = FLEET_CVMS[role].party;
    char from[FLEET_PATH_MAX], to[FLEET_PATH_MAX];

    if (with == role) /* its own, from the start */
        return PP_OK;
    PP_TRY(fleet_path(f, FLEET_CVMS[with].party, "chip", from));
    PP_TRY(fleet_path(f, party, "chip", to));
    PP_TRY(fleet_folder(f, party, "chip"));
    PP_TRY(f->backends_tdx ? copy_tdx_platform(from, to) : copy_chip(from, to));
    return fleet_give_all(f, party);
}

pp_res fleet_make_backend(struct fleet *f, enum fleet_role role, struct pp_span clients)
{
    PP_TRY(fleet_folder(f, FLEET_CVMS[role].party, NULL));
    PP_TRY(share_device(f, role));
    return make_guest_files(f, role, clients);
}

static pp_res measure_snp(const char *path, struct fleet_machine *m)
{
    PP_TRY(sim_chip_load(AT_FDCWD, path, &m->chip));
    return sim_measure_launch(pp_buf_span(&m->firmware), pp_buf_span(&m->program), PP_STR(""),
                              pp_span_cstr(FLEET_CVMS[m->role].cmdline), 1, m->measurement);
}

static pp_res measure_tdx(const char *path, struct fleet_machine *m)
{
    PP_TRY(sim_tdx_platform_load(AT_FDCWD, path, &m->tdx));
    return sim_tdx_measure_launch(pp_buf_span(&m->firmware), pp_buf_span(&m->program), PP_STR(""),
                                  pp_span_cstr(FLEET_CVMS[m->role].cmdline), &m->td);
}

pp_res fleet_load_machine(struct fleet *f, enum fleet_role role, struct fleet_machine *ret)
{
    const char *party = FLEET_CVMS[role].party;
    char path[FLEET_PATH_MAX];

    ret->role = role;
    ret->platform = fleet_platform(f, role);
    PP_TRY(fleet_read_file(f, party, "program", PROGRAM_BYTES_MAX, &ret->program));
    PP_TRY(fleet_read_file(f, party, "firmware", SIM_FIRMWARE_BYTES, &ret->firmware));
    PP_TRY(fleet_read_file(f, party, "cvm.config", PP_EVIDENCE_CONFIG_BYTES_MAX, &ret->config));
    pp_sha256(pp_buf_span(&ret->program), ret->program_digest);
    pp_sha256(pp_buf_span(&ret->config), ret->config_digest);
    PP_TRY(fleet_path(f, party, "chip", path));
    return ret->platform == PP_PLATFORM_SIM_TDX ? measure_tdx(path, ret) : measure_snp(path, ret);
}

void fleet_machine_digest(const struct fleet_machine *m, uint8_t ret[PP_SHA256_BYTES])
{
    struct pp_hash h;

    pp_hash_init(&h, PP_SHA256);
    if (m->platform == PP_PLATFORM_SIM_TDX) {
        pp_hash_update(&h, PP_BYTES(m->td.mrtd));
        for (size_t i = 0; i < PP_ARRAY_COUNT(m->td.rtmr); i++)
            pp_hash_update(&h, PP_BYTES(m->td.rtmr[i]));
    } else {
        pp_hash_update(&h, PP_BYTES(m->measurement));
    }
    pp_hash_update(&h, PP_BYTES(m->config_digest));
    pp_hash_final(&h, ret);
}

void fleet_machine_done(struct fleet_machine *m)
{
    sim_chip_free(m->chip);
    sim_tdx_platform_free(m->tdx);
    pp_buf_done(&m->program);
    pp_buf_done(&m->firmware);
    pp_buf_done(&m->config);
    *m = (struct fleet_machine){ 0 };
}

/* One byte of a file that the host launches, changed after everything was released. */
static pp_res change_byte(struct fleet *f, const char *name, size_t at, uint8_t to)
{
    struct pp_buf b = { 0 };

    PP_TRY(fleet_read_file(f, "host", name, PROGRAM_BYTES_MAX, &b));
    PP_CHECK(at < b.len && b.bytes[at] != to, PP_E_STATE, at);
    b.bytes[at] = to;
    pp_res r = fleet_write(f, "host", name, pp_buf_span(&b));
    pp_buf_done(&b);
    return r;
}

pp_res fleet_spoil_machine(struct fleet *f)
{
    enum { ELF_PADDING = 9 }; /* e_ident[EI_PAD]: no loader looks at it, every measurement does */

    if (fleet_has_fault(f, FAULT_PROGRAM))
        return change_byte(f, "program", ELF_PADDING, 1);
    if (fleet_has_fault(f, FAULT_CONFIG))
        return change_byte(f, "cvm.config", 2, 't'); /* a letter of its comment */
    if (fleet_has_fault(f, FAULT_MEASUREMENT))
        return change_byte(f, "firmware", 0, 1); /* the program is the released one */
    return PP_OK;
}

/* --- epoch keys ------------------------------------------------------------------------------- */

uint32_t fleet_today(const struct fleet *f)
{
    return (uint32_t)(pp_clock_posix_s(&f->clock) / PP_EPOCH_SECONDS);
}

static void file_of_day(uint32_t day, const char *folder, char ret[64])
{
    snprintf(ret, 64, "%s/%u.key", folder, day);
}

/* The chain that all token keys come from, where it stands now. It stays at home with the owner. */
static pp_res load_chain(struct fleet *f, struct pp_token_chain *ret)
{
    struct pp_buf text = { 0 };

    if (!fleet_exists(f, "owner", "token.chain"))
        return pp_token_chain_new(fleet_today(f), &f->random, ret);
    PP_TRY(fleet_read_file(f, "owner", "token.chain", PP_TOKEN_CHAIN_FILE_BYTES_MAX, &text));
    pp_res r = pp_token_chain_parse(pp_buf_span(&text), &f->problem, ret);
    pp_buf_done(&text);
    return r;
}

/* Moves the chain on to today, so that nobody can make the keys of days before again. */
static pp_res move_chain(struct fleet *f, struct pp_token_chain *c)
{
    char text[PP_TOKEN_CHAIN_FILE_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(text, sizeof text);

    if (fleet_today(f) - c->day > PP_TOKEN_CHAIN_AHEAD_MAX) { /* a state from long ago */
        pp_token_chain_done(c);
        PP_TRY(pp_token_chain_new(fleet_today(f), &f->random, c));
    }
    PP_TRY(pp_token_chain_advance(c, fleet_today(f)));
    pp_res r = pp_token_chain_write(c, &wr);
    if (pp_is_ok(r))
        r = fleet_write(f, "owner", "token.chain", pp_wr_done(&wr));
    pp_wipe(text, sizeof text);
    return r;
}

/* In dev the issue window reaches to the day's end. */
static pp_res write_token_key(const struct pp_token_chain *c, uint32_t day, struct pp_wr *wr)
{
    PP_AUTO(pp_secret) seed = { 0 };

    PP_TRY(pp_token_chain_seed(c, day, &seed));
    return pp_token_key_write(day, PP_TOKEN_VOPRF_RISTRETTO255,
                              (uint64_t)(day - 1) * PP_EPOCH_SECONDS,
                              (uint64_t)(day + 1) * PP_EPOCH_SECONDS, pp_secret_span(&seed), wr);
}

/* Both parties hold the same file: this token type needs the private key to verify. */
static pp_res make_token_key(struct fleet *f, const struct pp_token_chain *c, uint32_t day)
{
    char text[PP_TOKEN_KEY_FILE_BYTES_MAX], issuer_file[64], gateway_file[64];
    struct pp_wr wr = pp_wr_over(text, sizeof text);

    file_of_day(day, "keys", issuer_file);
    file_of_day(day, "token_keys", gateway_file);
    if (fleet_exists(f, "issuer", issuer_file) && fleet_exists(f, "gateway", gateway_file))
        return PP_OK;
    pp_res r = write_token_key(c, day, &wr);
    if (pp_is_ok(r))
        r = fleet_write(f, "issuer", issuer_file, pp_wr_done(&wr));
    if (pp_is_ok(r))
        r = fleet_write(f, "gateway", gateway_file, pp_wr_done(&wr));
    pp_wipe(text, sizeof text);
    return r;
}

static pp_res make_ohttp_keys(struct fleet *f, uint32_t from, uint32_t to)
{
    char folder[FLEET_PATH_MAX];
    size_t made;
    int fd = -1;

    PP_TRY(fleet_path(f, "gateway", "ohttp_keys", folder));
    pp_res r = pp_ohttp_epoch_open(folder, &fd);
    for (uint32_t day = from; pp_is_ok(r) && day <= to; day++)
        r = pp_ohttp_epoch_make(fd, day, &f->random, &made);
    if (fd >= 0)
        (void)close(fd);
    return pp_is_ok(r) ? fleet_give_all(f, "gateway") : r;
}

static pp_res make_handle_key(struct fleet *f)
{
    char text[PP_HANDLE_KEY_FILE_BYTES_MAX];
    struct pp_wr wr = pp_wr_over(text, sizeof text);
    uint8_t key[PP_HANDLE_KEY_BYTES];

    if (fleet_exists(f, "gateway", "handle_keys/1.key"))
        return PP_OK;
    PP_TRY(pp_random_fill(&f->random, key, sizeof key));
    pp_res r = pp_handle_key_write(1, PP_BYTES(key), &wr);
    if (pp_is_ok(r))
        r = fleet_write(f, "gateway", "handle_keys/1.key", pp_wr_done(&wr));
    pp_wipe(key, sizeof key);
    pp_wipe(text, sizeof text);
    return r;
}

pp_res fleet_make_epochs(struct fleet *f)
{
    uint32_t today = fleet_today(f);
    PP_AUTO(pp_token_chain) chain = { 0 };

    PP_TRY(fleet_folder(f, "issuer", NULL));
    PP_TRY(fleet_folder(f, "issuer", "keys"));
    PP_TRY(fleet_folder(f, "gateway", NULL));
    PP_TRY(fleet_folder(f, "gateway", "token_keys"));
    PP_TRY(fleet_folder(f, "gateway", "ohttp_keys"));
    PP_TRY(fleet_folder(f, "gateway", "handle_keys"));
    PP_TRY(fleet_folder(f, "gateway", "spent"));
    PP_TRY(load_chain(f, &chain));
    PP_TRY(move_chain(f, &chain));
    for (uint32_t day = today; day <= today + 1; day++)
        PP_TRY(make_token_key(f, &chain, day));
    PP_TRY(make_ohttp_keys(f, today, today + 1));
    f->keys_until = today + 1;
    return make_handle_key(f);
}
