/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The faults of `ppctl up --fault NAME`. Those with a mode are played by an adversary program of
 * tests/adversary or by the simulated secure processor; the others are made by giving genuine
 * programs wrong data.
 */
#include <string.h>

#include "fleet.h"

const struct fleet_fault FLEET_FAULTS[] = {
    /* Before anything of the user is sent: refused. */
    { FAULT_TOKEN_KEY, "token-key-unlisted", 3, "ISSUER_KEY",
      "the issuer signs with a key that the log does not list", NULL },
    { FAULT_OHTTP_KEY, "ohttp-key-unlisted", 3, "LEDGER_PROOF",
      "the directory offers another OHTTP key than the logged one", NULL },
    { FAULT_PROGRAM, "program-changed", 3, "LEDGER_MEASUREMENT",
      "the CVM's program was changed by one byte after its release", NULL },
    { FAULT_CONFIG, "config-changed", 3, "SNP_HOST_DATA",
      "the CVM's configuration was changed by one byte", NULL },
    { FAULT_MEASUREMENT, "measurement-unlogged", 3, "LEDGER_MEASUREMENT",
      "the CVM was launched in a shape that no release row lists", NULL },
    { FAULT_COSIGNATURE, "cosignature-missing", 3, "LEDGER_QUORUM",
      "one plain witness too few cosigned", NULL },
    { FAULT_RECORD_WITNESS, "record-witness-missing", 3, "LEDGER_RECORD_WITNESS",
      "the record witness did not cosign", NULL },
    { FAULT_STATUS_STALE, "status-stale", 3, "LEDGER_STALE",
      "the status record and its cosignatures are more than a day old", NULL },
    { FAULT_STATUS_ROLLBACK, "status-rolled-back", 3, "LEDGER_ROLLBACK",
      "the mirror serves an older status than the device has seen", NULL },
    { FAULT_REVOKED, "release-revoked", 3, "LEDGER_REVOKED", "the running release was revoked",
      NULL },
    { FAULT_CHIP, "chip-unregistered", 3, "LEDGER_HOST",
      "the machine's chip is not in the host-set", NULL },
    { FAULT_REPORT_REPLAY, "report-replayed", 3, "SNP_BINDING",
      "the report of another session is shown", "replay" },
    { FAULT_REPORT_KEY, "report-for-other-key", 3, "SNP_BINDING",
      "the report was made for another TLS key", "other-key" },
    { FAULT_RELAY_ATTACK, "relay-attack", 3, "SNP_BINDING",
      "a man in the middle holds the CVM's TLS key and uses the CVM as evidence oracle", "relay" },
    { FAULT_MESSAGE_KEY, "message-key-substituted", 3, "SNP_BINDING",
      "the worker's message key was replaced", "message-key" },
    { FAULT_KEM_CLASSICAL, "message-key-classical", 3, "MESSAGE_KEY",
      "the CVM was released with a classical message key, and the policy wants the hybrid one",
      NULL },
    { FAULT_KEM_HYBRID, "message-key-hybrid", 3, "MESSAGE_KEY",
      "the policy says classical, and the CVM has a hybrid message key", NULL },
    { FAULT_DEBUG, "debug-guest", 3, "SNP_POLICY", "the guest was launched with debugging allowed",
      NULL },
    { FAULT_TCB_MIN, "tcb-below-minimum", 3, "SNP_TCB_MIN",
      "the machine's patch level is one below the minimum", NULL },
    { FAULT_PLATFORM_REVOKED, "platform-revoked", 3, NULL,
      "the vendor's revocation list names the machine's certificate", NULL },
    { FAULT_COLLATERAL, "collateral-missing", 3, NULL,
      "the directory lacks what the vendor says of such machines", NULL },
    { FAULT_TCB_CERT, "tcb-certified-other", 3, "SNP_TCB_CERT",
      "the chip's certificate certifies another patch level than the report says", "tcb-claim" },
    { FAULT_DEVICE_CHIP, "report-of-other-chip", 3, "SNP_HWID",
      "the report names another chip than its certificate", "other-chip" },
    { FAULT_DEVICE_UNSIGNED, "report-unsigned", 3, "SNP_SIGNATURE",
      "the report's signature does not verify", "unsigned" },
    { FAULT_DEVICE_GPU, "gpu-debug", 3, "GPU_MEASUREMENT",
      "the machine's GPU runs firmware of its debugging mode (a fleet with --gpu)", "gpu-debug" },
    { FAULT_EVIDENCE_MISSING, "evidence-missing", 3, "NO_EVIDENCE", "no Evidence is sent",
      "no-evidence" },
    { FAULT_EVIDENCE_TWICE, "evidence-doubled", 3, "EVIDENCE_TWICE", "Evidence is sent twice",
      "evidence-twice" },
    { FAULT_EVIDENCE_SIZE, "evidence-oversized", 3, "EVIDENCE_SIZE",
      "the Evidence message is larger than the one permitted size", "evidence-size" },
    { FAULT_TLS12, "tls-1.2", 3, "TLS_VERSION", "the far end answers with TLS 1.2", "tls12" },
    { FAULT_RETRY, "hello-retry", 3, "TLS_RETRY", "the far end asks for another ClientHello",
      "retry" },
    { FAULT_RESUMPTION, "resumption", 3, "TLS_RESUMPTION", "the far end claims to resume a session",
      "resumption" },
    { FAULT_ISSUER_PROOF, "issuer-proof-wrong", 3, "ISSUER_KEY",
      "the issuer's proof for a batch is wrong", "proof" },
    { FAULT_ISSUER_PERMUTED, "issuer-permutes", 3, "ISSUER_KEY",
      "the issuer exchanges two tokens of a batch", "permuted" },
    { FAULT_ISSUER_IDENTITY, "issuer-identity", 3, "ISSUER_PROOF",
      "the issuer puts the identity element into a batch", "identity" },
    { FAULT_ISSUER_OTHER_BATCH, "issuer-replays-batch", 3, "ISSUER_KEY",
      "the issuer answers with the batch of somebody else", "other-batch" },
    { FAULT_ISSUER_UNDER_ISSUE, "issuer-under-issues", 3, "ISSUER_PROOF",
      "the issuer gives one token fewer", "under-issue" },
    { FAULT_SIMULATED_ROOT, "simulated-root", 3, "EVIDENCE_TEE_UNKNOWN",
      "the simulated root is offered where the anchors are those of a release build", NULL },

    /* After it: ciphertext only, answered at most once. */
    { FAULT_RELAY_DROP, "relay-drops", 1, "HTTP_STATUS", "the relay drops exchange #2", "drop" },
    { FAULT_RELAY_DUPLICATE, "relay-duplicates", 1, "HTTP_STATUS",
      "the relay sends exchange #2 twice and returns the second answer", "duplicate" },
    { FAULT_RELAY_ALTER, "relay-alters", 1, "HTTP_STATUS", "the relay changes a bit of exchange #2",
      "alter" },
    { FAULT_RELAY_TRUNCATE, "relay-truncates", 1, "HTTP_STATUS", "the relay cuts exchange #2",
      "truncate" },
    { FAULT_RELAY_TRUNCATE_ANSWER, "relay-truncates-answer", 1, "ANSWER_TRUNCATED",
      "the relay cuts the answer to exchange #2", "truncate-answer" },
    { FAULT_RELAY_ADD, "relay-adds", 1, "HTTP_STATUS", "the relay adds bytes to exchange #2",
      "add" },
    { FAULT_RELAY_REORDER, "relay-reorders", 1, "FORMAT",
      "the relay returns the answer to exchange #1 in the place of that to #2", "reorder" },
    { FAULT_RELAY_TAG, "relay-tags", 1, "HTTP_STATUS",
      "the relay marks exchange #2 with a field of its own, for the gateway to see", "tag" },
    { FAULT_GATEWAY_USER_KEY, "gateway-user-key", 1, "HTTP_STATUS",
      "the gateway refuses the logged OHTTP key and offers another one", "user-key" },
    { FAULT_GATEWAY_EARLY, "gateway-answers-early", 1, "AUTH",
      "the gateway answers exchange #2 with noise before anybody computed", "early" },
    { FAULT_GATEWAY_401, "gateway-says-401", 1, "HTTP_STATUS",
      "the gateway answers exchange #2 with 401 in clear", "status-401" },
    { FAULT_GATEWAY_429, "gateway-says-429", 1, "HTTP_STATUS",
      "the gateway answers exchange #2 with 429 in clear", "status-429" },
    { FAULT_GATEWAY_503, "gateway-says-503", 1, "HTTP_STATUS",
      "the gateway answers exchange #2 with 503 in clear", "status-503" },
    { FAULT_GATEWAY_REDIRECT, "gateway-redirects", 1, "HTTP_STATUS",
      "the gateway redirects exchange #2", "redirect" },
    { FAULT_TOKEN_TWICE, "token-spent-twice", 1, "TOKEN_REFUSED",
      "the device's only token was spent before", NULL },
    { FAULT_DEVICE_STALE, "report-stale", 5, "NO_CVM",
      "the secure processor signs the request before instead of the one at hand", "stale" },
    { FAULT_WALLET_EMPTY, "wallet-empty", 5, "NO_TOKENS", "the device holds no token", NULL },
};
const size_t FLEET_FAULT_COUNT = sizeof FLEET_FAULTS / sizeof FLEET_FAULTS[0];

