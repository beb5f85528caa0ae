/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ppctl release publish: a reviewed record and the files that it names go out, in an order in which
 * every step can be done again: check all of it, put the files where the world reads them, submit
 * the record, prove from the log's own files that a quorum has cosigned it, and look whether the
 * mirrors show it (docs/protocol/release.md).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "admit.h"
#include "image_files.h"
#include "ledger.h"
#include "publication.h"
#include "record_file.h"
#include "record_words.h"
#include "release.h"
#include "verbs.h"

enum {
    PUBLIC_S = 86400, /* `time` to the image being public, at most (transparency-log B2) */
    BUNDLE_BYTES_MAX = 2 << 20,
    MIRRORS_MAX = 16,
};

struct mirror {
    const char *place;
    int shows; /* 1: its bundle's tree holds the record */
    int lists; /* 1: its status lists it: it is in force there */
};

struct publish {
    struct ppctl *p;
    const char *path, *url, *image, *sbom, *build, *manifest, *builders, *dir;
    struct mirror mirrors[MIRRORS_MAX];
    size_t mirror_count;
    struct ppctl_place_args place_args;
    struct ppctl_place place;
    struct pp_record_file file;
    struct pp_policy_file policy;
    struct pp_buf manifest_text;
    struct pp_agreed agreement;
    struct pp_note note;
    struct pp_log_source *source;
    struct pp_submitted submitted;
    uint64_t size; /* of the tree that the proof leads to */
    int dir_fd;
    struct pp_problem problem;
    char name[PP_PUBLISHED_NAME_MAX]; /* of the image in its folder */
    char marker[RELEASE_PATH_MAX], proof_path[RELEASE_PATH_MAX];
    uint8_t text[PP_RECORD_BYTES_MAX];
};

static pp_res refuse(struct publish *x, enum pp_code code, const char *field, const char *expected,
                     const char *got)
{
    return release_refuse(&x->problem, PP_FAIL(code, 0), field, expected, got);
}

static const struct pp_release *release_of(const struct publish *x)
{
    return &x->file.record.release;
}

/* --- who has signed --------------------------------------------------------------------------- */

static pp_res check_review(struct publish *x)
{
    const struct pp_policy *review = x->place.keys.review;
    struct pp_note_signers who = { 0 };
    char names[160] = "none of the policy's reviewers";

    for (size_t i = 0; i < release_of(x)->review_count; i++)
        if (memcmp(release_of(x)->review[i].sha256, review->digest, PP_SHA256_BYTES) == 0 &&
            pp_is_ok(pp_record_check_signers(&x->file.note, &x->file.record, &x->place.keys)))
            return PP_OK;
    if (!pp_is_ok(pp_note_check(&x->file.note, review->witness_keys, review->witness_count, &who)))
        return refuse(x, PP_E_LEDGER_SIGNER, "signature lines", "right ones of the reviewers",
                      "a wrong one");
    if (pp_is_ok(pp_policy_decide(review, who.set)))
        return refuse(x, PP_E_LEDGER_SIGNER, "review", "the digest of the review policy",
                      "another");
    if (who.set != 0)
        pp_policy_names(names, sizeof names, review, who.set);
    return refuse(x, PP_E_LEDGER_SIGNER, "reviewed by", "the quorum of the review policy", names);
}

/* The published manifest is the record's image, and two builders stand under it. */
static pp_res check_builders(struct publish *x)
{
    struct pp_wr wr = pp_wr_over(x->text, sizeof x->text);

    PP_TRY(pp_policy_file_load(x->builders, PP_POLICY_REVIEW, &x->problem, &x->policy));
    PP_TRY(release_read(x->manifest, PP_NOTE_BYTES_MAX, &x->problem, &x->manifest_text));
    const struct pp_builder_note note = { x->manifest, pp_buf_span(&x->manifest_text) };
    pp_problem_party(&x->problem, "builders");
    PP_TRY(pp_builders_agree(&note, 1, &x->policy.policy, &x->note, &x->agreement, &x->problem));
    PP_TRY(pp_image_write(&wr, release_of(x)));
    if (!pp_span_eq(pp_wr_done(&wr), x->agreement.text)) {
        pp_problem_lines(&x->problem, "builders", x->agreement.text, "record", pp_wr_done(&wr));
        return PP_FAIL(PP_E_RELEASE_BUILDERS, 0);
    }
    return PP_OK;
}

/* --- when ------------------------------------------------------------------------------------- */

