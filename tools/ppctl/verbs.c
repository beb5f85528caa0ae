/* SPDX-License-Identifier: Apache-2.0 */
/* The table of verbs; each verb has a file of its own. */
#include "verbs.h"

const struct ppctl_verb PPCTL_VERBS[] = {
#if !PP_RELEASE
    { "up", "[--fault NAME|list] [--capture] [--json]",
      "starts the whole fleet on loopback, each party its own process and folder; simulated",
      verb_up },
    { "down", "[--json]", "ends exactly what up started", verb_down },
    { "status", "[--json]", "who runs, and where each listens", verb_status },
#endif
    { "summarize", "FILE.json [--words N] [--json] [--receipt OUT] [--explain]",
      "summarises a chat privately: verified first, then sent, to one process", verb_summarize },
    { "refresh", "[--json]", "the device's scheduled fetches, for a timer; never caused by use",
      verb_refresh },
    { "verify receipt", "FILE [--json]", "checks a stored session again, offline",
      verb_verify_receipt },
    { "vectors", "TOPIC PATH [--verbose] [--json]",
      "runs test vectors of a topic: a file or a folder", verb_vectors },
    { "verify snp",
      "--report R --vek V [--chain PEM] [--crl CRL] [--at TIME] [--policy FILE] [--json]",
      "the verdict on SEV-SNP evidence, check by check, offline", verb_verify_snp },
    { "log audit", "[--log FOLDER|URL] [--trust DIR | --policy FILE --opaque] [--json]",
      "a whole log from its public files: signatures, quorum, every hash, every record",
      verb_log_audit },
    { "log show", "[--log FOLDER|URL] [--trust DIR] [--json]",
      "every record of the ledger and what is in force, checked from the first entry on",
      verb_log_show },
    { "gateway rotate", "[--keys FOLDER] [--log FOLDER] [--json]",
      "makes the gateway's next OHTTP keys ahead, and the record that puts them into the ledger",
      verb_gateway_rotate },
    { "token status", "[--json]", "what the wallet holds", verb_token_status },
    /* Behind those of two words, which are found first. */
    { "verify", "--help", "lists what can be verified", verb_verify },
    { "gateway", "--help", "lists what can be done for a gateway", verb_gateway },
    { "log", "--help", "lists what can be asked of the ledger", verb_log },
    { "token", "--help", "lists what can be asked of the wallet", verb_token },
    { 0 },
};
