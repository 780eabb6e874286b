/* SPDX-License-Identifier: GPL-2.0-or-later
 * smb2_names.h - the names that MS-SMB2 and MS-ERREF give to numbers. */
#ifndef CCM_PROTO_SMB2_NAMES_H
#define CCM_PROTO_SMB2_NAMES_H

#include <stdint.h>

enum {
    CCM_SMB_NEGOTIATE,
    CCM_SMB_SESSION_SETUP,
    CCM_SMB_LOGOFF,
    CCM_SMB_TREE_CONNECT,
    CCM_SMB_TREE_DISCONNECT,
    CCM_SMB_CREATE,
    CCM_SMB_CLOSE,
    CCM_SMB_FLUSH,
    CCM_SMB_READ,
    CCM_SMB_WRITE,
    CCM_SMB_LOCK,
    CCM_SMB_IOCTL,
    CCM_SMB_CANCEL,
    CCM_SMB_ECHO,
    CCM_SMB_QUERY_DIRECTORY,
    CCM_SMB_CHANGE_NOTIFY,
    CCM_SMB_QUERY_INFO,
    CCM_SMB_SET_INFO,
    CCM_SMB_OPLOCK_BREAK,
    CCM_SMB_COMMANDS
};

enum {
    CCM_NT_OK = 0,
    CCM_NT_PENDING = 0x103,
    CCM_NT_MORE_PROCESSING = 0xc0000016,
};

/* "CREATE"; NULL for an unknown number. */
const char *ccm_smb_command_name(unsigned command);
/* "3.1.1", "2.???" for the wildcard; NULL for an unknown number. */
const char *ccm_smb_dialect_name(unsigned dialect);
/* "STATUS_LOGON_FAILURE"; NULL where the number must do. */
const char *ccm_nt_status_name(uint32_t status);
/* CreateDisposition: "create", "open-if" ...; NULL for an unknown number. */
const char *ccm_smb_disposition_name(uint32_t disposition);
/* CreateAction: "opened", "created" ...; NULL for an unknown number. */
const char *ccm_smb_action_name(uint32_t action);
/* ShareType: "disk", "pipe", "print"; NULL for an unknown number. */
const char *ccm_smb_share_type_name(unsigned type);
/* Algorithms of negotiate contexts; NULL for an unknown number. */
const char *ccm_smb_cipher_name(unsigned id);
const char *ccm_smb_signing_name(unsigned id);
const char *ccm_smb_compression_name(unsigned id);

#endif