/* B2's delays, against our clock. A record that was submitted in time is the log's by now. */
static pp_res check_times(struct publish *x)
{
    uint64_t now = pp_clock_posix_s(&x->p->clock);
    uint64_t published = pp_admit_published_s(x->place.environment, now);
    const struct pp_record *r = &x->file.record;
    uint64_t wait = r->environment == PP_RECORD_DEV ? 0 : PP_RELEASE_LOGGED_S;

    if (access(x->marker, F_OK) == 0)
        return PP_OK;
    if (r->time > now + PP_LEDGER_SKEW_S)
        return refuse(x, PP_E_RELEASE_TIME, "time", "not after now", pp_moment_of(r->time).text);
    if (now >= r->release.not_after)
        return refuse(x, PP_E_RELEASE_TIME, "not-after", "after now",
                      pp_moment_of(r->release.not_after).text);
    if (now > r->time + PUBLIC_S)
        return refuse(x, PP_E_RELEASE_TIME, "time",
                      "at most 24 h before the image is public, or monitors alarm",
                      pp_moment_of(r->time).text);
    if (published + wait > r->release.not_before && wait > 0)
        return refuse(x, PP_E_RELEASE_TIME, "not-before", "24 h after the log's next batch",
                      pp_moment_of(published).text);
    return PP_OK;
}

/* --- what is published ------------------------------------------------------------------------ */

