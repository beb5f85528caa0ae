/* SPDX-License-Identifier: Apache-2.0 */
#include "builds.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fleet_int.h"
#include "gpu.h"
#include "image_files.h"
#include "people.h"
#include "snp.h"

static const char *const BUILDERS[PP_BUILDERS_MIN] = { "builder1", "builder2" };

void fleet_image_done(struct fleet_image *image)
{
    pp_buf_done(&image->policy_text);
    for (size_t i = 0; i < PP_ARRAY_COUNT(image->notes); i++)
        pp_buf_done(&image->notes[i]);
}

/* The program is image and kernel at once; a name more costs no copy of it. */
static pp_res link_program(struct fleet *f, const char *host, const char *party, const char *name)
{
    char from[FLEET_PATH_MAX], to[FLEET_PATH_MAX];

    PP_TRY(fleet_path(f, host, "program", from));
    PP_TRY(fleet_path(f, party, name, to));
    (void)unlink(to);
    if (link(from, to) == 0)
        return PP_OK;
    int e = errno;
    return fleet_refuse(f, pp_errno_res(e), "ppctl", to, "a file that can be made", strerror(e));
}

/* A development image has neither provenance nor bill of materials: files of nothing. */
static pp_res make_folder(struct fleet *f, const char *party, const struct fleet_machine *m)
{
    static const char *const folders[] = { "image", "image/firmware", "image/config" };
    const struct {
        const char *name;
        struct pp_span content;
    } files[] = { { "image/build", PP_STR("") },
                  { "image/sbom", PP_STR("") },
                  { "image/egress", PP_STR("") },
                  { "image/cmdline", pp_span_cstr(FLEET_CVMS[m->role].cmdline) },
                  { "image/firmware/simulated", pp_buf_span(&m->firmware) },
                  { "image/config/cvm.config", pp_buf_span(&m->config) } };

    for (size_t i = 0; i < PP_ARRAY_COUNT(folders); i++)
        PP_TRY(fleet_folder(f, party, folders[i]));
    for (size_t i = 0; i < PP_ARRAY_COUNT(files); i++)
        PP_TRY(fleet_write(f, party, files[i].name, files[i].content));
    const char *host = FLEET_CVMS[m->role].party;
    PP_TRY(link_program(f, host, party, "image/image"));
    return link_program(f, host, party, "image/kernel");
}

/* The rows of the machine that the image runs on, and the least that it must be. */
static void write_snp_row(struct pp_wr *wr)
{
    const struct pp_snp_tcb_parts tcb = sim_chip_params_default(PP_SNP_GENOA).tcb;
    char text[256];

    snprintf(text, sizeof text,
             "snp = simulated:EPYC-Genoa:1 genoa QEMU 1\n"
             "snp_policy = %016llx %016x\n"
             "snp_min_tcb = genoa %u %u %u %u\n",
             (unsigned long long)(PP_SNP_POLICY_DEBUG | PP_SNP_POLICY_MIGRATE_MA), 0U,
             tcb.boot_loader, tcb.tee, tcb.snp, tcb.microcode);
    pp_wr_text(wr, text);
}

static void write_tdx_row(struct pp_wr *wr, const struct fleet_machine *m)
{
    pp_wr_text(wr, "tdx = simulated:TDX:1 1 ");
    pp_wr_hex(wr, PP_BYTES(m->td.mrtd));
    for (size_t i = 0; i < PP_ARRAY_COUNT(m->td.rtmr) - 1; i++) {
        pp_wr_u8(wr, ' ');
        pp_wr_hex(wr, PP_BYTES(m->td.rtmr[i]));
    }
    pp_wr_text(wr, "\ntdx_min_svn = ");
    pp_wr_hex(wr, PP_BYTES(sim_tdx_params_default().tee_tcb_svn));
    pp_wr_text(wr, "\n");
}

static pp_res write_inputs(const struct fleet_machine *m, char text[1024])
{
    struct pp_wr wr = pp_wr_over(text, 1024);

    pp_wr_text(&wr, "role = ");
    pp_wr_text(&wr, FLEET_CVMS[m->role].role);
    pp_wr_text(&wr, "\nwhere = build/bin/pp-cvmd\nrepository = pp\n"
                    "commit = 0000000000000000000000000000000000000000\n");
    if (m->platform == PP_PLATFORM_SIM_TDX)
        write_tdx_row(&wr, m);
    else
        write_snp_row(&wr);
    pp_wr_u8(&wr, 0);
    return pp_wr_ok(&wr);
}

