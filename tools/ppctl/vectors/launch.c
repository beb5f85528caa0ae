/* SPDX-License-Identifier: Apache-2.0 */
/* Launch digests of SEV guests, and the ID block (formats of the published measuring tools). */
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "launch.h"
#include "rd.h"
#include "sign.h"
#include "topics.h"

enum { FILE_BYTES_MAX = PP_FIRMWARE_BYTES_MAX, PATH_BYTES_MAX = 4096 };

struct row {
    struct vectors *v;
    const char *file; /* the JSON file */
    const char *name;
    const json_t *json;
    struct pp_buf firmware, firmware_digest, kernel, initrd, tail, svsm;
};

static const char *text(const json_t *object, const char *member)
{
    return json_string_value(json_object_get(object, member));
}

/* `name` beside the JSON file, else in the published set where PP_SHARED says it stands. */
static int find(const char *json_file, const char *name, char path[PATH_BYTES_MAX])
{
    const char *slash = strrchr(json_file, '/');
    const char *shared = getenv("PP_SHARED");
    int dir = slash == NULL ? 0 : (int)(slash - json_file + 1);

    snprintf(path, PATH_BYTES_MAX, "%.*s%s", dir, json_file, name);
    if (access(path, R_OK) == 0)
        return 1;
    snprintf(path, PATH_BYTES_MAX, "%s/vectors/launch/%s", shared == NULL ? "" : shared, name);
    return shared != NULL && access(path, R_OK) == 0;
}

static int load(const char *json_file, const char *name, struct pp_buf *ret)
{
    char path[PATH_BYTES_MAX];

    if (strcmp(name, "/dev/null") == 0) {
        *ret = (struct pp_buf){ .bytes = calloc(1, 1) };
        return ret->bytes != NULL;
    }
    return find(json_file, name, path) &&
           pp_is_ok(pp_file_read(AT_FDCWD, path, FILE_BYTES_MAX, ret));
}

/* A firmware file of zeros that ends in the given bytes: enough for a table and its metadata. */
static int file_from_tail(struct row *row, const char *member, struct pp_buf *ret)
{
    pp_buf_done(&row->tail);
    row->tail = vectors_hex(row->json, member);
    if (row->tail.bytes == NULL || row->tail.len > PP_LAUNCH_PAGE_BYTES ||
        (ret->bytes = calloc(1, PP_LAUNCH_PAGE_BYTES + 1)) == NULL)
        return 0;
    ret->len = PP_LAUNCH_PAGE_BYTES;
    memcpy(ret->bytes + PP_LAUNCH_PAGE_BYTES - row->tail.len, row->tail.bytes, row->tail.len);
    return 1;
}

static int firmware_of(struct row *row)
{
    const char *ovmf = text(row->json, "ovmf");

    return ovmf == NULL ? file_from_tail(row, "ovmf_tail_hex", &row->firmware)
                        : load(row->file, ovmf, &row->firmware);
}

/* Everything of a case but the firmware; 0 when a field is malformed. */
static int read_case(struct row *row, struct pp_launch *l, struct pp_kernel_hashes *hashes)
{
    const char *type = text(row->json, "vcpu_type");
    const char *features = text(row->json, "guest_features");
    const char *vmm = text(row->json, "vmm");
    const char *kernel = text(row->json, "kernel");
    const char *initrd = text(row->json, "initrd");
    const char *append = text(row->json, "append");
    const json_t *vcpus = json_object_get(row->json, "vcpus");

    l->vcpus = vcpus == NULL ? 1 : (uint32_t)json_integer_value(vcpus);
    l->guest_features = features == NULL ? 1 : strtoull(features, NULL, 0);
    l->vars_bytes = (uint32_t)json_integer_value(json_object_get(row->json, "vars_bytes"));
    if (vmm != NULL && !pp_is_ok(pp_vmm_by_name(pp_span_cstr(vmm), &l->vmm)))
        return 0;
    if (l->vmm == PP_VMM_SVSM && !file_from_tail(row, "svsm_tail_hex", &row->svsm))
        return 0;
    if (type != NULL && !pp_is_ok(pp_vcpu_signature_by_name(pp_span_cstr(type), &l->vcpu_sig)))
        return 0;
    if (kernel == NULL)
        return 1;
    if (!load(row->file, kernel, &row->kernel) ||
        !load(row->file, initrd == NULL ? "/dev/null" : initrd, &row->initrd))
        return 0;
    pp_kernel_hashes_of(pp_buf_span(&row->kernel), pp_buf_span(&row->initrd), pp_span_cstr(append),
                        hashes);
    l->hashes = hashes;
    return 1;
}