static pp_res open_folder(struct publish *x)
{
    x->dir_fd = open(x->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (x->dir_fd < 0)
        return refuse(x, PP_E_CONFIG, x->dir, "the folder that the world reads", strerror(errno));
    if (flock(x->dir_fd, LOCK_EX | LOCK_NB) != 0)
        return refuse(x, PP_E_STATE_IN_USE, x->dir, "a folder that no other ppctl publishes to",
                      "another one does");
    if (!pp_is_ok(pp_published_name(release_of(x)->image.where, x->name)))
        return refuse(x, PP_E_INPUT, "image",
                      "a place whose last part is a file name of letters, digits and . _ -",
                      "another one");
    return PP_OK;
}

static pp_res publish_as(struct publish *x, const char *from, const char *ending,
                         const uint8_t digest[PP_SHA256_BYTES])
{
    char name[PP_PUBLISHED_NAME_MAX + 16];

    PP_CHECK(snprintf(name, sizeof name, "%s%s", x->name, ending) < (int)sizeof name, PP_E_RANGE,
             0);
    return pp_publish_file(from, x->dir_fd, name, digest, &x->problem);
}

static pp_res publish_bytes_as(struct publish *x, struct pp_span bytes, const char *ending)
{
    char name[PP_PUBLISHED_NAME_MAX + 16];

    PP_CHECK(snprintf(name, sizeof name, "%s%s", x->name, ending) < (int)sizeof name, PP_E_RANGE,
             0);
    return pp_publish_bytes(bytes, x->dir_fd, name, &x->problem);
}

/* The files first: a record without its image is what monitors alarm for. */
static pp_res publish_files(struct publish *x)
{
    const struct pp_release *r = release_of(x);
    uint8_t digest[PP_SHA256_BYTES];
    uint64_t len;

    pp_problem_party(&x->problem, "publication");
    PP_TRY(open_folder(x));
    PP_TRY(pp_file_digest(AT_FDCWD, x->image, digest, &len, &x->problem));
    if (len != r->image.bytes) {
        pp_problem_numbers(&x->problem, "image, bytes", r->image.bytes, len);
        return PP_FAIL(PP_E_RELEASE_FILE, 0);
    }
    PP_TRY(publish_as(x, x->sbom, ".sbom", r->sbom));
    PP_TRY(publish_as(x, x->build, ".build", r->build));
    PP_TRY(publish_bytes_as(x, pp_buf_span(&x->manifest_text), ".manifest"));
    PP_TRY(publish_bytes_as(x, pp_buf_span(&x->file.bytes), ".entry"));
    return publish_as(x, x->image, "", r->image.sha256);
}

/* --- the log ---------------------------------------------------------------------------------- */

static struct pp_span ca_of(const struct publish *x)
{
    return x->place.trust == NULL ? pp_span(NULL, 0) : x->place.trust->ca_pem;
}

/* A rule of the ledger is a refusal, under its own name where that says so. */
static pp_res submit(struct publish *x)
{
    uint32_t rule = PP_E_OK;

    pp_res r = pp_submit_entry(x->url, ca_of(x), pp_buf_span(&x->file.bytes), &x->submitted, &rule,
                               &x->problem);
    if (r.code == PP_E_LOG_REFUSED && pp_code_class(rule) == PP_CLASS_REFUSED)
        r.code = rule;
    PP_TRY(r);
    /* From now on the record is the log's: the delays were kept when it was given to it. */
    PP_TRY(release_write(x->marker, PP_STR("submitted\n"), &x->problem));
    return x->submitted.published ? PP_OK
                                  : refuse(x, PP_E_RELEASE_PENDING, "record", "in a published tree",
                                           "stored, and in no published batch yet");
}

static pp_res prove(struct publish *x)
{
    const struct pp_log_source_config c = { .place = x->url, .ca_pem = ca_of(x) };
    struct pp_buf proof = { 0 };

    PP_TRY(pp_log_source_open(&c, &x->source, &x->problem));
    PP_TRY(pp_prove_logged(x->source, x->place.keys.log, &x->file.id, x->submitted.index, &proof,
                           &x->size, &x->problem));
    pp_res r = release_write(x->proof_path, pp_buf_span(&proof), &x->problem);
    pp_buf_done(&proof);
    return r;
}

/* --- the mirrors ------------------------------------------------------------------------------ */

/* "URL/directory" or "DIR/directory": what a mirror copies of a log. */
static pp_res fetch_bundle(struct publish *x, const char *place, struct pp_buf *ret)
{
    const struct pp_log_source_config c = { .place = place, .ca_pem = ca_of(x) };
    struct pp_log_source *s = NULL;

    PP_TRY(pp_log_source_open(&c, &s, &x->problem));
    pp_res r = pp_log_source_file(s, "directory", BUNDLE_BYTES_MAX, ret, &x->problem);
    pp_log_source_close(s);
    return r;
}

static int is_listed(const struct pp_status *s, const struct pp_record_id *id)
{
    for (size_t i = 0; i < s->release_count; i++)
        if (pp_record_id_same(&s->releases[i], id))
            return 1;
    return 0;
}

/* As a device would check it, by one that has seen nothing yet. */
static pp_res check_bundle(struct publish *x, struct mirror *m, struct pp_span bundle)
{
    static const struct pp_marks none;
    struct pp_arena arena = pp_arena_over(aligned_alloc(16, PP_LEDGER_ARENA_BYTES),
                                          PP_LEDGER_ARENA_BYTES);
    struct pp_ledger *l = calloc(1, sizeof *l);
    pp_res r = PP_FAIL(PP_E_NO_MEMORY, 0);

    if (arena.base != NULL && l != NULL)
        r = pp_ledger_verify(x->place.trust, bundle, &none, pp_clock_posix_s(&x->p->clock), &arena,
                             l, NULL, &x->problem);
    if (pp_is_ok(r)) {
        m->shows = l->tree_size > x->submitted.index;
        m->lists = is_listed(&l->status.record.status, &x->file.id);
    }
    free(arena.base);
    free(l);
    return r;
}

static pp_res check_mirror(struct publish *x, struct mirror *m)
{
    struct pp_buf bundle = { 0 };

    pp_problem_party(&x->problem, m->place);
    PP_TRY(fetch_bundle(x, m->place, &bundle));
    pp_res r = check_bundle(x, m, pp_buf_span(&bundle));
    pp_buf_done(&bundle);
    return r;
}

static pp_res check_mirrors(struct publish *x)
{
    pp_res worst = PP_OK;

    for (size_t i = 0; i < x->mirror_count; i++) {
        PP_TRY(check_mirror(x, &x->mirrors[i]));
        if (!x->mirrors[i].shows && pp_is_ok(worst))
            worst = refuse(x, PP_E_RELEASE_PENDING, x->mirrors[i].place,
                           "a directory bundle whose tree holds the record", "an earlier one");
    }
    return worst;
}

/* --- all of it -------------------------------------------------------------------------------- */

static pp_res set_paths(struct publish *x)
{
    PP_CHECK(snprintf(x->marker, sizeof x->marker, "%s.submitted", x->path) < RELEASE_PATH_MAX,
             PP_E_RANGE, 0);
    PP_CHECK(snprintf(x->proof_path, sizeof x->proof_path, "%s.tlog-proof", x->path) <
                 RELEASE_PATH_MAX,
             PP_E_RANGE, 0);
    return PP_OK;
}

static pp_res check(struct publish *x)
{
    PP_TRY(ppctl_place_open(x->p, &x->place_args, PPCTL_NEED_ALL, &x->problem, &x->place));
    pp_problem_party(&x->problem, "record");
    if (x->mirror_count > 0 && x->place.trust == NULL)
        return refuse(x, PP_E_USAGE, "--mirror",
                      "--trust with it: a bundle is checked as devices do", "single options");
    PP_TRY(pp_record_file_read(x->path, &x->problem, &x->file));
    if (x->file.record.type != PP_RECORD_RELEASE)
        return refuse(x, PP_E_INPUT, "type", "cvm-release",
                      pp_record_type_name(x->file.record.type));
    PP_TRY(release_check_place(&x->file.record, &x->place, &x->problem));
    PP_TRY(check_review(x));
    PP_TRY(check_builders(x));
    pp_problem_party(&x->problem, "record");
    return check_times(x);
}

static pp_res run(struct publish *x)
{
    PP_TRY(set_paths(x));
    PP_TRY(check(x));
    PP_TRY(publish_files(x));
    PP_TRY(submit(x));
    PP_TRY(prove(x));
    return check_mirrors(x);
}

/* --- the call --------------------------------------------------------------------------------- */

static int print_result(const struct publish *x)
{
    json_t *mirrors = json_array();

    for (size_t i = 0; i < x->mirror_count; i++)
        json_array_append_new(mirrors,
                              json_pack("{s:s, s:b, s:b}", "place", x->mirrors[i].place, "shows",
                                        x->mirrors[i].shows, "in_force", x->mirrors[i].lists));
    if (x->p->json)
        return ppctl_print_json(json_pack(
            "{s:s, s:I, s:I, s:s, s:s, s:o}", "id", release_hex(PP_BYTES(x->file.id.bytes)).text,
            "index", (json_int_t)x->submitted.index, "size", (json_int_t)x->size, "proof",
            x->proof_path, "image", x->name, "mirrors", mirrors));
    json_decref(mirrors);
    fprintf(stderr, "published: %s/%s\nlogged and cosigned: entry %llu of %llu, proof in %s\n",
            x->dir, x->name, (unsigned long long)x->submitted.index, (unsigned long long)x->size,
            x->proof_path);
    for (size_t i = 0; i < x->mirror_count; i++)
        fprintf(stderr, "mirror %s: %s\n", x->mirrors[i].place,
                x->mirrors[i].lists ? "in force there" : "shows it, not in force yet");
    return 0;
}

/* Takes each "--mirror X" out of the arguments, since options stand once. Returns the new count. */
static int take_mirrors(struct publish *x, int argc, char **argv)
{
    int kept = 0;

    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--mirror") == 0 && i + 1 < argc && x->mirror_count < MIRRORS_MAX)
            x->mirrors[x->mirror_count++].place = argv[++i];
        else
            argv[kept++] = argv[i];
    }
    return kept;
}

