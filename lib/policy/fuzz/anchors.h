/* SPDX-License-Identifier: Apache-2.0 */
/* anchors.h: the policy files of lib/policy/test/world.h, whose bundles are in the corpora. */
#ifndef PP_POLICY_FUZZ_ANCHORS_H
#define PP_POLICY_FUZZ_ANCHORS_H

#define FUZZ_LOG_POLICY                                                                            \
    "log ledger.example/test+e5499917+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c\n"              \
    "witness w0 w0.example+49a9ef89+BBOY9ixtGkV8UbpqS189vS9p/KkyFiGNyJl+QWvRfZPK\n"                \
    "witness w1 w1.example+4c341d8c+BP0XJDhaoMdbZPt4zWAvodmR/ev3axPFjtcC6sg16fYY\n"                \
    "witness w2 w2.example+c23ae70b+BEOnLnFEAXYt9mtowm373yaCquyfJHTspGE+QkoPuv08\n"                \
    "witness w3 w3.example+cc47b6de+BGa+fjMsekUzMr2dCn99sFX1xe8aBq2mbZizn7aBDEc6\n"                \
    "witness record record.example+24e118a5+BAtROtm0kkAVygkC7QeQRNOsXb7CMG8GlIwQ2o62458t\n"        \
    "group plain 3 w0 w1 w2 w3\n"                                                                  \
    "group all all plain record\n"                                                                 \
    "quorum all\n"
#define FUZZ_OWNER_POLICY                                                                          \
    "witness owner owner.example+0334269d+AYE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU\n"          \
    "quorum owner\n"
#define FUZZ_REVIEW_POLICY                                                                         \
    "witness alice alice.example+dc65833d+Ae1JKMYo0cLG6ukDOJBZlWEpWSc6XGP5NjbBRhSshzfR\n"          \
    "witness bob bob.example+61b08fd7+AcqTrBcFGHBx1nuDx/8O/oEI6OxFMFdddyaHkzPb2r58\n"              \
    "witness carol carol.example+ffc04dc0+AW56HN0psLeP0Tr0xVmP7/TvKpcWbjym8uT7/M2AUFvx\n"          \
    "group two 2 alice bob carol\n"                                                                \
    "quorum two\n"

#endif