static int differs(struct row *row, pp_res r, const char *what, struct pp_span got,
                   struct pp_span want)
{
    if (!pp_is_ok(r))
        vectors_fail(row->v, row->file, row->name, "%s: %s", what, pp_code_name(r.code));
    else if (!pp_span_eq(got, want))
        vectors_fail(row->v, row->file, row->name, "%s differs", what);
    else
        return 0;
    return 1;
}

/* A case that has to be refused, wherever it is noticed. */
static int is_refusal(struct row *row, pp_res r)
{
    if (text(row->json, "expect") == NULL)
        return 0;
    if (!pp_is_ok(r))
        vectors_pass(row->v, row->file, row->name);
    else
        vectors_fail(row->v, row->file, row->name, "was measured");
    return 1;
}

static pp_res parse_files(struct row *row, struct pp_launch *l, struct pp_firmware files[2])
{
    PP_TRY(pp_firmware_parse(pp_buf_span(&row->firmware), &files[0]));
    l->firmware = &files[0];
    if (l->vmm != PP_VMM_SVSM)
        return PP_OK;
    PP_TRY(pp_firmware_parse(pp_buf_span(&row->svsm), &files[1]));
    l->svsm = &files[1];
    return PP_OK;
}

static void measure_snp(struct row *row, struct pp_launch *l)
{
    struct pp_firmware files[2];
    uint8_t got[PP_LAUNCH_DIGEST_BYTES];
    struct pp_buf want = vectors_hex(row->json, "expected_digest");
    pp_res r = parse_files(row, l, files);

    if (pp_is_ok(r))
        r = pp_launch_measure(l, got);
    int done = is_refusal(row, r) || differs(row, r, "digest", PP_BYTES(got), pp_buf_span(&want));
    row->firmware_digest = vectors_hex(row->json, "snp_ovmf_hash");
    if (!done && row->firmware_digest.len == PP_LAUNCH_DIGEST_BYTES) {
        pp_launch_firmware_digest(&files[0], got);
        done = differs(row, r, "firmware digest", PP_BYTES(got),
                       pp_buf_span(&row->firmware_digest));
        l->firmware_digest = row->firmware_digest.bytes;
        done = done || differs(row, pp_launch_measure(l, got), "digest from the firmware digest",
                               PP_BYTES(got), pp_buf_span(&want));
    }
    if (!done)
        vectors_pass(row->v, row->file, row->name);
    pp_buf_done(&want);
}

static void measure_sev(struct row *row, struct pp_launch *l, enum pp_sev_mode mode)
{
    struct pp_firmware files[2];
    uint8_t got[PP_SHA256_BYTES];
    struct pp_buf want = vectors_hex(row->json, "expected_digest");
    pp_res r = parse_files(row, l, files);

    if (pp_is_ok(r))
        r = pp_launch_measure_sev(l, mode, got);
    if (!is_refusal(row, r) && !differs(row, r, "digest", PP_BYTES(got), pp_buf_span(&want)))
        vectors_pass(row->v, row->file, row->name);
    pp_buf_done(&want);
}

static void measure(struct row *row, struct pp_launch *l, const char *mode)
{
    if (strcmp(mode, "SEV_SNP") == 0)
        measure_snp(row, l);
    else if (strcmp(mode, "SEV") == 0 || strcmp(mode, "SEV_ES") == 0)
        measure_sev(row, l, mode[3] == '\0' ? PP_SEV : PP_SEV_ES);
    else
        vectors_skip(row->v, row->file, row->name, "a mode of launch that is not offered");
}