static int parse(struct publish *x, int argc, char **argv)
{
    const char *more = NULL;
    const struct ppctl_option options[] = {
        { "--url", "LOG", "of the log: http://host:port", &x->url, NULL },
        { "--image", "FILE", "the image", &x->image, NULL },
        { "--sbom", "FILE", "its bill of materials", &x->sbom, NULL },
        { "--build", "FILE", "recipe and provenance of its build", &x->build, NULL },
        { "--manifest", "FILE", "its manifest with the builders' signatures", &x->manifest, NULL },
        { "--builders", "POLICY", "who builds", &x->builders, NULL },
        { "--public", "DIR", "the folder that the world reads", &x->dir, NULL },
        { "--mirror", "PLACE", "a copy of the log, URL or folder; may stand often", &more, NULL },
        PPCTL_PLACE_OPTIONS(x->place_args),
    };
    const char *const *needed[] = { &x->url,      &x->image,    &x->sbom, &x->build,
                                    &x->manifest, &x->builders, &x->dir };

    argc = take_mirrors(x, argc, argv);
    int status = ppctl_parse(x->p, "release publish", options, PP_ARRAY_COUNT(options), argc, argv,
                             &x->path, 1, 1, NULL);
    for (size_t i = 0; status < 0 && i < PP_ARRAY_COUNT(needed); i++)
        if (*needed[i] == NULL)
            status = ppctl_usage(x->p, options[i].name, options[i].help, "nothing");
    if (status < 0 && more != NULL)
        status = ppctl_usage(x->p, "--mirror", "at most 16 mirrors", more);
    return status;
}

int verb_release_publish(struct ppctl *p, int argc, char **argv)
{
    struct publish *x = calloc(1, sizeof *x);

    if (x == NULL)
        return ppctl_fail(p, PP_FAIL(PP_E_NO_MEMORY, 0), NULL, 0);
    x->p = p;
    x->dir_fd = -1;
    pp_problem_party(&x->problem, "ppctl");
    int status = parse(x, argc, argv);
    if (status < 0) {
        pp_res r = run(x);
        status = pp_is_ok(r) ? print_result(x) : ppctl_fail(p, r, &x->problem, 0);
    }
    if (x->dir_fd >= 0)
        (void)close(x->dir_fd);
    pp_log_source_close(x->source);
    pp_buf_done(&x->manifest_text);
    pp_policy_file_done(&x->policy);
    pp_record_file_done(&x->file);
    ppctl_place_done(&x->place);
    free(x);
    return status;
}
