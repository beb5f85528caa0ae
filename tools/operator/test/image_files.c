/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests of images and artifacts from folders (docs/protocol/release.md; W18, W19). */
#include "harness.h"

#include <fcntl.h>
#include <ftw.h>
#include <locale.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto.h"
#include "file.h"
#include "folder.h"
#include "image_files.h"
#include "sim.h"

enum { MANIFEST_MAX = PP_RECORD_BYTES_MAX };

static const char INPUTS[] = "role = orchestrator\n"
                             "where = https://images.example/o-1.img\n"
                             "repository = https://git.example/pp\n"
                             "commit = 0123456789abcdef0123456789abcdef01234567\n"
                             "snp = simulated:EPYC-Genoa:1 genoa QEMU 1\n"
                             "snp = simulated:EPYC-Genoa:1 genoa QEMU 2\n"
                             "snp_policy = ffffffffffffffff 0000000000030000\n"
                             "snp_min_tcb = genoa 7 0 14 72\n"
                             "artifact = prompts 2026.1\n";

struct image {
    char folder[64];
    char text[MANIFEST_MAX];
    struct pp_span manifest;
    struct pp_release release;
};

static struct image image;
static struct pp_arena arena;
static struct pp_problem problem;

static void at(const char *name, char ret[512])
{
    snprintf(ret, 512, "%s/%s", image.folder, name);
}

static void put(const char *name, const void *bytes, size_t len)
{
    char path[512];

    at(name, path);
    assert_ok(pp_file_write(AT_FDCWD, path, 0644, pp_span(bytes, len)));
}

static void put_text(const char *name, const char *text)
{
    put(name, text, strlen(text));
}