/* Where a machine of TDX refuses by another name, or has nothing of the kind. */
static const struct {
    enum fleet_fault_id id;
    const char *code;
} OF_TDX[] = {
    { FAULT_CONFIG, "TDX_MEASUREMENT" },   { FAULT_REPORT_REPLAY, "TDX_BINDING" },
    { FAULT_REPORT_KEY, "TDX_BINDING" },   { FAULT_RELAY_ATTACK, "TDX_BINDING" },
    { FAULT_MESSAGE_KEY, "TDX_BINDING" },  { FAULT_DEBUG, "TDX_TD_ATTR" },
    { FAULT_TCB_MIN, "TDX_TCB_STATUS" },   { FAULT_PLATFORM_REVOKED, "TDX_REVOKED" },
    { FAULT_COLLATERAL, "TDX_CRL_STALE" }, { FAULT_TCB_CERT, NULL },
    { FAULT_DEVICE_CHIP, NULL },           { FAULT_DEVICE_UNSIGNED, "TDX_QUOTE_SIG" },
};

const char *fleet_fault_code(const struct fleet_fault *fault, int is_tdx)
{
    for (size_t i = 0; is_tdx && i < sizeof OF_TDX / sizeof OF_TDX[0]; i++)
        if (OF_TDX[i].id == fault->id)
            return OF_TDX[i].code;
    return fault->code;
}

enum fleet_player fleet_fault_player(const struct fleet_fault *fault)
{
    if (fault == NULL || fault->mode == NULL)
        return FLEET_PLAYED_BY_DATA;
    if (fault->id >= FAULT_TCB_CERT && fault->id <= FAULT_DEVICE_STALE)
        return FLEET_PLAYED_BY_DEVICE;
    if (fault->id >= FAULT_ISSUER_PROOF && fault->id <= FAULT_ISSUER_UNDER_ISSUE)
        return FLEET_PLAYED_BY_ISSUER;
    if (fault->id >= FAULT_GATEWAY_USER_KEY && fault->id <= FAULT_GATEWAY_REDIRECT)
        return FLEET_PLAYED_BY_GATEWAY;
    return fault->exit_status == 3 ? FLEET_PLAYED_BY_CVM : FLEET_PLAYED_BY_RELAY;
}

const struct fleet_fault *fleet_fault_find(const char *name)
{
    for (size_t i = 0; i < FLEET_FAULT_COUNT; i++)
        if (strcmp(FLEET_FAULTS[i].name, name) == 0)
            return &FLEET_FAULTS[i];
    return NULL;
}
