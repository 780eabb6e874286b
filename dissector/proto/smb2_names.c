/* SPDX-License-Identifier: GPL-2.0-or-later
 * smb2_names.c - the names of SMB's numbers.
 * In: numbers. Out: const texts. State: none. Spec: MS-SMB2 sections 2.2.1.2 (commands), 2.2.3 and
 * 2.2.3.1 (dialects, algorithms), 2.2.10 (share types), 2.2.13 (dispositions), 2.2.14 (actions);
 * MS-ERREF section 2.3.1 (status). */
#include "proto/smb2_names.h"

#include <glib.h>

#define NAME_OF(names, i) ((i) < G_N_ELEMENTS(names) ? (names)[i] : NULL)

const char *ccm_smb_command_name(unsigned command)
{
    static const char *const names[CCM_SMB_COMMANDS] = {
        "NEGOTIATE",     "SESSION_SETUP", "LOGOFF",   "TREE_CONNECT", "TREE_DISCONNECT",
        "CREATE",        "CLOSE",         "FLUSH",    "READ",         "WRITE",
        "LOCK",          "IOCTL",         "CANCEL",   "ECHO",         "QUERY_DIRECTORY",
        "CHANGE_NOTIFY", "QUERY_INFO",    "SET_INFO", "OPLOCK_BREAK",
    };
    return NAME_OF(names, command);
}

const char *ccm_smb_dialect_name(unsigned dialect)
{
    switch (dialect) {
    case 0x0202:
        return "2.0.2";
    case 0x0210:
        return "2.1";
    case 0x02ff:
        return "2.???";
    case 0x0300:
        return "3.0";
    case 0x0302:
        return "3.0.2";
    case 0x0311:
        return "3.1.1";
    default:
        return NULL;
    }
}

