/* SPDX-License-Identifier: Apache-2.0 */
/* The launch digest (AMD 56860, PAGE_INFO): a chain of SHA-384 over the pages of a guest. */
#include "launch_int.h"

#include "wr.h"

enum {
    PAGE_INFO_BYTES = 0x70,
    HASHES_TABLE_BYTES = 168,
    HASHES_PADDED_BYTES = 176,
    HASHES_ENTRY_BYTES = 50,
};

enum page_type {
    PAGE_NORMAL = 1,
    PAGE_VMSA = 2,
    PAGE_ZERO = 3,
    PAGE_UNMEASURED = 4,
    PAGE_SECRETS = 5,
    PAGE_CPUID = 6,
};

static const uint64_t VMSA_GPA = UINT64_C(0x0000FFFFFFFFF000);
static const uint64_t FOUR_GIB = UINT64_C(1) << 32;
static const uint32_t BOOT_PROCESSOR_EIP = UINT32_C(0xFFFFFFF0);

/* GUIDs as bytes: the first three groups little-endian. */
#define GUID_HASHES_TABLE   "\x06\xd6\x38\x94\x22\x4f\xc9\x4c\xb4\x79\xa7\x93\xd4\x11\xfd\x21"
#define GUID_HASHES_CMDLINE "\xd8\x2d\xd0\x97\x20\xbd\x94\x4c\xaa\x78\xe7\x71\x4d\x36\xab\x2a"
#define GUID_HASHES_INITRD  "\x31\xf7\xba\x44\x2f\x3a\xd7\x4b\x9a\xf1\x41\xe2\x91\x69\x78\x1d"
#define GUID_HASHES_KERNEL  "\x37\x94\xe7\x4d\xd2\xab\x7f\x42\xb8\x35\xd5\xb1\x72\xd2\x04\x5b"

struct digest {
    uint8_t ld[PP_LAUNCH_DIGEST_BYTES];
    size_t section_pages; /* so far */
};

/* `page` is NULL for the types whose content is not hashed. */
static void add_page(struct digest *d, enum page_type type, uint64_t gpa, const uint8_t *page)
{
    uint8_t info[PAGE_INFO_BYTES];
    uint8_t contents[PP_SHA384_BYTES] = { 0 };
    struct pp_wr wr = pp_wr_over(info, sizeof info);

    if (page != NULL)
        pp_sha384(pp_span(page, PP_LAUNCH_PAGE_BYTES), contents);
    pp_wr_span(&wr, PP_BYTES(d->ld));
    pp_wr_span(&wr, PP_BYTES(contents));
    pp_wr_u16le(&wr, PAGE_INFO_BYTES);
    pp_wr_u8(&wr, (uint8_t)type);
    pp_wr_zeros(&wr, 5); /* IMI_PAGE, permissions of VMPL 3, 2, 1, reserved */
    pp_wr_u64le(&wr, gpa);
    PP_ASSERT(wr.len == sizeof info && pp_is_ok(pp_wr_ok(&wr)));
    pp_sha384(PP_BYTES(info), d->ld);
}

/* Files stand below 4 GiB, or below what is there already. */
static void add_file(struct digest *d, struct pp_span file, uint64_t end)
{
    for (size_t at = 0; at < file.len; at += PP_LAUNCH_PAGE_BYTES)
        add_page(d, PAGE_NORMAL, end - file.len + at, file.at + at);
}

void pp_launch_firmware_digest(const struct pp_firmware *firmware,
                               uint8_t ret[PP_LAUNCH_DIGEST_BYTES])
{
    struct digest d = { 0 };

    add_file(&d, firmware->file, FOUR_GIB);
    memcpy(ret, d.ld, sizeof d.ld);
}

/* --- kernel hashes ---------------------------------------------------------------------------- */

void pp_kernel_hashes_of(struct pp_span kernel, struct pp_span initrd, struct pp_span cmdline,
                         struct pp_kernel_hashes *ret)
{
    struct pp_hash h;