static void run_case(struct vectors *v, const char *file, const json_t *json, size_t index)
{
    char name[96];
    struct row row = { .v = v, .file = file, .name = name, .json = json };
    struct pp_launch l = { 0 };
    struct pp_kernel_hashes hashes;
    const char *mode = text(json, "mode");

    snprintf(name, sizeof name, "%zu %s", index,
             text(json, "name") == NULL ? "" : text(json, "name"));
    if (mode == NULL)
        vectors_fail(v, file, name, "no mode");
    else if (!firmware_of(&row))
        vectors_skip(v, file, name, "the firmware file is not beside it and not under PP_SHARED");
    else if (!read_case(&row, &l, &hashes))
        vectors_fail(v, file, name, "a field is missing, malformed or unknown");
    else
        measure(&row, &l, mode);
    pp_buf_done(&row.firmware);
    pp_buf_done(&row.firmware_digest);
    pp_buf_done(&row.kernel);
    pp_buf_done(&row.initrd);
    pp_buf_done(&row.tail);
    pp_buf_done(&row.svsm);
}

/* --- the ID block ----------------------------------------------------------------------------- */

/* The point of a private key in a PEM file beside the JSON. */
static int key_point(const char *json_file, const char *name, uint8_t point[PP_P384_POINT_BYTES])
{
    struct pp_buf pem = { 0 };
    struct pp_buf der = { 0 };
    struct pp_ec_key *key = NULL;
    char base64[2048];
    size_t n = 0;
    size_t len = 0;

    if (name == NULL || !load(json_file, name, &pem))
        return 0;
    struct pp_span rest = pp_buf_span(&pem);
    while (rest.len > 0) {
        struct pp_span line;
        (void)pp_text_cut(&rest, '\n', &line);
        for (size_t i = 0; i < line.len && line.at[0] != '-' && n + 1 < sizeof base64; i++)
            if (!isspace(line.at[i]))
                base64[n++] = (char)line.at[i];
    }
    base64[n] = '\0';
    der = vectors_base64_text(base64);
    int ok = der.bytes != NULL && pp_is_ok(pp_ec_key_import_der(pp_buf_span(&der), &key)) &&
             pp_is_ok(pp_ec_key_point(key, point, PP_P384_POINT_BYTES, &len)) &&
             len == PP_P384_POINT_BYTES;
    pp_ec_key_free(key);
    pp_buf_done(&pem);
    pp_buf_done(&der);
    return ok;
}

static void check_digest(struct row *row, const char *member, const uint8_t *point)
{
    uint8_t got[PP_LAUNCH_DIGEST_BYTES];
    struct pp_buf want = vectors_base64(row->json, member);

    row->name = member;
    if (!differs(row, pp_id_key_digest(pp_span(point, PP_P384_POINT_BYTES), got), "digest",
                 PP_BYTES(got), pp_buf_span(&want)))
        vectors_pass(row->v, row->file, member);
    pp_buf_done(&want);
}

static void check_signature(struct row *row, const char *name, const uint8_t *point,
                            struct pp_span message)
{
    struct pp_buf signature = { 0 };

    if (!load(row->file, name, &signature)) {
        vectors_skip(row->v, row->file, name, "not beside it and not under PP_SHARED");
        return;
    }
    pp_res r = pp_id_signature_verify(pp_span(point, PP_P384_POINT_BYTES), message,
                                      pp_buf_span(&signature));
    if (pp_is_ok(r))
        vectors_pass(row->v, row->file, name);
    else
        vectors_fail(row->v, row->file, name, "%s", pp_code_name(r.code));
    pp_buf_done(&signature);
}

/*
 * What the VMM is given beside the block (AMD 56860, ID_AUTH): u32 algorithms of both keys (1),
 * zeros to 40, the block's signature, the ID key, zeros to 680, the author's signature of that key,
 * the author's key, zeros to a page. Figures in hexadecimal.
 */
static void check_auth(struct row *row, const uint8_t *id_point, const uint8_t *author_point,
                       struct pp_span block)
{
    static const char name[] = "test_auth_block.bin";
    uint8_t id_key[PP_ID_KEY_BYTES], author_key[PP_ID_KEY_BYTES];
    struct pp_buf page = { 0 };
    pp_res r = PP_FAIL(PP_E_FORMAT, 0);