const char *ccm_nt_status_name(uint32_t status)
{
    static const struct {
        uint32_t status;
        const char *name;
    } names[] = {
        { 0x00000000, "STATUS_SUCCESS" },
        { 0x00000103, "STATUS_PENDING" },
        { 0x0000010b, "STATUS_NOTIFY_CLEANUP" },
        { 0x0000010c, "STATUS_NOTIFY_ENUM_DIR" },
        { 0x80000005, "STATUS_BUFFER_OVERFLOW" },
        { 0x80000006, "STATUS_NO_MORE_FILES" },
        { 0x8000002d, "STATUS_STOPPED_ON_SYMLINK" },
        { 0xc0000001, "STATUS_UNSUCCESSFUL" },
        { 0xc0000002, "STATUS_NOT_IMPLEMENTED" },
        { 0xc0000003, "STATUS_INVALID_INFO_CLASS" },
        { 0xc0000004, "STATUS_INFO_LENGTH_MISMATCH" },
        { 0xc0000008, "STATUS_INVALID_HANDLE" },
        { 0xc000000d, "STATUS_INVALID_PARAMETER" },
        { 0xc000000e, "STATUS_NO_SUCH_DEVICE" },
        { 0xc000000f, "STATUS_NO_SUCH_FILE" },
        { 0xc0000010, "STATUS_INVALID_DEVICE_REQUEST" },
        { 0xc0000011, "STATUS_END_OF_FILE" },
        { 0xc0000016, "STATUS_MORE_PROCESSING_REQUIRED" },
        { 0xc0000022, "STATUS_ACCESS_DENIED" },
        { 0xc0000023, "STATUS_BUFFER_TOO_SMALL" },
        { 0xc0000033, "STATUS_OBJECT_NAME_INVALID" },
        { 0xc0000034, "STATUS_OBJECT_NAME_NOT_FOUND" },
        { 0xc0000035, "STATUS_OBJECT_NAME_COLLISION" },
        { 0xc000003a, "STATUS_OBJECT_PATH_NOT_FOUND" },
        { 0xc000003b, "STATUS_OBJECT_PATH_SYNTAX_BAD" },
        { 0xc0000043, "STATUS_SHARING_VIOLATION" },
        { 0xc0000044, "STATUS_QUOTA_EXCEEDED" },
        { 0xc0000054, "STATUS_FILE_LOCK_CONFLICT" },
        { 0xc0000055, "STATUS_LOCK_NOT_GRANTED" },
        { 0xc0000056, "STATUS_DELETE_PENDING" },
        { 0xc0000061, "STATUS_PRIVILEGE_NOT_HELD" },
        { 0xc0000064, "STATUS_NO_SUCH_USER" },
        { 0xc000006a, "STATUS_WRONG_PASSWORD" },
        { 0xc000006d, "STATUS_LOGON_FAILURE" },
        { 0xc000006e, "STATUS_ACCOUNT_RESTRICTION" },
        { 0xc000006f, "STATUS_INVALID_LOGON_HOURS" },
        { 0xc0000070, "STATUS_INVALID_WORKSTATION" },
        { 0xc0000071, "STATUS_PASSWORD_EXPIRED" },
        { 0xc0000072, "STATUS_ACCOUNT_DISABLED" },
        { 0xc000007e, "STATUS_RANGE_NOT_LOCKED" },
        { 0xc000007f, "STATUS_DISK_FULL" },
        { 0xc000009a, "STATUS_INSUFFICIENT_RESOURCES" },
        { 0xc00000ac, "STATUS_PIPE_NOT_AVAILABLE" },
        { 0xc00000b0, "STATUS_PIPE_DISCONNECTED" },
        { 0xc00000b5, "STATUS_IO_TIMEOUT" },
        { 0xc00000ba, "STATUS_FILE_IS_A_DIRECTORY" },
        { 0xc00000bb, "STATUS_NOT_SUPPORTED" },
        { 0xc00000be, "STATUS_BAD_NETWORK_PATH" },
        { 0xc00000c9, "STATUS_NETWORK_NAME_DELETED" },
        { 0xc00000ca, "STATUS_NETWORK_ACCESS_DENIED" },
        { 0xc00000cc, "STATUS_BAD_NETWORK_NAME" },
        { 0xc00000d0, "STATUS_REQUEST_NOT_ACCEPTED" },
        { 0xc0000101, "STATUS_DIRECTORY_NOT_EMPTY" },
        { 0xc0000103, "STATUS_NOT_A_DIRECTORY" },
        { 0xc0000120, "STATUS_CANCELLED" },
        { 0xc0000121, "STATUS_CANNOT_DELETE" },
        { 0xc0000128, "STATUS_FILE_CLOSED" },
        { 0xc000015b, "STATUS_LOGON_TYPE_NOT_GRANTED" },
        { 0xc000018b, "STATUS_NO_TRUST_SAM_ACCOUNT" },
        { 0xc000018c, "STATUS_TRUSTED_DOMAIN_FAILURE" },
        { 0xc000018d, "STATUS_TRUSTED_RELATIONSHIP_FAILURE" },
        { 0xc0000193, "STATUS_ACCOUNT_EXPIRED" },
        { 0xc000019c, "STATUS_FS_DRIVER_REQUIRED" },
        { 0xc0000203, "STATUS_USER_SESSION_DELETED" },
        { 0xc0000205, "STATUS_INSUFF_SERVER_RESOURCES" },
        { 0xc000020c, "STATUS_CONNECTION_DISCONNECTED" },
        { 0xc000020d, "STATUS_CONNECTION_RESET" },
        { 0xc0000224, "STATUS_PASSWORD_MUST_CHANGE" },
        { 0xc0000225, "STATUS_NOT_FOUND" },
        { 0xc0000234, "STATUS_ACCOUNT_LOCKED_OUT" },
        { 0xc0000257, "STATUS_PATH_NOT_COVERED" },
        { 0xc000035c, "STATUS_NETWORK_SESSION_EXPIRED" },
        { 0xc0000388, "STATUS_DOWNGRADE_DETECTED" },
        { 0xc0000413, "STATUS_AUTHENTICATION_FIREWALL_FAILED" },
        { 0xc000a000, "STATUS_INVALID_SIGNATURE" },
        { 0xc05d0000, "STATUS_SMB_NO_PREAUTH_INTEGRITY_HASH_OVERLAP" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (names[i].status == status)
            return names[i].name;
    return NULL;
}

const char *ccm_smb_disposition_name(uint32_t disposition)
{
    static const char *const names[] = { "supersede", "open",      "create",
                                         "open-if",   "overwrite", "overwrite-if" };
    return NAME_OF(names, disposition);
}

const char *ccm_smb_action_name(uint32_t action)
{
    static const char *const names[] = { "superseded", "opened", "created", "overwritten" };
    return NAME_OF(names, action);
}

const char *ccm_smb_share_type_name(unsigned type)
{
    static const char *const names[] = { NULL, "disk", "pipe", "print" };
    return NAME_OF(names, type);
}

const char *ccm_smb_cipher_name(unsigned id)
{
    static const char *const names[] = { NULL, "AES-128-CCM", "AES-128-GCM", "AES-256-CCM",
                                         "AES-256-GCM" };
    return NAME_OF(names, id);
}

const char *ccm_smb_signing_name(unsigned id)
{
    static const char *const names[] = { "HMAC-SHA256", "AES-CMAC", "AES-GMAC" };
    return NAME_OF(names, id);
}

const char *ccm_smb_compression_name(unsigned id)
{
    static const char *const names[] = { "none",         "LZNT1",      "LZ77",
                                         "LZ77+Huffman", "Pattern_V1", "LZ4" };
    return NAME_OF(names, id);
}
