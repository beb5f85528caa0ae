/* SPDX-License-Identifier: Apache-2.0 */
/* The host-set (docs/protocol/ledger.md, "host-set"). */
#include "harness.h"

#include "hosts.h"

enum { HOSTS = 21 };

static struct pp_host host(enum pp_host_platform platform, uint8_t fill, size_t len)
{
    uint8_t id[PP_HOST_ID_BYTES];
    struct pp_host h;

    memset(id, fill, sizeof id);
    assert_ok(pp_host_make(platform, pp_span(id, len), &h));
    return h;
}

static void make(struct pp_host hosts[HOSTS])
{
    for (uint8_t i = 0; i < HOSTS; i++)
        hosts[i] = host(i % 3 == 0 ? PP_HOST_TDX : PP_HOST_SNP, (uint8_t)(200 - i * 5),
                        i % 2 == 0 ? 64 : 16);
    assert_ok(pp_hosts_sort(hosts, HOSTS));
}

static void the_entry_is_the_platform_and_the_padded_id(void **state)
{
    (void)state;
    struct pp_host h = host(PP_HOST_TDX, 0xab, 16);

    assert_int_equal(h.entry[0], 2);
    for (size_t i = 1; i < sizeof h.entry; i++)
        assert_int_equal(h.entry[i], i <= 16 ? 0xab : 0);
    assert_code(pp_host_make(PP_HOST_SNP, pp_span(NULL, 0), &h), PP_E_RANGE);
    uint8_t long_id[65] = { 0 };
    assert_code(pp_host_make(PP_HOST_SNP, PP_BYTES(long_id), &h), PP_E_RANGE);
}

static void every_machine_has_a_path_to_the_root(void **state)
{
    (void)state;
    struct pp_host hosts[HOSTS];
    struct pp_host_set set = { .count = HOSTS };

    make(hosts);
    assert_ok(pp_hosts_root(hosts, HOSTS, &set.root));
    for (size_t i = 0; i < HOSTS; i++) {
        struct pp_merkle_path path;
        uint64_t index;
        assert_ok(pp_hosts_path(hosts, HOSTS, &hosts[i], &index, &path));
        assert_int_equal(index, i);
        assert_ok(pp_host_verify(&hosts[i], index, &path, &set));
        /* another machine, another place, another platform byte */
        struct pp_host other = hosts[(i + 1) % HOSTS];
        assert_code(pp_host_verify(&other, index, &path, &set), PP_E_LEDGER_HOST);
        assert_code(pp_host_verify(&hosts[i], (index + 1) % HOSTS, &path, &set), PP_E_LEDGER_HOST);
        other = hosts[i];
        other.entry[0] ^= 3;
        assert_code(pp_host_verify(&other, index, &path, &set), PP_E_LEDGER_HOST);
        set.count++;
        if (i == HOSTS - 1) /* a tree one larger has other paths for its last entries */
            assert_code(pp_host_verify(&hosts[i], index, &path, &set), PP_E_LEDGER_HOST);
        set.count--;
    }
}

static void a_machine_that_is_not_listed_has_no_path(void **state)
{
    (void)state;
    struct pp_host hosts[HOSTS];
    struct pp_host stranger = host(PP_HOST_SNP, 3, 64);
    struct pp_merkle_path path;
    uint64_t index;

    make(hosts);
    assert_code(pp_hosts_path(hosts, HOSTS, &stranger, &index, &path), PP_E_NOT_FOUND);
    stranger = hosts[0];
    hosts[0] = hosts[1];
    hosts[1] = stranger; /* in a list out of order nobody is looked for */
    assert_code(pp_hosts_path(hosts, HOSTS, &hosts[2], &index, &path), PP_E_ORDER);
}

static void a_list_is_sorted_and_without_repeats(void **state)
{
    (void)state;
    struct pp_host hosts[HOSTS];
    struct pp_merkle_hash root;

    make(hosts);
    struct pp_host first = hosts[0];
    hosts[0] = hosts[1];
    assert_code(pp_hosts_root(hosts, HOSTS, &root), PP_E_DUPLICATE);
    assert_code(pp_hosts_sort(hosts, HOSTS), PP_E_DUPLICATE);
    hosts[1] = first;
    assert_code(pp_hosts_root(hosts, HOSTS, &root), PP_E_ORDER);
    assert_ok(pp_hosts_sort(hosts, HOSTS));
    assert_ok(pp_hosts_root(hosts, HOSTS, &root));
    hosts[HOSTS - 1].entry[0] = 3;
    assert_code(pp_hosts_root(hosts, HOSTS, &root), PP_E_FORMAT);
    assert_code(pp_hosts_root(hosts, 0, &root), PP_E_RANGE);
    assert_code(pp_hosts_root(hosts, (size_t)PP_HOST_SET_MAX + 1, &root), PP_E_RANGE);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(the_entry_is_the_platform_and_the_padded_id),
    cmocka_unit_test(every_machine_has_a_path_to_the_root),
    cmocka_unit_test(a_machine_that_is_not_listed_has_no_path),
    cmocka_unit_test(a_list_is_sorted_and_without_repeats),
};

PP_TEST_MAIN(TESTS)