    if (!load(row->file, name, &page)) {
        vectors_skip(row->v, row->file, name, "not beside it and not under PP_SHARED");
        return;
    }
    struct pp_rd rd = pp_rd_span(pp_buf_span(&page));
    int algorithms = pp_rd_u32le(&rd) == 1 && pp_rd_u32le(&rd) == 1;
    pp_rd_zeros(&rd, 0x40 - 8);
    struct pp_span block_signature = pp_rd_bytes(&rd, PP_ID_SIGNATURE_BYTES);
    pp_rd_copy(&rd, id_key, sizeof id_key);
    pp_rd_zeros(&rd, 0x680 - 0x240 - PP_ID_KEY_BYTES);
    struct pp_span key_signature = pp_rd_bytes(&rd, PP_ID_SIGNATURE_BYTES);
    pp_rd_copy(&rd, author_key, sizeof author_key);
    pp_rd_zeros(&rd, rd.left);
    if (pp_is_ok(pp_rd_end(&rd)) && algorithms)
        r = pp_id_signature_verify(pp_span(id_point, PP_P384_POINT_BYTES), block, block_signature);
    if (pp_is_ok(r))
        r = pp_id_signature_verify(pp_span(author_point, PP_P384_POINT_BYTES), PP_BYTES(id_key),
                                   key_signature);
    uint8_t want[2][PP_ID_KEY_BYTES];
    int same = pp_is_ok(pp_id_key_write(pp_span(id_point, PP_P384_POINT_BYTES), want[0])) &&
               pp_is_ok(pp_id_key_write(pp_span(author_point, PP_P384_POINT_BYTES), want[1])) &&
               memcmp(want[0], id_key, sizeof id_key) == 0 &&
               memcmp(want[1], author_key, sizeof author_key) == 0;
    if (pp_is_ok(r) && same)
        vectors_pass(row->v, row->file, name);
    else
        vectors_fail(row->v, row->file, name, "%s", pp_is_ok(r) ? "a key" : pp_code_name(r.code));
    pp_buf_done(&page);
}

static void check_block(struct row *row, struct pp_span want)
{
    struct pp_buf launch_digest = vectors_hex(row->json, "launch_digest");
    struct pp_id_block block;
    uint8_t again[PP_ID_BLOCK_BYTES];
    pp_res r = pp_id_block_parse(want, &block);

    row->name = "expected_id_block_b64";
    if (pp_is_ok(r))
        pp_id_block_write(&block, again);
    if (!differs(row, r, "block", PP_BYTES(again), want) &&
        !differs(row, r, "launch digest", PP_BYTES(block.launch_digest),
                 pp_buf_span(&launch_digest)))
        vectors_pass(row->v, row->file, row->name);
    pp_buf_done(&launch_digest);
}

static void run_id_block(struct vectors *v, const char *file, const json_t *json)
{
    struct row row = { .v = v, .file = file, .name = "id block", .json = json };
    uint8_t id_point[PP_P384_POINT_BYTES], author_point[PP_P384_POINT_BYTES];
    uint8_t id_key[PP_ID_KEY_BYTES];
    struct pp_buf block = vectors_base64(json, "expected_id_block_b64");

    check_block(&row, pp_buf_span(&block));
    if (!key_point(file, text(json, "id_key"), id_point) ||
        !key_point(file, text(json, "author_key"), author_point) ||
        !pp_is_ok(pp_id_key_write(PP_BYTES(id_point), id_key))) {
        vectors_skip(v, file, "keys", "not beside it and not under PP_SHARED");
    } else {
        check_digest(&row, "expected_id_key_digest_b64", id_point);
        check_digest(&row, "expected_author_key_digest_b64", author_point);
        check_signature(&row, "test_id_sig.bin", id_point, pp_buf_span(&block));
        check_signature(&row, "test_auth_sig.bin", author_point, PP_BYTES(id_key));
        check_auth(&row, id_point, author_point, pp_buf_span(&block));
    }
    pp_buf_done(&block);
}

static void run_file(struct vectors *v, const char *file)
{
    const char *dot = strrchr(file, '.');
    size_t i;
    const json_t *json;

    if (dot == NULL || strcmp(dot, ".json") != 0)
        return; /* what the cases name */
    json_t *root = vectors_load(v, file);
    if (root == NULL)
        return;
    if (json_is_array(root)) {
        json_array_foreach(root, i, json)
        {
            run_case(v, file, json, i);
        }
    } else if (json_object_get(root, "expected_id_block_b64") != NULL) {
        run_id_block(v, file, root);
    } else {
        vectors_skip(v, file, "-", "not a shape that this topic reads");
    }
    json_decref(root);
}

void vectors_launch(struct vectors *v, const char *path)
{
    vectors_walk(v, path, run_file);
}