static void folder(const char *name)
{
    char path[512];

    at(name, path);
    assert_int_equal(mkdir(path, 0755), 0);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void make_files(void)
{
    uint8_t firmware[SIM_FIRMWARE_BYTES];

    sim_firmware_make(firmware);
    folder("firmware");
    folder("config");
    folder("artifacts");
    folder("artifacts/prompts");
    folder("artifacts/prompts/en");
    put("firmware/simulated", firmware, sizeof firmware);
    put_text("image", "kernel and initrd in one file");
    put_text("build", "recipe");
    put_text("sbom", "bill of materials");
    put_text("egress", "events");
    put_text("kernel", "a kernel");
    put_text("initrd", "an initrd");
    put_text("cmdline", "console=ttyS0 quiet");
    put_text("config/b", "environment = prod\n");
    put_text("config/a", "environment = staging\n");
    put_text("artifacts/prompts/en/summary", "Summarise.");
    put_text("artifacts/prompts/run", "#!");
    char path[512];
    at("artifacts/prompts/run", path);
    assert_int_equal(chmod(path, 0755), 0);
}

static pp_res make(const char *inputs)
{
    struct pp_wr wr = pp_wr_over(image.text, sizeof image.text);

    pp_arena_reset(&arena);
    memset(&problem, 0, sizeof problem);
    pp_res r = pp_image_of_folder(image.folder, pp_span_cstr(inputs), &arena, &wr, &problem);
    image.manifest = pp_wr_done(&wr);
    return r;
}

static int set_up(void **state)
{
    (void)state;
    arena = pp_arena_over(aligned_alloc(16, PP_IMAGE_FILES_ARENA_BYTES),
                          PP_IMAGE_FILES_ARENA_BYTES);
    if (!pp_is_ok(pp_crypto_init()) || pp_test_folder_make(image.folder) != 0)
        return -1;
    make_files();
    assert_ok(make(INPUTS));
    assert_ok(pp_image_parse(image.manifest, &image.release));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(arena.base);
    return nftw(image.folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static pp_res check(void)
{
    pp_arena_reset(&arena);
    memset(&problem, 0, sizeof problem);
    return pp_image_check_folder(image.folder, &image.release, &arena, &problem);
}

static void a_manifest_says_what_the_files_are_and_measures_them(void **state)
{
    uint8_t firmware[SIM_FIRMWARE_BYTES], want[PP_SHA384_BYTES], digest[PP_SHA256_BYTES];
    const struct pp_release *r = &image.release;

    (void)state;
    sim_firmware_make(firmware);
    assert_int_equal(r->snp_count, 2);
    for (size_t i = 0; i < r->snp_count; i++) {
        assert_ok(sim_measure_launch(PP_BYTES(firmware), PP_STR("a kernel"), PP_STR("an initrd"),
                                     PP_STR("console=ttyS0 quiet"), (uint32_t)i + 1, want));
        assert_memory_equal(r->snp[i].measurement, want, sizeof want);
    }
    pp_sha256(PP_STR("an initrd"), digest);
    assert_memory_equal(r->initrd, digest, sizeof digest);
    assert_int_equal(r->image.bytes, 29);
    assert_int_equal(r->config_count, 2);
    assert_int_equal(r->artifact_count, 1);
    assert_ok(check());
}

/* W18_T2: a byte of any input is another manifest, and a byte of what boots another measurement. */
static void w18_t2_a_byte_of_any_input_is_noticed(void **state)
{
    static const struct {
        const char *file;
        int measured;
    } inputs[] = { { "image", 0 },
                   { "build", 0 },
                   { "sbom", 0 },
                   { "egress", 0 },
                   { "kernel", 1 },
                   { "initrd", 1 },
                   { "cmdline", 1 },
                   { "config/a", 0 },
                   { "artifacts/prompts/en/summary", 0 },
                   { "firmware/simulated", 1 } };

    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(inputs); i++) {
        struct pp_buf content = { 0 };
        char path[512];
        at(inputs[i].file, path);
        assert_ok(pp_file_read(AT_FDCWD, path, 1 << 20, &content));
        content.bytes[0] ^= 1; /* of the firmware: code, no table */
        put(inputs[i].file, content.bytes, content.len);
        assert_code(check(), PP_E_RELEASE_FILE);
        assert_true(problem.field[0] != '\0');
        struct pp_release other;
        assert_ok(make(INPUTS));
        assert_ok(pp_image_parse(image.manifest, &other));
        assert_int_equal(memcmp(other.snp[0].measurement, image.release.snp[0].measurement,
                                PP_SHA384_BYTES) != 0,
                         inputs[i].measured);
        content.bytes[0] ^= 1;
        put(inputs[i].file, content.bytes, content.len);
        pp_buf_done(&content);
    }
    assert_ok(make(INPUTS)); /* the artifact's manifest as it was */
    assert_ok(check());
}

/* W18_T4: all of a digest is compared. Two initrds whose digests begin alike are two initrds. */
static void w18_t4_an_initrd_whose_digest_begins_alike_is_refused(void **state)
{
    uint8_t want[PP_SHA256_BYTES], got[PP_SHA256_BYTES];
    char text[32];
    unsigned long n = 0;

    (void)state;
    memcpy(want, image.release.initrd, sizeof want);
    do {
        snprintf(text, sizeof text, "another %lu", n++);
        pp_sha256(pp_span_cstr(text), got);
    } while (memcmp(want, got, 2) != 0);
    put_text("initrd", text);
    assert_code(check(), PP_E_RELEASE_FILE);
    assert_non_null(strstr(problem.field, "initrd"));
    put_text("initrd", "an initrd");
    for (size_t i = 0; i < sizeof want; i++) { /* and a digest that differs anywhere */
        image.release.initrd[i] ^= 1;
        assert_code(check(), PP_E_RELEASE_FILE);
        image.release.initrd[i] ^= 1;
    }
    assert_ok(check());
}

static void every_digest_and_measurement_is_computed_anew(void **state)
{
    struct pp_release *r = &image.release;
    uint8_t *const fields[] = { r->image.sha256,        r->build,  r->sbom,
                                r->firmware[0].sha256,  r->kernel, r->config[1],
                                r->artifacts[0].sha256, r->egress, r->snp[1].measurement };

    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(fields); i++) {
        fields[i][31] ^= 1;
        assert_false(pp_is_ok(check()));
        fields[i][31] ^= 1;
    }
    r->image.bytes++;
    assert_code(check(), PP_E_RELEASE_FILE);
    r->image.bytes--;
    r->cmdline[0] ^= 1;
    assert_code(check(), PP_E_RELEASE_FILE);
    r->cmdline[0] ^= 1;
    assert_ok(check());
}

/* The writer's own part of W18_T1: no path, time, owner, mask or locale is in a manifest. */
static void w18_the_same_files_elsewhere_give_the_same_manifest(void **state)
{
    static struct image first;
    struct timespec times[2] = { { .tv_sec = 86400 }, { .tv_sec = 86400 } };
    mode_t mask = umask(0077);

    (void)state;
    first = image;
    first.manifest = pp_span(first.text, image.manifest.len);
    assert_int_equal(pp_test_folder_make(image.folder), 0);
    make_files();
    umask(mask);
    static const char *const files[] = { "image", "kernel", "artifacts/prompts/run", "config/a" };
    for (size_t i = 0; i < PP_ARRAY_COUNT(files); i++) {
        char path[512];
        at(files[i], path);
        assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
        struct stat st;
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(chmod(path, (st.st_mode & S_IXUSR) != 0 ? 0700 : 0440), 0);
        if (geteuid() == 0)
            assert_int_equal(chown(path, 12345, 54321), 0);
    }
    (void)setlocale(LC_ALL, "C.UTF-8");
    assert_ok(make(INPUTS));
    (void)setlocale(LC_ALL, "C");
    assert_true(pp_span_eq(image.manifest, first.manifest));
    assert_int_equal(nftw(image.folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
    memcpy(image.folder, first.folder, sizeof image.folder);
    assert_ok(make(INPUTS));
}

static void what_a_manifest_cannot_say_is_refused(void **state)
{
    char path[512], to[512];

    (void)state;
    at("artifacts/prompts/link", path);
    at("kernel", to);
    assert_int_equal(symlink(to, path), 0);
    assert_code(make(INPUTS), PP_E_INPUT);
    assert_string_equal(problem.field, "link");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_code(make(INPUTS), PP_E_INPUT);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0755), 0); /* an empty folder would be in no line */
    assert_code(make(INPUTS), PP_E_INPUT);
    assert_int_equal(rmdir(path), 0);
    put_text("artifacts/prompts/caf\xc3\xa9", "");
    assert_code(make(INPUTS), PP_E_FORMAT);
    at("artifacts/prompts/caf\xc3\xa9", path);
    assert_int_equal(unlink(path), 0);
    put_text("artifacts/prompts/RUN", "");
    assert_code(make(INPUTS), PP_E_EXISTS);
    at("artifacts/prompts/RUN", path);
    assert_int_equal(unlink(path), 0);
    assert_ok(make(INPUTS));
}

static void a_missing_or_additional_file_is_noticed(void **state)
{
    static const char *const files[] = { "image",    "build",
                                         "sbom",     "egress",
                                         "kernel",   "initrd",
                                         "cmdline",  "firmware/simulated",
                                         "config/a", "artifacts/prompts.manifest" };
    static const char *const more[] = { "firmware/other", "config/c", "artifacts/x.manifest" };
    char path[512], away[512];

    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(files); i++) {
        at(files[i], path);
        at("away", away);
        assert_int_equal(rename(path, away), 0);
        assert_false(pp_is_ok(check()));
        assert_int_equal(rename(away, path), 0);
    }
    for (size_t i = 0; i < PP_ARRAY_COUNT(more); i++) {
        put_text(more[i], "x\n1\n");
        assert_false(pp_is_ok(check()));
        at(more[i], path);
        assert_int_equal(unlink(path), 0);
    }
    assert_ok(check());
}

