/* SPDX-License-Identifier: Apache-2.0 */
/*
 * binding.pml: who can make whom accept which session (docs/formal.md explains it, run.py runs it).
 *
 * Terms are small numbers, and equal numbers are equal terms. A share stands for a Diffie-Hellman
 * key pair, and its number is also that of the random that its owner draws:
 *
 *     1, 2   the devices' hellos          3      the hello of a guest that calls another guest
 *     4..6   the guests' server sessions  9      the attacker's: he has this private half alone
 *
 * TLS is perfect: what two ends have agreed on is the five numbers (shares, randoms, server key),
 * and who holds neither private half learns nothing. The attacker carries every message, repeats
 * every number, has the guests' TLS keys, sees every report, and starts any session with any guest.
 *
 * Switches, all 0 or 1. What the binding value covers:
 *     B_EXPORTER (shares, randoms and key)   B_SHARES   B_CR, B_SR (client and server random)
 *     B_SPKI     B_END ('s' or 'c')          B_MK (message key)
 * What else a verifier looks at: V_IMAGE, V_HOST, V_PATH.
 * What the attacker has: A_LEAK (TLS keys of guests), A_CHANNEL (the channel process of guest A),
 * A_STRANGER (guest B's machine is in no host-set). MUTUAL: a guest calls another one as a client.
 * R_DEVICE, R_MUTUAL: make acceptance itself the fault, so that the search finds whether it happens.
 */
#define DEVICES 2
#define SERVERS 3 /* sessions 0 and 1 are of guest A, 2 is of guest B */
#define MINE 9    /* the attacker's share */
#define CALLER 3  /* the share of the guest that calls */

#define KEY_A 1
#define KEY_B 2
#define KEY_MINE 3
#define NO_MK 0   /* a client end has no message key */
#define MY_MK 9   /* server session j has 1 + j */

#define ONE_LEAF 7
#define NOT_YET 8

#define FROM_CALLER 3  /* reports: 0..2 of server sessions, 3 of the calling guest, */
#define FROM_MINE 4    /* 4 of the attacker's own machine, which runs his program */

typedef Tls { byte cshare, sshare, cr, sr, key };

Tls device[DEVICES];
bool accepted[DEVICES];
Tls server[SERVERS];
byte served[SERVERS];    /* 0: waits; 1: handshake done; 2: has a report */
byte beside[SERVERS];    /* the other leaf of its report, or ONE_LEAF */
bool peer[SERVERS];      /* it accepted a calling guest */
Tls caller;
byte called;             /* 0: not yet; 1: accepted a server, and has a report of its own */

/* --- the report's side and the verifier's side of B ------------------------------------------- */

#define KEY_OF(j) (j < 2 -> KEY_A : KEY_B)

/* A leaf `l` that some attester made, against what a verifier computes from its own session. */
#define SAME_TLS(l, v) \
    ((!B_EXPORTER || (l.cshare == v.cshare && l.sshare == v.sshare && l.cr == v.cr && \
                      l.sr == v.sr && l.key == v.key)) && \
     (!B_SHARES || (l.cshare == v.cshare && l.sshare == v.sshare)) && \
     (!B_CR || l.cr == v.cr) && (!B_SR || l.sr == v.sr))

#define LEAF_OF_SERVER(j, v, spki, end_is_s, mk) \
    (SAME_TLS(server[j], v) && (!B_SPKI || server[j].key == spki) && (!B_END || end_is_s) && \
     (!B_MK || 1 + j == mk))

#define LEAF_OF_CALLER(v, spki, end_is_c, mk) \
    (SAME_TLS(caller, v) && (!B_SPKI || caller.key == spki) && (!B_END || end_is_c) && \
     (!B_MK || NO_MK == mk))

/* A report of server session r: its own leaf or the one beside it, as the path says; without a look
 * at the path any shared report will do. */