    pp_sha256(kernel, ret->kernel);
    pp_sha256(initrd, ret->initrd);
    pp_hash_init(&h, PP_SHA256);
    pp_hash_update(&h, cmdline);
    pp_hash_u8(&h, 0);
    pp_hash_final(&h, ret->cmdline);
}

static void write_hash(struct pp_wr *wr, struct pp_span guid, struct pp_span digest)
{
    pp_wr_span(wr, guid);
    pp_wr_u16le(wr, HASHES_ENTRY_BYTES);
    pp_wr_span(wr, digest);
}

static void write_hashes(struct pp_wr *wr, const struct pp_kernel_hashes *hashes)
{
    size_t from = wr->len;

    pp_wr_span(wr, PP_STR(GUID_HASHES_TABLE));
    pp_wr_u16le(wr, HASHES_TABLE_BYTES);
    write_hash(wr, PP_STR(GUID_HASHES_CMDLINE), PP_BYTES(hashes->cmdline));
    write_hash(wr, PP_STR(GUID_HASHES_INITRD), PP_BYTES(hashes->initrd));
    write_hash(wr, PP_STR(GUID_HASHES_KERNEL), PP_BYTES(hashes->kernel));
    PP_ASSERT(wr->len == from + HASHES_TABLE_BYTES);
    pp_wr_fill_to(wr, from + HASHES_PADDED_BYTES);
}

pp_res pp_kernel_hashes_page(const struct pp_kernel_hashes *hashes, size_t offset,
                             uint8_t ret[PP_LAUNCH_PAGE_BYTES])
{
    struct pp_wr wr = pp_wr_over(ret, PP_LAUNCH_PAGE_BYTES);

    PP_CHECK(offset <= PP_LAUNCH_PAGE_BYTES - HASHES_PADDED_BYTES, PP_E_RANGE, offset);
    pp_wr_zeros(&wr, offset);
    write_hashes(&wr, hashes);
    pp_wr_fill_to(&wr, PP_LAUNCH_PAGE_BYTES);
    return pp_wr_ok(&wr);
}

/* --- sections --------------------------------------------------------------------------------- */

static pp_res add_pages(struct digest *d, const struct pp_firmware_section *s, enum page_type type)
{
    size_t pages = s->size / PP_LAUNCH_PAGE_BYTES;

    PP_CHECK(pages <= PP_LAUNCH_SECTION_PAGES_MAX - d->section_pages, PP_E_LIMIT, pages);
    d->section_pages += pages;
    for (size_t i = 0; i < pages; i++)
        add_page(d, type, s->gpa + (uint64_t)i * PP_LAUNCH_PAGE_BYTES, NULL);
    return PP_OK;
}

static pp_res add_kernel_hashes(struct digest *d, const struct pp_launch *launch,
                                const struct pp_firmware_section *s)
{
    const struct pp_firmware *f = launch->firmware;
    uint8_t page[PP_LAUNCH_PAGE_BYTES];

    if (launch->hashes == NULL)
        return add_pages(d, s, PAGE_ZERO);
    PP_CHECK(f->hashes_gpa >= s->gpa && f->hashes_gpa - s->gpa < PP_LAUNCH_PAGE_BYTES &&
                 f->hashes_size >= HASHES_PADDED_BYTES,
             PP_E_FORMAT, f->hashes_gpa);
    PP_TRY_AS(PP_E_FORMAT, pp_kernel_hashes_page(launch->hashes, f->hashes_gpa - s->gpa, page));
    add_page(d, PAGE_NORMAL, s->gpa, page);
    return PP_OK;
}

static pp_res add_section(struct digest *d, const struct pp_launch *launch,
                          const struct pp_firmware_section *s)
{
    switch (s->type) {
    case PP_SECTION_MEM:
        return add_pages(d, s, launch->vmm == PP_VMM_GCE ? PAGE_UNMEASURED : PAGE_ZERO);
    case PP_SECTION_SECRETS:
        return add_pages(d, s, PAGE_SECRETS);
    case PP_SECTION_CPUID: /* EC2 adds it last */
        return launch->vmm == PP_VMM_EC2 ? PP_OK : add_pages(d, s, PAGE_CPUID);
    case PP_SECTION_SVSM_CAA:
        return add_pages(d, s, PAGE_ZERO);
    case PP_SECTION_KERNEL_HASHES:
        return add_kernel_hashes(d, launch, s);
    default:
        return PP_FAIL(PP_E_UNSUPPORTED, s->type);
    }
}

