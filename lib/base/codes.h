/* SPDX-License-Identifier: Apache-2.0 */
/*
 * codes.h: the registry of every result code of the project, one line each.
 *
 * X(NAME, number, class, "what happened", "what to do")
 *
 * Numbers are never reused and never renumbered. The class is what a person and an exit status see
 * (ppctl(1)); the name is the precise local code that a test asserts and a receipt stores.
 * Texts are constants: no byte of a user, a peer or a key can reach them.
 */
#ifndef PP_CODES_H
#define PP_CODES_H

#include <stdint.h>

enum pp_class {
    PP_CLASS_OK = 0,       /* done */
    PP_CLASS_FAILED = 1,   /* internal or network failure */
    PP_CLASS_USAGE = 2,    /* the caller's input or configuration */
    PP_CLASS_REFUSED = 3,  /* verification failed, nothing was sent */
    PP_CLASS_SETTINGS = 4, /* refused by the user's own settings */
    PP_CLASS_BUSY = 5,     /* busy or out of tokens */
};

/* clang-format off */
#define PP_CODES(X)                                                                                 \
    X(OK,                   0, OK,       "done", "")                                                \
    /* Bytes and shapes. */                                                                         \
    X(TRUNCATED,            1, FAILED,   "the input ends too early", "send the whole input")        \
    X(TRAILING,             2, FAILED,   "bytes are left after the end", "remove the extra bytes")  \
    X(RANGE,                3, FAILED,   "a value is outside its limits", "keep to the documented limits") \
    X(FORMAT,               4, FAILED,   "the input does not follow its format", "check the input against its specification") \
    X(ENCODING,             5, FAILED,   "a value is not in its one permitted encoding", "use the canonical encoding") \
    X(DUPLICATE,            6, FAILED,   "a field occurs twice", "give it once")                    \
    X(ORDER,                7, FAILED,   "fields are out of order", "use the documented order")     \
    X(UNKNOWN_FIELD,        8, FAILED,   "a field is not known", "remove it or correct its name")   \
    X(MISSING,              9, FAILED,   "a mandatory field is missing", "add it")                  \
    X(LIMIT,               10, FAILED,   "a size limit is exceeded", "send less")                   \
    X(UNSUPPORTED,         11, FAILED,   "an algorithm or version is not supported", "use a supported one") \
    X(UTF8,                12, FAILED,   "text is not valid UTF-8", "convert it to UTF-8")          \
    X(MISMATCH,            13, FAILED,   "two values that must agree differ", "check which party is wrong") \
    X(NO_SPACE,            14, FAILED,   "the output buffer is full", "use a larger buffer")        \
    /* The program and its machine. */                                                              \
    X(NO_MEMORY,           20, FAILED,   "out of memory", "free memory and try again")              \
    X(SYSTEM,              21, FAILED,   "a system call failed (detail is errno)", "look up the errno") \
    X(CRYPTO,              22, FAILED,   "a cryptographic library call failed", "check the installed libraries") \
    X(RANDOM,              23, FAILED,   "no random bytes", "check the system's random source")     \
    X(STATE,               24, FAILED,   "the call does not fit the object's state", "report this as a bug") \
    X(CLOSED,              25, FAILED,   "the peer closed the connection", "check that the peer runs") \
    X(TIMEOUT,             26, FAILED,   "a deadline passed", "try again later")                    \
    X(BUSY,                27, BUSY,     "the service is busy", "try again later")                  \
    X(NETWORK,             28, FAILED,   "the network failed", "check that the party runs and can be reached") \
    X(STORE,               29, FAILED,   "a store failed", "check the disk and the store's file")   \
    X(NOT_FOUND,           30, FAILED,   "not found", "check the name")                             \
    X(EXISTS,              31, FAILED,   "it exists already", "use another name or remove it first") \
    X(HTTP_STATUS,         32, FAILED,   "the server answered with another status than expected (detail is the status)", "check the party that answered") \
    X(CHILD,               33, FAILED,   "a child process failed", "read its messages on standard error") \
    X(DISK_FULL,           34, FAILED,   "the disk is full", "free space and try again")            \
    X(CANCELLED,           35, FAILED,   "cancelled", "")                                           \
    X(SIGNER_GONE,         36, FAILED,   "the signer program has ended", "start it with this program again") \
    X(SIGNER_LATE,         37, FAILED,   "the signer program did not answer in time", "check what it waits for") \
    X(SIGNER_WRONG,        38, FAILED,   "the signer program gave a signature that is not of its key", "check which key it uses; it must be that of the vkey") \
    /* What a person gave us. */                                                                    \
    X(USAGE,               40, USAGE,    "the call is wrong", "see --help")                         \
    X(CONFIG,              41, USAGE,    "the configuration is wrong", "correct the named key")     \
    X(INPUT,               42, USAGE,    "the input file is wrong", "correct the named field")      \
    X(STATE_IN_USE,        43, USAGE,    "the state folder is in use", "stop what runs there, or choose another --state") \
    X(STATE_ABSENT,        44, USAGE,    "the state folder holds no fleet", "run ppctl up with the same --state") \
    X(PORT_TAKEN,          45, USAGE,    "the address is taken", "free it or choose port 0")        \
    X(PROGRAM_ABSENT,      46, USAGE,    "a program of the fleet is missing", "build it with make") \
    X(TOO_LARGE,           47, USAGE,    "the request does not fit the largest bucket", "select fewer messages") \
    X(CONSENT,             50, SETTINGS, "consent is not given", "allow private processing in the settings") \
    X(CHAT_CLOSED,         51, SETTINGS, "this chat is closed to AI", "nothing: its members decided so") \
    X(NO_TOKENS,           55, BUSY,     "no token can be spent now", "wait for the next scheduled batch") \
    X(RELEASE_PENDING,     56, BUSY,     "the release is on its way and not there yet", "run the same again after the next full hour") \
    /* Cryptographic refusals inside one message. */                                                \
    X(UNVERIFIED,          60, REFUSED,  "not verified", "do not send anything")                    \
    X(AUTH,                61, FAILED,   "a message could not be opened", "nothing: it was not made for this key") \
    X(SIGNATURE,           62, REFUSED,  "a signature is wrong", "do not trust the signed bytes")   \
    X(KEY,                 63, FAILED,   "a key is malformed or unacceptable", "use a valid key")   \
    X(PROOF,               64, REFUSED,  "a proof is wrong", "do not trust what it claims")         \
    X(REPLAY,              65, FAILED,   "this message was seen before", "do not send it twice")    \
    X(SPENT,               66, FAILED,   "the token is spent", "use another token")                 \
    X(TOKEN_REFUSED,       67, FAILED,   "the gateway refused the token", "nothing: the token is gone, the next tap uses another") \
    X(SESSION_GONE,        68, FAILED,   "the session has ended", "tap again")                      \
    X(ANSWER_TRUNCATED,    69, FAILED,   "the answer ended before its end mark", "tap again; report the relay if it repeats") \
    X(ANSWER_REFUSED,      70, FAILED,   "the guard refused the answer", "change the request")      \
    X(ANSWER_FAILED,       71, FAILED,   "the engine gave no summary", "a chat of greetings alone holds nothing worth a summary; else try again later") \
    X(NO_CVM,              72, BUSY,     "the service can open no session now", "try again later")  \
    /* Tokens, as the device sees them (W1, W2). */                                    \
    X(ISSUER_KEY,          80, REFUSED,  "the issuer did not use the token key that the ledger lists", "do not use this issuer; report it to the ledger monitor") \
    X(ISSUER_PROOF,        81, REFUSED,  "the issuer's batch proof is malformed", "do not use this issuer") \
    X(OHTTP_KEY,           82, REFUSED,  "the OHTTP key is not the one that the ledger lists", "do not use this gateway; report it to the ledger monitor") \
    /* Trust file and environment (pp-wire 1, 10). */                                               \
    X(TRUST,               90, REFUSED,  "the trust anchors are unusable", "install the app's own trust anchors") \
    X(ENVIRONMENT,         91, REFUSED,  "this belongs to another environment", "use the environment that this build is made for") \
    X(MARKS,               92, REFUSED,  "this device's high-water marks are damaged", "restore the file; deleted by hand, this is a new device: it takes any status that was ever the last") \
    /* Releases on their way (docs/protocol/release.md). */                                         \
    X(RELEASE_BUILDERS,    93, REFUSED,  "the image was not built identically by two builders", "find out why the builds differ before anything is signed") \
    X(RELEASE_FILE,        94, REFUSED,  "a file is not the one that was signed", "use the very files that the manifest was made from") \
    X(RELEASE_TIME,        95, REFUSED,  "the release's times cannot be kept any more, or not yet", "make a new record with later times, or wait") \
    /* Ledger (transparency-log B6). */                                                             \
    X(LEDGER_FORMAT,      100, REFUSED,  "the directory bundle is malformed", "fetch it from another mirror; report this one") \
    X(LEDGER_ORIGIN,      101, REFUSED,  "the checkpoint is of another log", "report the mirror")    \
    X(LEDGER_SIGNATURE,   102, REFUSED,  "the log's signature is missing or wrong", "report the mirror") \
    X(LEDGER_QUORUM,      103, REFUSED,  "too few plain witnesses cosigned", "wait for the next bundle; report it if it repeats") \
    X(LEDGER_RECORD_WITNESS, 104, REFUSED, "the record witness did not cosign", "wait for the next bundle; report it if it repeats") \
    X(LEDGER_PROOF,       105, REFUSED,  "an inclusion proof is wrong", "report the mirror")         \
    X(LEDGER_NOT_LAST,    106, REFUSED,  "the status record is not the last entry", "report the log") \
    X(LEDGER_STALE,       107, REFUSED,  "the ledger status is too old", "wait for a fresh bundle; check this device's clock") \
    X(LEDGER_FUTURE,      108, REFUSED,  "the ledger status is from the future", "check this device's clock") \
    X(LEDGER_ROLLBACK,    109, REFUSED,  "the ledger status is older than one seen before", "report the mirror: it serves old bundles") \
    X(LEDGER_RECORD,      110, REFUSED,  "a ledger record is malformed", "report the log")           \
    X(LEDGER_NAMESPACE,   111, REFUSED,  "a record is of another ledger, namespace, environment or role", "report the log") \
    X(LEDGER_SIGNER,      112, REFUSED,  "a record lacks the signatures it needs", "report the log")  \
    X(LEDGER_WINDOW,      113, REFUSED,  "a record is outside its validity", "wait for the next bundle") \
    X(LEDGER_SERIAL,      114, REFUSED,  "a record is older than the status allows", "report the mirror") \
    X(LEDGER_UNLISTED,    115, REFUSED,  "the status does not list this record", "the far end runs something unpublished: report it") \
    X(LEDGER_REVOKED,     116, REFUSED,  "the record is revoked", "the far end runs a revoked program: report it") \
    X(LEDGER_MEASUREMENT, 117, REFUSED,  "the measurement is in no row of the release", "the far end runs something unpublished: report it") \
    X(LEDGER_HOST,        118, REFUSED,  "this machine is not in the host-set", "the far end is not a registered machine: report it") \
    X(LEDGER_KEYS,        119, REFUSED,  "the status lists no key for now", "wait for the next bundle") \
    X(LEDGER_SPLIT,       120, REFUSED,  "two mirrors disagree", "keep the evidence file and report both") \
    X(LEDGER_NOT_YET,     121, REFUSED,  "no release is in force yet", "wait for the next bundle")   \
    X(LEDGER_TWO_ROLES,   122, REFUSED,  "one measurement stands in two roles", "report the log")    \
    X(LEDGER_STATUS,      123, REFUSED,  "a status record does not say what the records in force say", "report the log") \
    /* TLS and Evidence framing (ra-tls 12). */                                                     \
    X(TLS_ALERT,          130, REFUSED,  "the TLS handshake failed", "try again; report it if it repeats") \
    X(TLS_VERSION,        131, REFUSED,  "the far end did not speak TLS 1.3", "report the operator")  \
    X(TLS_SUITE,          132, REFUSED,  "the far end chose an unlisted suite, group or extension", "report the operator") \
    X(TLS_RETRY,          133, REFUSED,  "the far end asked for another ClientHello", "report the operator") \
    X(TLS_RESUMPTION,     134, REFUSED,  "the far end tried to resume or to issue a ticket", "report the operator") \
    X(TLS_EARLY_DATA,     135, REFUSED,  "the far end spoke of early data", "report the operator")    \
    X(TLS_CERTIFICATE,    136, REFUSED,  "the session certificate is not of the profile", "report the operator") \
    X(TLS_TRUNCATED,      137, REFUSED,  "the first flight is incomplete", "try again; report the relay if it repeats") \
    X(TLS_MESSAGE,        138, REFUSED,  "the far end sent a handshake message that the profile does not have", "report the operator") \
    X(NO_EVIDENCE,        140, REFUSED,  "no Evidence came", "report the operator")                   \
    X(EVIDENCE_TWICE,     141, REFUSED,  "more than one Evidence message came", "report the operator") \
    X(EVIDENCE_SIZE,      142, REFUSED,  "the Evidence has another size than the profile's", "report the operator") \
    X(EVIDENCE_FORMAT,    143, REFUSED,  "the Evidence is malformed", "report the operator")          \
    X(EVIDENCE_TEE_UNKNOWN, 144, REFUSED, "the Evidence is of a platform that the trust anchors do not name", "report the operator") \
    X(EVIDENCE_TIMEOUT,   145, REFUSED,  "the Evidence did not come in time", "try again later")      \
    X(MESSAGE_ORDER,      146, FAILED,   "a message came out of order", "report the operator")        \
    X(MESSAGE_KEY,        147, REFUSED,  "the message key is not of the policy's KEM", "report the operator") \
    X(BACKEND,            148, REFUSED,  "a back-end is not one that the status allows", "report the operator") \
    X(ADVISORY,           149, REFUSED,  "a known attack applies to this machine", "the operator must use machines to which it does not apply") \
    /* Policy files (transparency-log A10, B1, B7), as ppctl log lint judges them. */               \
    X(POLICY_LOG,         150, REFUSED,  "the policy does not name one log", "list the key of the one log, and while it changes its old and its new one") \
    X(POLICY_SHAPE,       151, REFUSED,  "the quorum is not of the ledger's shape", "ask for all of {k of n plain witnesses, one record witness}") \
    X(POLICY_QUORUM,      152, REFUSED,  "so few witnesses are needed that one of them and the log can show two histories", "need more of them: 3 of 3, 3 of 4, 4 of 5") \
    X(POLICY_MONITORS,    153, REFUSED,  "monitors are content with less than clients", "give monitors at least the clients' quorum, and their witnesses") \
    X(POLICY_KEY_TWICE,   154, REFUSED,  "one key stands in two places", "give every party a key of its own") \
    X(POLICY_PARTIES,     155, REFUSED,  "an owner is also a reviewer", "let others review than those who own") \
    X(POLICY_NOBODY,      156, REFUSED,  "the quorum asks for nobody", "say who has to sign")        \
    /* A witness's answers, where no HTTP status says them (C2SP tlog-witness). */                  \
    X(WITNESS_REQUEST,    157, REFUSED,  "this is neither an add-checkpoint request nor a checkpoint", "send \"old SIZE\", the proof, an empty line and the checkpoint") \
    X(WITNESS_CONFLICT,   158, REFUSED,  "another size was cosigned last", "send a proof from that size") \
    X(WITNESS_REFUSED,    159, REFUSED,  "this tree does not continue the one that was cosigned last", "keep both checkpoints and report the log") \
    /* SNP appraisal, the 23 checks (snp-attestation 9). */                                         \
    X(SNP_FORMAT,         160, REFUSED,  "the report is malformed", "report the operator")            \
    X(SNP_KEY_INFO,       161, REFUSED,  "the report's signer kind is not allowed", "report the operator") \
    X(SNP_CERT_FORM,      162, REFUSED,  "the chip's certificate is not of AMD's form", "report the operator") \
    X(SNP_CHAIN,          163, REFUSED,  "the chip's certificate does not lead to the pinned root", "report the operator") \
    X(SNP_REVOKED,        164, REFUSED,  "the vendor revoked a certificate", "report the operator")   \
    X(SNP_CRL_STALE,      165, REFUSED,  "the vendor's revocation list is missing or stale", "wait for a fresh bundle") \
    X(SNP_PRODUCT,        166, REFUSED,  "the product line is unknown or not allowed", "report the operator") \
    X(SNP_SIGNATURE,      167, REFUSED,  "the report's signature is wrong", "report the operator")    \
    X(SNP_HWID,           168, REFUSED,  "the certificate is of another chip", "report the operator") \
    X(SNP_TCB_CERT,       169, REFUSED,  "the certified patch level is not the reported one", "report the operator") \
    X(SNP_TCB_ORDER,      170, REFUSED,  "the patch levels contradict each other", "report the operator") \
    X(SNP_PROVISIONAL,    171, REFUSED,  "the firmware is provisional", "the operator must commit its firmware") \
    X(SNP_TCB_MIN,        172, REFUSED,  "the patch level is below the minimum", "the operator must update its machines") \
    X(SNP_FW_MIN,         173, REFUSED,  "the firmware is below the minimum", "the operator must update its machines") \
    X(SNP_MITIGATION,     174, REFUSED,  "a required mitigation is off", "the operator must update its machines") \
    X(SNP_POLICY,         175, REFUSED,  "the guest policy is not acceptable", "report the operator") \
    X(SNP_PLATFORM,       176, REFUSED,  "the platform's state is not acceptable", "report the operator") \
    X(SNP_VMPL,           177, REFUSED,  "the privilege level is not the expected one", "report the operator") \
    X(SNP_MIGRATION,      178, REFUSED,  "a migration agent is bound", "report the operator")         \
    X(SNP_MEASUREMENT,    179, REFUSED,  "the measurement is not an accepted one", "the far end runs something unpublished: report it") \
    X(SNP_HOST_DATA,      180, REFUSED,  "the configuration is not the published one", "the far end runs an unpublished configuration: report it") \
    X(SNP_ID_BLOCK,       181, REFUSED,  "the ID block is not an accepted one", "report the operator") \
    X(SNP_HOST_ID,        182, REFUSED,  "this chip is not in the published host list", "the far end is not a registered machine: report it") \
    X(SNP_BINDING,        183, REFUSED,  "the report is not bound to this connection", "somebody stands between: report the operator") \
    /* The files of a log, to whoever reads all of them (transparency-log A4, A11). */              \
    X(LOG_MISSING,        190, REFUSED,  "a file that the log's checkpoint implies is not there", "read another mirror; report this one") \
    X(LOG_FILE,           191, REFUSED,  "a file of the log has not the form that its name says", "read another mirror; report this one") \
    X(LOG_TILE,           192, REFUSED,  "a hash tile is not what the log's entries hash to", "report the mirror: proofs made from its tiles fail") \
    X(LOG_ROOT,           193, REFUSED,  "the log's entries are not those of its checkpoint", "read another mirror; if all agree, report the log") \
    X(LOG_DIRECTORY,      194, REFUSED,  "the directory bundle is not what the log says", "report the mirror; if all agree, report the log") \
    /* People and their records, before a log sees them. */                                         \
    X(SIGNED_ALREADY,     200, USAGE,    "this key has signed this record already", "nothing: a signature counts once") \
    X(NOT_A_SIGNER,       201, REFUSED,  "this key is none of those that have to sign such a record", "sign with a listed key, or correct the place") \
    X(SIGNATURES,         202, REFUSED,  "signatures that the record needs are missing or wrong", "get them from the people that are named as missing") \
    X(TOO_LATE,           203, REFUSED,  "the ledger would not take this in time any more", "make a record whose window begins later") \
    X(HOST_PRODUCT,       204, REFUSED,  "machines of this product line are not registered", "register genoa, turin or tdx machines") \
    X(LOG_REFUSED,        205, REFUSED,  "the log refused a record; nothing of the batch was kept", "correct the named record and submit all of it again") \
    /* What a monitor finds in a ledger (docs/ledger.md). */                                        \
    X(LEDGER_FORK,        220, REFUSED,  "the log signed two trees that contradict each other", "publish the evidence folder: this log can no longer be believed") \
    X(LEDGER_REWIND,      221, REFUSED,  "an older tree was shown after a newer one", "keep the evidence folder and ask who serves it") \
    X(LEDGER_WITNESS,     222, REFUSED,  "a witness cosigned trees that contradict each other", "publish the evidence folder: this witness has to leave the policy") \
    X(LEDGER_WITNESS_SLOW, 223, REFUSED, "a witness has not cosigned for long", "ask its operator")    \
    X(LEDGER_LATE,        224, REFUSED,  "a publication is late", "ask the log's operator")          \
    X(LEDGER_WITHHELD,    225, REFUSED,  "an acknowledged record is not in the log", "publish the acknowledgement") \
    X(LEDGER_BACKDATED,   226, REFUSED,  "a status is dated before a time at which the log was smaller", "publish the evidence folder") \
    X(LEDGER_UNPUBLISHED, 227, REFUSED,  "what a record names is not public", "ask who signed the record; use nothing of it") \
    X(LEDGER_EXPIRING,    228, REFUSED,  "a record runs out and nothing follows it", "the operator must publish the next one") \
    /* TDX appraisal, the 20 checks (tdx-attestation 7). */                                         \
    X(TDX_FORMAT,         240, REFUSED,  "the quote is malformed", "report the operator")             \
    X(TDX_PCK_CHAIN,      241, REFUSED,  "the platform's certificate does not lead to the pinned root", "report the operator") \
    X(TDX_CRL_STALE,      242, REFUSED,  "the vendor's revocation list is missing or not in force", "wait for a fresh bundle; check this device's clock") \
    X(TDX_CRL_SIGNATURE,  243, REFUSED,  "a revocation list is not the vendor's", "report the mirror")  \
    X(TDX_REVOKED,        244, REFUSED,  "the vendor revoked a certificate", "report the operator")   \
    X(TDX_TCBINFO_SIGNATURE, 245, REFUSED, "the platform's TCB info is missing or not signed by the vendor", "report the mirror") \
    X(TDX_TCBINFO_FORMAT, 246, REFUSED,  "the platform's TCB info is malformed", "report the mirror") \
    X(TDX_TCBINFO_TIME,   247, REFUSED,  "the platform's TCB info is not in force", "wait for a fresh bundle; check this device's clock") \
    X(TDX_TCBINFO_FMSPC,  248, REFUSED,  "the TCB info is of another platform", "report the mirror")  \
    X(TDX_QEID_SIGNATURE, 249, REFUSED,  "the quoting enclave's identity is missing or not signed by the vendor", "report the mirror") \
    X(TDX_QEID_FORMAT,    250, REFUSED,  "the quoting enclave's identity is malformed", "report the mirror") \
    X(TDX_QEID_TIME,      251, REFUSED,  "the quoting enclave's identity is not in force", "wait for a fresh bundle; check this device's clock") \
    X(TDX_QUOTE_SIG,      252, REFUSED,  "the quote's signature is wrong", "report the operator")     \
    X(TDX_QE_SIG,         253, REFUSED,  "the quoting enclave's report is not signed by the platform", "report the operator") \
    X(TDX_AK_BIND,        254, REFUSED,  "the attestation key is not the quoting enclave's", "report the operator") \
    X(TDX_QE_ID,          255, REFUSED,  "the quote was made by another enclave than the vendor's", "report the operator") \
    X(TDX_QE_TCB,         256, REFUSED,  "the quoting enclave is older than any that the vendor lists", "the operator must update its machines") \
    X(TDX_SEAM,           257, REFUSED,  "the TDX module is not one that the vendor lists", "report the operator") \
    X(TDX_TCB_NONE,       258, REFUSED,  "the platform is older than any that the vendor lists", "the operator must update its machines") \
    X(TDX_TCB_MIN,        259, REFUSED,  "the patch level is below the minimum", "the operator must update its machines") \
    X(TDX_TCB_MODULE,     260, REFUSED,  "the TDX module is older than any that the vendor lists", "the operator must update its machines") \
    X(TDX_TCB_STATUS,     261, REFUSED,  "the platform's patch state is not acceptable", "the operator must update its machines") \
    X(TDX_TCB_EVAL,       262, REFUSED,  "the patch state was judged by too old a list", "wait for a fresh bundle") \
    X(TDX_TD_ATTR,        263, REFUSED,  "the guest's attributes are not acceptable", "report the operator") \
    X(TDX_XFAM,           264, REFUSED,  "the guest's processor features are not acceptable", "report the operator") \
    X(TDX_SEAM_PIN,       265, REFUSED,  "the TDX module is not an accepted one", "report the operator") \
    X(TDX_MEASUREMENT,    266, REFUSED,  "the measurement is not an accepted one", "the far end runs something unpublished: report it") \
    X(TDX_SERVICE_TD,     267, REFUSED,  "a service or migration guest is bound", "report the operator") \
    X(TDX_BINDING,        268, REFUSED,  "the quote is not bound to this connection", "somebody stands between: report the operator") \
    X(TDX_HOST_ID,        269, REFUSED,  "this machine is not in the published host list", "the far end is not a registered machine: report it") \
    /* NVIDIA GPUs, the 19 checks (gpu.md), and what is left when no reference values came. */      \
    X(GPU_FORMAT,          270, REFUSED,  "the GPU's report is malformed", "report the operator") \
    X(GPU_NONCE,           271, REFUSED,  "the GPU's report answers another question", "somebody repeats an old report: report the operator") \
    X(GPU_CHAIN,           272, REFUSED,  "the GPU's certificates are no chain", "report the operator") \
    X(GPU_ROOT,            273, REFUSED,  "the GPU's certificates do not lead to the pinned root", "report the operator") \
    X(GPU_FWID,            274, REFUSED,  "the GPU's certificate is of another firmware", "report the operator") \
    X(GPU_SIGNATURE,       275, REFUSED,  "the signature of the GPU's report is wrong", "report the operator") \
    X(GPU_ARCH,            276, REFUSED,  "the GPU is of a generation that is not accepted", "report the operator") \
    X(GPU_MODE,            277, REFUSED,  "the GPU is not in an accepted mode", "the operator must give each guest one GPU of its own") \
    X(GPU_DRIVER_VERSION,  278, REFUSED,  "the GPU's driver is not an accepted one", "the operator must update its machines") \
    X(GPU_VBIOS_VERSION,   279, REFUSED,  "the GPU's firmware is not an accepted one", "the operator must update its machines") \
    X(GPU_RIM_SET,         280, REFUSED,  "the reference values are not those that the release names", "report the operator") \
    X(GPU_RIM_FORMAT,      281, REFUSED,  "a file of reference values is malformed", "report the mirror") \
    X(GPU_RIM_DIGEST,      282, REFUSED,  "a file of reference values was changed", "report the mirror") \
    X(GPU_RIM_SIGNATURE,   283, REFUSED,  "the signature of a file of reference values is wrong", "report the mirror") \
    X(GPU_RIM_CHAIN,       284, REFUSED,  "the signer of reference values does not lead to the pinned root", "report the mirror") \
    X(GPU_RIM_EXPIRED,     285, REFUSED,  "the signer of reference values is not valid now", "the operator must publish newer ones") \
    X(GPU_RIM_CONFLICT,    286, REFUSED,  "two files give reference values for one measurement", "report the operator") \
    X(GPU_MEASUREMENT,     287, REFUSED,  "a measurement of the GPU is not a published one", "the GPU runs something unpublished: report it") \
    X(GPU_OCSP,            288, REFUSED,  "a certificate is revoked, or nothing fresh says that it is not", "wait for fresh evidence; report a revocation") \
    X(GPU_UNMEASURED,      289, REFUSED,  "the GPU's measurements were compared with nothing", "give both files of reference values")
/* clang-format on */

enum pp_code {
#define PP_CODE_ENUM(name, number, cls, text, todo) PP_E_##name = number,
    PP_CODES(PP_CODE_ENUM)
#undef PP_CODE_ENUM
};

/* The code's name without prefix ("SNP_BINDING"), its class, sentence and advice; never NULL. */
const char *pp_code_name(uint32_t code);
enum pp_class pp_code_class(uint32_t code);
const char *pp_code_text(uint32_t code);
const char *pp_code_todo(uint32_t code);

#endif