#define REPORT_OF_SERVER(r, v, spki, end_is_s, mk) \
    ((!V_HOST || !A_STRANGER || r < 2) && \
     (LEAF_OF_SERVER(r, v, spki, end_is_s, mk) || \
      (beside[r] < SERVERS && (!V_PATH || LEAF_OF_SERVER(beside[r], v, spki, end_is_s, mk)))))

#define REPORT_TAKEN(r, v, spki, want_s, mk) \
    ((r < SERVERS && REPORT_OF_SERVER(r, v, spki, want_s, mk)) || \
     (r == FROM_CALLER && LEAF_OF_CALLER(v, spki, !want_s, mk)) || \
     (r == FROM_MINE && !V_IMAGE))

/* --- what must hold --------------------------------------------------------------------------- */

#define EQUAL(a, b) \
    (a.cshare == b.cshare && a.sshare == b.sshare && a.cr == b.cr && a.sr == b.sr && a.key == b.key)

/* A genuine guest computed this session as a server, on a registered machine, with this key. */
#define GUEST_AGREES(j, v, mk) \
    (served[j] == 2 && EQUAL(server[j], v) && mk == 1 + j && (!A_STRANGER || j < 2))
#define SERVER_AGREES(v, mk) \
    (GUEST_AGREES(0, v, mk) || GUEST_AGREES(1, v, mk) || GUEST_AGREES(2, v, mk))

/* --- choices of the attacker ------------------------------------------------------------------ */

/* A hello: somebody's, as it is; or his own, with any random. (Another's share under a random that is
 * not its owner's is a session that nobody can finish, and gives him no report that his own share
 * under that random does not.) */
inline choose_hello(v)
{
    if
    :: v.cshare = 1; v.cr = 1
    :: v.cshare = 2; v.cr = 2
    :: MUTUAL -> v.cshare = CALLER; v.cr = CALLER
    :: v.cshare = MINE; choose_client_random(v.cr)
    fi
}
inline choose_client_random(x) { if :: x = 1 :: x = 2 :: MUTUAL -> x = CALLER :: x = MINE fi }
inline choose_server_random(x) { if :: x = 4 :: x = 5 :: x = 6 :: x = MINE fi }
inline choose_key(x)
{
    if
    :: x = KEY_MINE
    :: A_LEAK -> x = KEY_A
    :: A_LEAK -> x = KEY_B
    fi
}
inline choose_report(x) /* of those that there are */
{
    if
    :: served[0] == 2 -> x = 0
    :: served[1] == 2 -> x = 1
    :: served[2] == 2 -> x = 2
    :: called -> x = FROM_CALLER
    :: x = FROM_MINE
    fi
}
inline choose_mk(x) { if :: x = 1 :: x = 2 :: x = 3 :: x = MY_MK fi }

/* --- steps ------------------------------------------------------------------------------------ */

/* A guest answers a ClientHello of anybody's numbers with a share and a random of its own. */
inline serve(j)
{
    choose_hello(server[j]);
    server[j].sshare = 4 + j;
    server[j].sr = 4 + j;
    server[j].key = KEY_OF(j);
    served[j] = 1;
    printf("guest %d serves: client share %d, client random %d\n", j, server[j].cshare, server[j].cr);
}

/* A channel process that was taken over tells its attester what it likes; the message key reaches
 * the attester from the worker, whatever the channel says. */
inline serve_taken_over(j)
{
    choose_hello(server[j]);
    server[j].sshare = MINE;
    server[j].sr = MINE; /* he has no use for another's: with his share no session is theirs */
    choose_key(server[j].key);
    served[j] = 1;
    printf("the taken channel of guest %d has a session attested: shares %d and %d\n", j,
           server[j].cshare, server[j].sshare);
}

inline report_one(j)
{
    beside[j] = ONE_LEAF;
    served[j] = 2;
    printf("report over session %d\n", j);
}

inline report_two(i, j)
{
    beside[i] = j;
    beside[j] = i;
    served[i] = 2;
    served[j] = 2;
    printf("one report over sessions %d and %d\n", i, j);
}

