/* SPDX-License-Identifier: Apache-2.0 */
/* The initial register state of a virtual processor, as the VMM writes it (AMD APM, VMSA layout).
 */
#include "launch_int.h"

#include "wr.h"

/* What a field holds, where it does not depend on the processor. */
struct field {
    uint16_t offset;
    uint8_t len; /* bytes, little-endian */
    uint64_t value;
};

struct segment {
    uint16_t offset;
    uint16_t selector, attributes;
    uint32_t limit;
    uint64_t base;
};

static void put(uint8_t page[PP_LAUNCH_PAGE_BYTES], size_t offset, size_t len, uint64_t value)
{
    PP_ASSERT(offset + len <= PP_LAUNCH_PAGE_BYTES);
    for (size_t i = 0; i < len; i++)
        page[offset + i] = (uint8_t)(value >> 8 * i);
}

static void put_segment(uint8_t page[PP_LAUNCH_PAGE_BYTES], const struct segment *s)
{
    put(page, s->offset, 2, s->selector);
    put(page, s->offset + 2U, 2, s->attributes);
    put(page, s->offset + 4U, 4, s->limit);
    put(page, s->offset + 8U, 8, s->base);
}

static void put_all(uint8_t page[PP_LAUNCH_PAGE_BYTES], const struct segment *segments,
                    size_t segment_count, const struct field *fields, size_t field_count)
{
    memset(page, 0, PP_LAUNCH_PAGE_BYTES);
    for (size_t i = 0; i < segment_count; i++)
        put_segment(page, &segments[i]);
    for (size_t i = 0; i < field_count; i++)
        put(page, fields[i].offset, fields[i].len, fields[i].value);
}

/*
 * A monitor starts in flat 32-bit mode and not as a reset processor does. The x87 control word
 * stays 0: the published figures of QEMU with COCONUT come out with 0 alone.
 */
static void svsm_vmsa(const struct pp_launch *launch, uint32_t eip,
                      uint8_t ret[PP_LAUNCH_PAGE_BYTES])
{
    const uint32_t all = UINT32_MAX;
    const struct segment segments[] = {
        { 0x000, 16, 0xC93, all, 0 },  /* ES */
        { 0x010, 8, 0xC9B, all, 0 },   /* CS */
        { 0x020, 16, 0xC93, all, 0 },  /* SS */
        { 0x030, 16, 0xC93, all, 0 },  /* DS */
        { 0x040, 16, 0xC93, all, 0 },  /* FS */
        { 0x050, 0, 0x93, 0xFFFF, 0 }, /* GS */
        { 0x060, 0, 0, 0xFFFF, 0 },    /* GDTR */
        { 0x070, 0, 0x82, 0xFFFF, 0 }, /* LDTR */
        { 0x080, 0, 0, 0xFFFF, 0 },    /* IDTR */
        { 0x090, 0, 0x8B, 0xFFFF, 0 }, /* TR */
    };
    const struct field fields[] = {
        { 0x0D0, 8, 0x1000 },                       /* EFER: SVME */
        { 0x148, 8, 0x40 },                         /* CR4: MCE */
        { 0x158, 8, 0x11 },                         /* CR0: ET, PE */
        { 0x160, 8, 0x400 },                        /* DR7 */
        { 0x168, 8, 0xFFFF0FF0 },                   /* DR6 */
        { 0x170, 8, 2 },                            /* RFLAGS */
        { 0x178, 8, eip },                          /* RIP */
        { 0x268, 8, UINT64_C(0x0007040600070406) }, /* PAT */
        { 0x310, 8, launch->vcpu_sig },             /* RDX */
        { 0x3B0, 8, 1 },                            /* SEV_FEATURES */
        { 0x3E8, 8, 1 },                            /* XCR0 */
        { 0x408, 4, 0x1F80 },                       /* MXCSR */
    };

    put_all(ret, segments, PP_ARRAY_COUNT(segments), fields, PP_ARRAY_COUNT(fields));
}

static void reset_vmsa(const struct pp_launch *launch, uint64_t features, uint32_t eip,
                       int is_boot_processor, uint8_t ret[PP_LAUNCH_PAGE_BYTES])
{
    int qemu = launch->vmm == PP_VMM_QEMU;
    int ec2 = launch->vmm == PP_VMM_EC2;
    const struct segment segments[] = {
        { 0x000, 0, 0x93, 0xFFFF, 0 }, /* ES */
        { 0x010, 0xF000, ec2 && is_boot_processor ? 0x9A : 0x9B, 0xFFFF,
          eip & 0xFFFF0000 },                       /* CS */
        { 0x020, 0, ec2 ? 0x92 : 0x93, 0xFFFF, 0 }, /* SS */
        { 0x030, 0, 0x93, 0xFFFF, 0 },              /* DS */
        { 0x040, 0, 0x93, 0xFFFF, 0 },              /* FS */
        { 0x050, 0, 0x93, 0xFFFF, 0 },              /* GS */
        { 0x060, 0, 0, 0xFFFF, 0 },                 /* GDTR */
        { 0x070, 0, 0x82, 0xFFFF, 0 },              /* LDTR */
        { 0x080, 0, 0, 0xFFFF, 0 },                 /* IDTR */
        { 0x090, 0, ec2 ? 0x83 : 0x8B, 0xFFFF, 0 }, /* TR */
    };
    const struct field fields[] = {
        { 0x0D0, 8, 0x1000 },     /* EFER: SVME */
        { 0x148, 8, 0x40 },       /* CR4: MCE */
        { 0x158, 8, 0x10 },       /* CR0: ET */
        { 0x160, 8, 0x400 },      /* DR7 */
        { 0x168, 8, 0xFFFF0FF0 }, /* DR6 */
        { 0x170, 8, 2 },          /* RFLAGS */
        { 0x178, 8, eip & 0xFFFF },
        { 0x268, 8,
          launch->vmm == PP_VMM_GCE ? UINT64_C(0x00070106)
                                    : UINT64_C(0x0007040600070406) }, /* PAT */
        { 0x310, 8, qemu ? launch->vcpu_sig : 0x600 },                /* RDX */
        { 0x3B0, 8, features },
        { 0x3E8, 8, 1 },                 /* XCR0 */
        { 0x408, 4, qemu ? 0x1F80 : 0 }, /* MXCSR */
        { 0x410, 2, qemu ? 0x037F : 0 }, /* x87 control word */
    };

    put_all(ret, segments, PP_ARRAY_COUNT(segments), fields, PP_ARRAY_COUNT(fields));
}

void launch_vmsa(const struct pp_launch *launch, uint64_t features, uint32_t eip,
                 int is_boot_processor, uint8_t ret[PP_LAUNCH_PAGE_BYTES])
{
    if (launch->vmm == PP_VMM_SVSM)
        svsm_vmsa(launch, eip, ret);
    else
        reset_vmsa(launch, features, eip, is_boot_processor, ret);
}