static pp_res add_sections(struct digest *d, const struct pp_launch *launch,
                           const struct pp_firmware *f)
{
    int has_hashes = 0;

    for (size_t i = 0; i < f->section_count; i++)
        has_hashes |= f->sections[i].type == PP_SECTION_KERNEL_HASHES;
    PP_CHECK(launch->hashes == NULL || has_hashes, PP_E_MISSING, PP_SECTION_KERNEL_HASHES);
    for (size_t i = 0; i < f->section_count; i++)
        PP_TRY(add_section(d, launch, &f->sections[i]));
    for (size_t i = 0; launch->vmm == PP_VMM_EC2 && i < f->section_count; i++)
        if (f->sections[i].type == PP_SECTION_CPUID)
            PP_TRY(add_pages(d, &f->sections[i], PAGE_CPUID));
    return PP_OK;
}

/* Firmware and sections; with an SVSM it is the monitor that has the sections. */
static pp_res add_files(struct digest *d, const struct pp_launch *launch)
{
    const struct pp_firmware *f = launch->firmware;

    if (launch->firmware_digest != NULL)
        memcpy(d->ld, launch->firmware_digest, sizeof d->ld);
    else
        add_file(d, f->file, FOUR_GIB);
    if (launch->vmm != PP_VMM_SVSM)
        return add_sections(d, launch, f);
    PP_CHECK(launch->svsm != NULL && launch->svsm->svsm_entry != 0, PP_E_MISSING, 0);
    PP_CHECK(launch->hashes == NULL, PP_E_MISSING, PP_SECTION_KERNEL_HASHES);
    PP_CHECK(launch->vars_bytes % PP_LAUNCH_PAGE_BYTES == 0 &&
                 launch->vars_bytes <= PP_FIRMWARE_BYTES_MAX,
             PP_E_RANGE, launch->vars_bytes);
    add_file(d, launch->svsm->file, FOUR_GIB - f->file.len - launch->vars_bytes);
    return add_sections(d, launch, launch->svsm);
}

/* Where a processor starts. The monitor gets all of them at its one entry. */
static uint32_t start_of(const struct pp_launch *launch, uint32_t vcpu)
{
    const struct pp_firmware *f = launch->firmware;

    if (launch->vmm == PP_VMM_SVSM)
        return (uint32_t)(FOUR_GIB - f->file.len - launch->vars_bytes - launch->svsm->file.len +
                          launch->svsm->svsm_entry);
    return vcpu == 0 ? BOOT_PROCESSOR_EIP : f->ap_reset_eip;
}

static pp_res check_vcpus(const struct pp_launch *launch)
{
    PP_CHECK(launch->vcpus >= 1 && launch->vcpus <= PP_LAUNCH_VCPUS_MAX, PP_E_RANGE, launch->vcpus);
    PP_CHECK(launch->vmm == PP_VMM_SVSM || launch->firmware->ap_reset_eip != 0, PP_E_MISSING, 1);
    return PP_OK;
}

pp_res pp_launch_measure(const struct pp_launch *launch, uint8_t ret[PP_LAUNCH_DIGEST_BYTES])
{
    struct digest d = { 0 };
    uint8_t page[PP_LAUNCH_PAGE_BYTES];

    PP_TRY(check_vcpus(launch));
    PP_TRY(add_files(&d, launch));
    for (uint32_t i = 0; i < launch->vcpus; i++) {
        launch_vmsa(launch, launch->guest_features, start_of(launch, i), i == 0, page);
        add_page(&d, PAGE_VMSA, VMSA_GPA, page);
    }
    memcpy(ret, d.ld, sizeof d.ld);
    return PP_OK;
}

/* --- before SNP ------------------------------------------------------------------------------- */

