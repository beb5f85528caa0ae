/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulator's firmware file: zeros, and at its end the tables that measuring reads. Nothing
 * runs it; it stands in for OVMF so that the launch digest has its usual shape.
 */
#include "sim.h"

#include "tdvf.h"
#include "wr.h"

enum {
    RESET_EIP = 0x0080B004,
    SECTIONS = 5,
    METADATA_BYTES = 16 + SECTIONS * 12,
    TDX_SECTIONS = 3,
    TDX_METADATA_BYTES = 16 + TDX_SECTIONS * 32,
    TABLE_BYTES = 22 + 26 + 22 + 22 + 18,
    AFTER_TABLE_BYTES = 32,
    METADATA_FROM_END = METADATA_BYTES + TABLE_BYTES + AFTER_TABLE_BYTES,
    TDX_METADATA_FROM_END = TDX_METADATA_BYTES + METADATA_FROM_END,
};

/* Guest memory: zeroed pages, secrets, CPUID, kernel hashes, more zeroed pages. */
static const struct pp_firmware_section LAYOUT[SECTIONS] = {
    { 0x00800000, 0x9000, PP_SECTION_MEM },   { 0x00809000, 0x1000, PP_SECTION_SECRETS },
    { 0x0080A000, 0x1000, PP_SECTION_CPUID }, { 0x0080B000, 0x1000, PP_SECTION_KERNEL_HASHES },
    { 0x0080C000, 0x4000, PP_SECTION_MEM },
};

/* The same for a TDX guest: this very file, measured; the list of resources; temporary memory. */
static const struct pp_tdvf_section TDX_LAYOUT[TDX_SECTIONS] = {
    { 0, SIM_FIRMWARE_BYTES, 0xFFFFF000, SIM_FIRMWARE_BYTES, PP_TDVF_BFV, PP_TDVF_EXTEND },
    { 0, 0, 0x00809000, 0x2000, PP_TDVF_TD_HOB, 0 },
    { 0, 0, 0x00810000, 0x10000, PP_TDVF_TEMP_MEM, 0 },
};

static void write_tdx_metadata(struct pp_wr *wr)
{
    pp_wr_text(wr, "TDVF");
    pp_wr_u32le(wr, TDX_METADATA_BYTES);
    pp_wr_u32le(wr, 1);
    pp_wr_u32le(wr, TDX_SECTIONS);
    for (size_t i = 0; i < TDX_SECTIONS; i++) {
        const struct pp_tdvf_section *s = &TDX_LAYOUT[i];
        pp_wr_u32le(wr, s->data_offset);
        pp_wr_u32le(wr, s->raw_bytes);
        pp_wr_u64le(wr, s->gpa);
        pp_wr_u64le(wr, s->memory_bytes);
        pp_wr_u32le(wr, s->type);
        pp_wr_u32le(wr, s->attributes);
    }
}

static void write_metadata(struct pp_wr *wr)
{
    pp_wr_text(wr, "ASEV");
    pp_wr_u32le(wr, METADATA_BYTES);
    pp_wr_u32le(wr, 1);
    pp_wr_u32le(wr, SECTIONS);
    for (size_t i = 0; i < SECTIONS; i++) {
        pp_wr_u32le(wr, LAYOUT[i].gpa);
        pp_wr_u32le(wr, LAYOUT[i].size);
        pp_wr_u32le(wr, LAYOUT[i].type);
    }
}

static void write_entry_tail(struct pp_wr *wr, uint16_t size, struct pp_span guid)
{
    pp_wr_u16le(wr, size);
    pp_wr_span(wr, guid);
}

void sim_firmware_make(uint8_t ret[SIM_FIRMWARE_BYTES])
{
    struct pp_wr wr = pp_wr_over(ret, SIM_FIRMWARE_BYTES);

    pp_wr_fill_to(&wr, SIM_FIRMWARE_BYTES - TDX_METADATA_FROM_END);
    write_tdx_metadata(&wr);
    write_metadata(&wr);
    pp_wr_u32le(&wr, RESET_EIP); /* SEV-ES reset block */
    write_entry_tail(&wr, 22,
                     PP_STR("\xde\x71\xf7\x00\x7e\x1a\xcb\x4f\x89\x0e\x68\xc7\x7e\x2f\xb4\x4e"));
    pp_wr_u32le(&wr, LAYOUT[3].gpa); /* kernel-hashes table: GPA, size */
    pp_wr_u32le(&wr, LAYOUT[3].size);
    write_entry_tail(&wr, 26,
                     PP_STR("\x1f\x37\x55\x72\x3b\x3a\x04\x4b\x92\x7b\x1d\xa6\xef\xa8\xd4\x54"));
    pp_wr_u32le(&wr, TDX_METADATA_FROM_END); /* TDX metadata, counted from the end of the file */
    write_entry_tail(&wr, 22,
                     PP_STR("\x35\x65\x7a\xe4\x4a\x98\x98\x47\x86\x5e\x46\x85\xa7\xbf\x8e\xc2"));
    pp_wr_u32le(&wr, METADATA_FROM_END); /* SNP metadata, counted from the end of the file */
    write_entry_tail(&wr, 22,
                     PP_STR("\x66\x65\x88\xdc\x4a\x98\x98\x47\xa7\x5e\x55\x85\xa7\xbf\x67\xcc"));
    write_entry_tail(&wr, TABLE_BYTES, /* the footer of the table */
                     PP_STR("\xde\x82\xb5\x96\xb2\x1f\xf7\x45\xba\xea\xa3\x66\xc5\x5a\x08\x2d"));
    pp_wr_fill_to(&wr, SIM_FIRMWARE_BYTES);
    PP_ASSERT(pp_is_ok(pp_wr_ok(&wr)));
}

pp_res sim_measure_launch(struct pp_span firmware, struct pp_span kernel, struct pp_span initrd,
                          struct pp_span cmdline, uint32_t vcpus,
                          uint8_t ret[PP_LAUNCH_DIGEST_BYTES])
{
    struct pp_firmware parsed;
    struct pp_kernel_hashes hashes;
    struct pp_launch launch = { .firmware = &parsed,
                                .hashes = &hashes,
                                .vcpus = vcpus,
                                .vcpu_sig = pp_vcpu_signature(25, 17, 0), /* EPYC-Genoa */
                                .guest_features = 1,
                                .vmm = PP_VMM_QEMU };

    PP_TRY(pp_firmware_parse(firmware, &parsed));
    pp_kernel_hashes_of(kernel, initrd, cmdline, &hashes);
    return pp_launch_measure(&launch, ret);
}
