/* SPDX-License-Identifier: Apache-2.0 */
/* The machine: the simulated vendor and chip, the CVM's program and configuration, epoch keys. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

/* --- the simulated processor ------------------------------------------------------------------ */

static pp_res make_vendor(struct fleet *f, struct sim_root **ret)
{
    char path[FLEET_PATH_MAX];

    PP_TRY(fleet_folder(f, "simulated-vendor", NULL));
    PP_TRY(fleet_path(f, "simulated-vendor", "root", path));
    if (fleet_exists(f, "simulated-vendor", "root/ark.key"))
        return sim_root_load(AT_FDCWD, path, ret);
    PP_TRY(sim_root_create(PP_SNP_GENOA, pp_clock_posix_s(&f->clock), ret));
    return sim_root_save(*ret, AT_FDCWD, path);
}

static pp_res make_chip(struct fleet *f, const struct sim_root *root)
{
    struct sim_chip_params params = sim_chip_params_default(PP_SNP_GENOA);
    struct sim_chip *chip = NULL;
    char path[FLEET_PATH_MAX];

    if (fleet_exists(f, "host", "chip/vcek.key"))
        return PP_OK;
    if (fleet_has_fault(f, FAULT_TCB_MIN))
        params.tcb.snp--;
    PP_TRY(fleet_path(f, "host", "chip", path));
    PP_TRY(fleet_folder(f, "host", "chip"));
    PP_TRY(sim_chip_create(root, &params, &f->random, pp_clock_posix_s(&f->clock), &chip));
    pp_res r = sim_chip_save(chip, AT_FDCWD, path);
    sim_chip_free(chip);
    PP_TRY(r);
    return fleet_give_all(f, "host");
}

/* The measured configuration of a role. A development guard blocks two words that nobody says. */
static pp_res write_guest_config(struct fleet *f, enum fleet_role role, struct pp_span clients)
{
    char config[1024], root[2 * PP_SHA256_BYTES + 1];
    struct pp_wr root_wr = pp_wr_over(root, sizeof root);
    struct pp_buf ark = { 0 };
    uint8_t digest[PP_SHA256_BYTES];

    PP_TRY(fleet_read_file(f, "simulated-vendor", "root/ark.der", 8192, &ark));
    pp_sha256(pp_buf_span(&ark), digest);
    pp_buf_done(&ark);
    pp_wr_hex(&root_wr, PP_BYTES(digest));
    pp_wr_u8(&root_wr, 0);
    PP_TRY(pp_wr_ok(&root_wr));
    int n = snprintf(config, sizeof config,
                     "# The measured configuration of the confidential VM.\n"
                     "environment = dev\n"
                     "platform = sim-snp\n"
                     "message_kem = %s\n"
                     "engine = embedded\n"
                     "sessions_max = 4096\n"
                     "session_s = 30\n"
                     "workers_ready = 4\n"
                     "simulated_root = %s\n",
                     fleet_has_fault(f, FAULT_KEM_CLASSICAL) ? "x25519" : "x-wing", root);
    PP_CHECK(n > 0 && n < (int)sizeof config, PP_E_RANGE, n);
    struct pp_wr wr = pp_wr_over(config, sizeof config);
    wr.len = (size_t)n;
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
    struct sim_root *root = NULL;

    PP_TRY(fleet_folder(f, "host", NULL));
    pp_res r = make_vendor(f, &root);
    if (pp_is_ok(r))
        r = make_chip(f, root);
    sim_root_free(root);
    PP_TRY(r);
    PP_TRY(fleet_make_gpu(f));
    return make_guest_files(f, FLEET_ORCHESTRATOR, PP_STR(""));
}

/* One machine runs all of them: each host has the same chip's key. */
static pp_res copy_chip(struct fleet *f, const char *party)
{
    char from[FLEET_PATH_MAX], to[FLEET_PATH_MAX];
    struct sim_chip *chip = NULL;

    PP_TRY(fleet_path(f, "host", "chip", from));
    PP_TRY(fleet_path(f, party, "chip", to));
    PP_TRY(fleet_folder(f, party, "chip"));
    PP_TRY(sim_chip_load(AT_FDCWD, from, &chip));
    pp_res r = sim_chip_save(chip, AT_FDCWD, to);
    sim_chip_free(chip);
    PP_TRY(r);
    return fleet_give_all(f, party);
}

pp_res fleet_make_backend(struct fleet *f, enum fleet_role role, struct pp_span clients)
{
    PP_TRY(fleet_folder(f, FLEET_CVMS[role].party, NULL));
    PP_TRY(copy_chip(f, FLEET_CVMS[role].party));
    return make_guest_files(f, role, clients);
}

pp_res fleet_load_machine(struct fleet *f, enum fleet_role role, struct fleet_machine *ret)
{
    const char *party = FLEET_CVMS[role].party;
    char path[FLEET_PATH_MAX];

    PP_TRY(fleet_path(f, "simulated-vendor", "root", path));
    PP_TRY(sim_root_load(AT_FDCWD, path, &ret->root));
    PP_TRY(fleet_path(f, "host", "chip", path));
    PP_TRY(sim_chip_load(AT_FDCWD, path, &ret->chip));
    ret->role = role;
    PP_TRY(fleet_read_file(f, party, "program", PROGRAM_BYTES_MAX, &ret->program));
    PP_TRY(fleet_read_file(f, party, "firmware", SIM_FIRMWARE_BYTES, &ret->firmware));
    PP_TRY(fleet_read_file(f, party, "cvm.config", PP_EVIDENCE_CONFIG_BYTES_MAX, &ret->config));
    pp_sha256(pp_buf_span(&ret->program), ret->program_digest);
    pp_sha256(pp_buf_span(&ret->config), ret->config_digest);
    return sim_measure_launch(pp_buf_span(&ret->firmware), pp_buf_span(&ret->program), PP_STR(""),
                              pp_span_cstr(FLEET_CVMS[role].cmdline), 1, ret->measurement);
}

void fleet_machine_done(struct fleet_machine *m)
{
    sim_root_free(m->root);
    sim_chip_free(m->chip);
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