static pp_res hash_kernel(struct pp_hash *h, const struct pp_launch *launch)
{
    uint8_t table[HASHES_PADDED_BYTES];
    struct pp_wr wr = pp_wr_over(table, sizeof table);

    PP_CHECK(launch->firmware->hashes_gpa != 0, PP_E_MISSING, PP_SECTION_KERNEL_HASHES);
    write_hashes(&wr, launch->hashes);
    PP_TRY(pp_wr_ok(&wr));
    pp_hash_update(h, PP_BYTES(table));
    return PP_OK;
}

pp_res pp_launch_measure_sev(const struct pp_launch *launch, enum pp_sev_mode mode,
                             uint8_t ret[PP_SHA256_BYTES])
{
    uint8_t page[PP_LAUNCH_PAGE_BYTES];
    struct pp_hash h;

    PP_CHECK(launch->vmm != PP_VMM_SVSM, PP_E_UNSUPPORTED, launch->vmm);
    pp_hash_init(&h, PP_SHA256);
    pp_hash_update(&h, launch->firmware->file);
    if (launch->hashes != NULL)
        PP_TRY(hash_kernel(&h, launch));
    if (mode == PP_SEV_ES) {
        PP_TRY(check_vcpus(launch));
        for (uint32_t i = 0; i < launch->vcpus; i++) {
            launch_vmsa(launch, 0, start_of(launch, i), i == 0, page); /* SEV_FEATURES is SNP's */
            pp_hash_update(&h, PP_BYTES(page));
        }
    }
    pp_hash_final(&h, ret);
    return PP_OK;
}

/* --- names ------------------------------------------------------------------------------------ */

static int is_named(struct pp_span text, const char *name)
{
    size_t i = 0;

    for (; i < text.len && name[i] != '\0'; i++) {
        int upper = text.at[i] >= 'A' && text.at[i] <= 'Z';
        if ((text.at[i] | (upper ? 0x20 : 0)) != name[i])
            return 0;
    }
    return i == text.len && name[i] == '\0';
}

pp_res pp_vmm_by_name(struct pp_span name, enum pp_vmm *ret)
{
    static const char *const names[] = {
        [PP_VMM_QEMU] = "qemu", [PP_VMM_EC2] = "ec2", [PP_VMM_GCE] = "gce", [PP_VMM_SVSM] = "svsm"
    };

    for (size_t i = 0; i < PP_ARRAY_COUNT(names); i++)
        if (is_named(name, names[i])) {
            *ret = (enum pp_vmm)i;
            return PP_OK;
        }
    return PP_FAIL(PP_E_NOT_FOUND, name.len);
}

uint32_t pp_vcpu_signature(uint32_t family, uint32_t model, uint32_t stepping)
{
    uint32_t extended = family > 15 ? family - 15 : 0;
    uint32_t base = family > 15 ? 15 : family;

    return extended << 20 | (model >> 4) << 16 | base << 8 | (model & 15) << 4 | stepping;
}

/* QEMU's models; a "-vN" behind the name is a version of the same processor. */
pp_res pp_vcpu_signature_by_name(struct pp_span name, uint32_t *ret)
{
    static const struct {
        const char *name;
        uint8_t family, model, stepping;
    } models[] = {
        { "EPYC", 23, 1, 2 },       { "EPYC-IBPB", 23, 1, 2 },   { "EPYC-Rome", 23, 49, 0 },
        { "EPYC-Milan", 25, 1, 1 }, { "EPYC-Genoa", 25, 17, 0 }, { "EPYC-Turin", 26, 0, 0 },
    };

    if (name.len > 3 && name.at[name.len - 3] == '-' && name.at[name.len - 2] == 'v' &&
        name.at[name.len - 1] >= '1' && name.at[name.len - 1] <= '9')
        name.len -= 3;
    for (size_t i = 0; i < PP_ARRAY_COUNT(models); i++)
        if (pp_span_eq(name, pp_span_cstr(models[i].name))) {
            *ret = pp_vcpu_signature(models[i].family, models[i].model, models[i].stepping);
            return PP_OK;
        }
    return PP_FAIL(PP_E_NOT_FOUND, name.len);
}