static void inputs_are_refused_by_the_line_that_is_wrong(void **state)
{
    static const struct {
        const char *from, *to;
        enum pp_code code;
    } rows[] = {
        { "role = orchestrator", "role = relay", PP_E_CONFIG },
        { "commit = 0", "commit = g", PP_E_CONFIG },
        { "QEMU 2", "QEMU 1", PP_E_CONFIG },
        { "simulated:EPYC-Genoa:1 genoa QEMU 1", "small genoa QEMU 1", PP_E_CONFIG }, /* order */
        { "simulated:EPYC-Genoa:1 genoa QEMU 2", "small genoa QEMU 2", PP_E_INPUT },
        { "simulated:EPYC-Genoa:1 genoa QEMU 2", "zimulated:EPYC-Genoa:1 genoa QEMU 2",
          PP_E_INPUT },
        { "simulated:EPYC-Genoa:1 genoa QEMU 2", "simulated:EPYC-None:1 genoa QEMU 2", PP_E_INPUT },
        { "QEMU 2", "xen 2", PP_E_INPUT },
        { "snp_policy = f", "snp_policy = g", PP_E_CONFIG },
        { "artifact = prompts 2026.1", "artifact = prompts", PP_E_CONFIG },
        { "artifact = prompts 2026.1", "artifact = ../config 1", PP_E_CONFIG },
        { "artifact = prompts 2026.1", "artifact = other 1", PP_E_INPUT },
        { "where = ", "where = a b ", PP_E_CONFIG },
    };
    char text[sizeof INPUTS + 64];

    (void)state;
    for (size_t i = 0; i < PP_ARRAY_COUNT(rows); i++) {
        const char *found = strstr(INPUTS, rows[i].from);
        assert_non_null(found);
        snprintf(text, sizeof text, "%.*s%s%s", (int)(found - INPUTS), INPUTS, rows[i].to,
                 found + strlen(rows[i].from));
        pp_res r = make(text);
        assert_code(r, rows[i].code);
        assert_true(problem.field[0] != '\0');
    }
    assert_ok(make(INPUTS));
}