static pp_res add_gpu(struct fleet *f, char text[1024])
{
    struct pp_wr wr = pp_wr_over(text, 1024);

    wr.len = strnlen(text, 1024);
    PP_TRY(fleet_write_gpu_row(f, &wr));
    pp_wr_u8(&wr, 0);
    return pp_wr_ok(&wr);
}

static pp_res write_manifest(struct fleet *f, const char *party, const struct fleet_machine *m,
                             struct pp_wr *wr)
{
    char inputs[1024], folder[FLEET_PATH_MAX];
    void *mem = aligned_alloc(16, PP_IMAGE_FILES_ARENA_BYTES);
    struct pp_arena arena = pp_arena_over(mem, PP_IMAGE_FILES_ARENA_BYTES);

    PP_CHECK(mem != NULL, PP_E_NO_MEMORY, PP_IMAGE_FILES_ARENA_BYTES);
    pp_res r = write_inputs(m, inputs);
    if (pp_is_ok(r) && m->role == FLEET_ORCHESTRATOR)
        r = add_gpu(f, inputs);
    if (pp_is_ok(r))
        r = fleet_path(f, party, "image", folder);
    if (pp_is_ok(r))
        r = pp_image_of_folder(folder, pp_span_cstr(inputs), &arena, wr, &f->problem);
    free(mem);
    return r;
}

/* A file of a role: the orchestrator's has the name alone. */
static void name_of_role(const struct fleet_machine *m, const char *name, char ret[64])
{
    if (m->role == FLEET_ORCHESTRATOR)
        snprintf(ret, 64, "%s", name);
    else
        snprintf(ret, 64, "%s.%s", name, FLEET_CVMS[m->role].role);
}

/* Makes, signs and keeps the manifest of one builder. */
static pp_res build(struct fleet *f, const char *party, const struct fleet_machine *m,
                    struct pp_buf *ret_note)
{
    PP_AUTO(fleet_signer) signer = { 0 };
    uint8_t text[PP_RECORD_BYTES_MAX], note[PP_RECORD_ENTRY_MAX];
    struct pp_wr text_wr = pp_wr_over(text, sizeof text), note_wr = pp_wr_over(note, sizeof note);

    char file[64];

    name_of_role(m, "manifest", file);
    PP_TRY(make_folder(f, party, m));
    PP_TRY(fleet_load_signer(f, party, &signer));
    PP_TRY(write_manifest(f, party, m, &text_wr));
    PP_TRY(pp_note_write(&note_wr, pp_wr_done(&text_wr), &signer.signer, 1));
    PP_TRY(fleet_write(f, party, file, pp_wr_done(&note_wr)));
    return fleet_read_file(f, party, file, PP_NOTE_BYTES_MAX, ret_note);
}

static pp_res keep_agreed(struct fleet *f, const struct fleet_machine *m, struct fleet_image *image,
                          const struct pp_builder_note *notes)
{
    uint8_t both[PP_RECORD_ENTRY_MAX];
    char file[64];
    struct pp_wr wr = pp_wr_over(both, sizeof both);

    PP_TRY(pp_builders_write(&wr, notes, PP_BUILDERS_MIN, &image->policy, &image->agreed,
                             &image->scratch));
    name_of_role(m, "image.manifest", file);
    return fleet_write(f, "owner", file, pp_wr_done(&wr));
}

pp_res fleet_build_image(struct fleet *f, const struct fleet_machine *m, struct fleet_image *ret)
{
    struct pp_builder_note notes[PP_BUILDERS_MIN];

    PP_TRY(fleet_read_file(f, "trust", "builders", PP_POLICY_BYTES_MAX, &ret->policy_text));
    PP_TRY(pp_policy_parse(pp_buf_span(&ret->policy_text), PP_POLICY_REVIEW, &ret->policy));
    for (size_t i = 0; i < PP_BUILDERS_MIN; i++) {
        PP_TRY(build(f, BUILDERS[i], m, &ret->notes[i]));
        notes[i] = (struct pp_builder_note){ BUILDERS[i], pp_buf_span(&ret->notes[i]) };
    }
    PP_TRY(pp_builders_agree(notes, PP_BUILDERS_MIN, &ret->policy, &ret->scratch, &ret->agreed,
                             &f->problem));
    return keep_agreed(f, m, ret, notes);
}
