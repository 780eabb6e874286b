/* SPDX-License-Identifier: GPL-2.0-or-later
 * smb2_table.h - a small table of records by two numbers, for what an SMB connection has open. */
#ifndef CCM_PROTO_SMB2_TABLE_H
#define CCM_PROTO_SMB2_TABLE_H

#include <stdbool.h>
#include <stdint.h>

/* First member of every record. */
typedef struct ccm_smb_key {
    uint64_t a, b;
    uint32_t age; /* grows with each use */
    bool used;
} ccm_smb_key;

/* Zero to begin, but for `size`. A record moves when another one is added or removed. */
typedef struct ccm_smb_table {
    uint8_t *v;
    uint32_t size; /* of a record, with its key */
    uint32_t n, cap, clock;
} ccm_smb_table;

/* NULL: there is none. */
void *ccm_smb_table_find(ccm_smb_table *t, uint64_t a, uint64_t b);
/* A record whose key is not there yet; all but its key is zero. */
void *ccm_smb_table_add(ccm_smb_table *t, uint64_t a, uint64_t b);
void ccm_smb_table_remove(ccm_smb_table *t, void *record);
/* A record that should go before one with this key comes, as too many lie where it belongs; by
 * chance they never do, but who chooses the numbers can make them. NULL: not so. */
void *ccm_smb_table_crowd(ccm_smb_table *t, uint64_t a, uint64_t b);
/* Of a few records the one that was not used for longest; NULL: the table is empty. */
void *ccm_smb_table_coldest(ccm_smb_table *t);
/* Record number `i` below `cap`, or NULL. */
void *ccm_smb_table_at(const ccm_smb_table *t, uint32_t i);
/* Frees the table, not what its records own. */
void ccm_smb_table_clear(ccm_smb_table *t);

#endif