/* The far end of a client is a guest that computed the same, and what it sends arrives as it is;
 * or the attacker, with his share, and anything that he ever saw or made. */
inline meet_guest(v, j, mk, r)
{
    served[j] == 2 && server[j].cshare == v.cshare && server[j].cr == v.cr &&
        server[j].sshare == 4 + j;
    v.sshare = server[j].sshare;
    v.sr = server[j].sr;
    v.key = server[j].key;
    mk = 1 + j;
    r = j;
}

inline meet_attacker(v, mk, r)
{
    choose_report(r);
    v.sshare = MINE;
    choose_server_random(v.sr);
    choose_key(v.key);
    choose_mk(mk);
}

inline meet(v, mk, r)
{
    if
    :: meet_guest(v, 0, mk, r)
    :: meet_guest(v, 1, mk, r)
    :: meet_guest(v, 2, mk, r)
    :: meet_attacker(v, mk, r)
    fi
}

/* A refused try leaves no trace, so that the search stays small: the client is as it was. */
inline forget(v)
{
    v.sshare = 0;
    v.sr = 0;
    v.key = 0;
    mk = 0;
    r = 0;
}

inline device_decides(i)
{
    meet(device[i], mk, r);
    if
    :: REPORT_TAKEN(r, device[i], device[i].key, 1, mk) ->
        printf("device %d accepts: server share %d, server random %d, key %d, report %d, message key %d\n",
               i, device[i].sshare, device[i].sr, device[i].key, r, mk);
        assert(!R_DEVICE);
        assert(SERVER_AGREES(device[i], mk));
        accepted[i] = 1;
        mk = 0;
        r = 0
    :: else -> forget(device[i])
    fi
}

inline caller_decides()
{
    meet(caller, mk, r);
    if
    :: REPORT_TAKEN(r, caller, caller.key, 1, mk) ->
        printf("the calling guest accepts: server share %d, key %d, report %d\n", caller.sshare,
               caller.key, r);
        assert(SERVER_AGREES(caller, mk));
        called = 1;
        mk = 0;
        r = 0
    :: else -> forget(caller)
    fi
}

/* A server of the back-end kind takes Evidence of the client end. The client has no certificate: the
 * SPKI in its B is the server's, which is in the transcript anyway. */
inline server_decides(j)
{
    choose_report(r);
    if
    :: REPORT_TAKEN(r, server[j], server[j].key, 0, NO_MK) ->
        printf("guest %d accepts a calling guest: client share %d, report %d\n", j, server[j].cshare, r);
        assert(!R_MUTUAL);
        assert(called && EQUAL(caller, server[j]));
        peer[j] = 1
    :: else
    fi;
    r = 0
}

active proctype world()
{
    byte mk, r;

    d_step {
        device[0].cshare = 1; device[0].cr = 1;
        device[1].cshare = 2; device[1].cr = 2;
        caller.cshare = CALLER; caller.cr = CALLER;
    }
end:
    do
    :: atomic { served[0] == 0 && !A_CHANNEL -> serve(0) }
    :: atomic { served[0] == 0 && A_CHANNEL -> serve_taken_over(0) }
    :: atomic { served[1] == 0 -> serve(1) }
    :: atomic { served[2] == 0 -> serve(2) }
    :: atomic { served[0] == 1 -> report_one(0) }
    :: atomic { served[1] == 1 -> report_one(1) }
    :: atomic { served[2] == 1 -> report_one(2) }
    :: atomic { served[0] == 1 && served[1] == 1 -> report_two(0, 1) }
    :: atomic { !accepted[0] -> device_decides(0) }
    :: atomic { !accepted[1] -> device_decides(1) }
    :: atomic { MUTUAL && !called -> caller_decides() }
    :: atomic { MUTUAL && served[0] == 2 && !peer[0] && !A_CHANNEL -> server_decides(0) }
    :: atomic { MUTUAL && served[1] == 2 && !peer[1] -> server_decides(1) }
    :: atomic { MUTUAL && served[2] == 2 && !peer[2] -> server_decides(2) }
    od
}