/* What a reviewer reads is the digest of the firmware; a row measured from another would pass. */
static void a_row_is_measured_from_a_listed_firmware_alone(void **state)
{
    static const char *const names[] = { "../artifacts/evil", "../artifacts/../artifacts/evil",
                                         "./simulated", "simulated/" };
    uint8_t firmware[SIM_FIRMWARE_BYTES];
    char path[512];

    (void)state;
    sim_firmware_make(firmware);
    firmware[0] ^= 1; /* code, no table */
    put("artifacts/evil", firmware, sizeof firmware);
    for (size_t i = 0; i < PP_ARRAY_COUNT(names); i++) {
        char text[sizeof INPUTS + 64];
        const char *found = strstr(INPUTS, "simulated:EPYC-Genoa:1 genoa QEMU 1");
        assert_non_null(found);
        snprintf(text, sizeof text, "%.*s%s%s", (int)(found - INPUTS), INPUTS, names[i],
                 found + strlen("simulated"));
        assert_code(make(text), PP_E_INPUT);
        assert_string_equal(problem.expected, "the firmware of an snp row, listed with its digest");
    }
    at("artifacts/evil", path);
    assert_int_equal(unlink(path), 0);
    assert_ok(make(INPUTS));
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(a_row_is_measured_from_a_listed_firmware_alone),
    cmocka_unit_test(a_manifest_says_what_the_files_are_and_measures_them),
    cmocka_unit_test(w18_t2_a_byte_of_any_input_is_noticed),
    cmocka_unit_test(w18_t4_an_initrd_whose_digest_begins_alike_is_refused),
    cmocka_unit_test(every_digest_and_measurement_is_computed_anew),
    cmocka_unit_test(w18_the_same_files_elsewhere_give_the_same_manifest),
    cmocka_unit_test(what_a_manifest_cannot_say_is_refused),
    cmocka_unit_test(a_missing_or_additional_file_is_noticed),
    cmocka_unit_test(inputs_are_refused_by_the_line_that_is_wrong),
};

int main(void)
{
    return cmocka_run_group_tests(TESTS, set_up, tear_down);
}
