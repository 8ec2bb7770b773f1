/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What SetContextAttributes sets, and the attributes that give it back or are made from it: data of the application,
 * the MTU of datagrams, and keying material (RFC 5705).
 */
#include "schannel.h"

#define MOST_KEYING_MATERIAL 0x10000

/* One lock for all contexts: nobody sets attributes often. */
static SRWLOCK lock = SRWLOCK_INIT;

static BOOL copy_bytes(const void *bytes, DWORD size, struct schannel_bytes *out)
{
    *out = (struct schannel_bytes){0, NULL};
    if (!bytes || !size) return TRUE;
    out->bytes = HeapAlloc(GetProcessHeap(), 0, size);
    if (!out->bytes) return FALSE;
    out->size = size;
    memcpy(out->bytes, bytes, size);
    return TRUE;
}

static void drop_bytes(struct schannel_bytes *bytes)
{
    if (bytes->bytes) SecureZeroMemory(bytes->bytes, bytes->size);
    HeapFree(GetProcessHeap(), 0, bytes->bytes);
    *bytes = (struct schannel_bytes){0, NULL};
}

void schannel_settings_drop(struct schannel_settings *settings)
{
    drop_bytes(&settings->label);
    drop_bytes(&settings->value);
    drop_bytes(&settings->app_data);
}

/* The label's length counts its terminator, which is no part of what RFC 5705 hashes. */
static DWORD label_size(const SecPkgContext_KeyingMaterialInfo *info)
{
    return info->cbLabel && !info->pszLabel[info->cbLabel - 1] ? info->cbLabel - 1u : info->cbLabel;
}

static NTSTATUS set_keying_material(struct schannel_settings *settings, const SecPkgContext_KeyingMaterialInfo *info)
{
    struct schannel_bytes label, value = {0, NULL};
    if (!info->pszLabel || !label_size(info)) return SEC_E_INVALID_PARAMETER;
    if (!info->cbKeyingMaterial || info->cbKeyingMaterial > MOST_KEYING_MATERIAL) return SEC_E_INVALID_PARAMETER;
    if (!copy_bytes(info->pszLabel, label_size(info), &label) ||
        !copy_bytes(info->pbContextValue, info->cbContextValue, &value)) {
        drop_bytes(&label);
        return SEC_E_INSUFFICIENT_MEMORY;
    }
    drop_bytes(&settings->label);
    drop_bytes(&settings->value);
    settings->label = label;
    settings->value = value;
    settings->material_size = info->cbKeyingMaterial;
    return SEC_E_OK;
}

static NTSTATUS set_app_data(struct schannel_settings *settings, const SecPkgContext_SessionAppData *data)
{
    struct schannel_bytes copy;
    if (!copy_bytes(data->pbAppData, data->cbAppData, &copy)) return SEC_E_INSUFFICIENT_MEMORY;
    drop_bytes(&settings->app_data);
    settings->app_data = copy;
    settings->app_data_flags = data->dwFlags;
    return SEC_E_OK;
}

static NTSTATUS set(struct schannel_settings *settings, ULONG attribute, const void *buffer, ULONG size)
{
    switch (attribute) {
    case SECPKG_ATTR_KEYING_MATERIAL_INFO:
        return size < sizeof(SecPkgContext_KeyingMaterialInfo) ? SEC_E_INVALID_PARAMETER
                                                               : set_keying_material(settings, buffer);
    case SECPKG_ATTR_APP_DATA:
        return size < sizeof(SecPkgContext_SessionAppData) ? SEC_E_INVALID_PARAMETER : set_app_data(settings, buffer);
    case SECPKG_ATTR_EARLY_START: /* a client may send before the handshake is through; it need not */
        return size < sizeof(SecPkgContext_EarlyStart) ? SEC_E_INVALID_PARAMETER : SEC_E_OK;
    default: return SEC_E_UNSUPPORTED_FUNCTION;
    }
}

/* For the datagrams to come, those of data too. */
static NTSTATUS set_mtu(struct schannel_context *context, const ULONG *mtu, ULONG size)
{
    struct cs_block_tls_mtu block = {.context = context->context};
    if (!context->datagram) return SEC_E_UNSUPPORTED_FUNCTION;
    if (size < sizeof *mtu || *mtu < LEAST_MTU || *mtu > MOST_MTU) return SEC_E_INVALID_PARAMETER;
    context->settings.mtu = block.mtu = *mtu;
    return CountersignCall(CS_CALL_TLS_SET_MTU, &block);
}

NTSTATUS NTAPI schannel_set_context_attributes(LSA_SEC_HANDLE handle, ULONG attribute, void *buffer, ULONG size)
{
    struct schannel_context *context = (struct schannel_context *)handle;
    if (context->failed) return context->failed;
    if (!buffer) return SEC_E_INVALID_PARAMETER;
    AcquireSRWLockExclusive(&lock);
    NTSTATUS status = attribute == SECPKG_ATTR_DTLS_MTU ? set_mtu(context, buffer, size)
                                                        : set(&context->settings, attribute, buffer, size);
    ReleaseSRWLockExclusive(&lock);
    return status;
}

NTSTATUS schannel_export(const struct schannel_context *context, struct cs_bytes label, struct cs_bytes value,
                         DWORD size, BYTE **material)
{
    struct cs_block_tls_export block = {.context = context->context, .label = label, .context_value = value};
    if (!size || size > MOST_KEYING_MATERIAL) return SEC_E_INVALID_PARAMETER;
    BYTE *out = sp_allocate(size);
    if (!out) return SEC_E_INSUFFICIENT_MEMORY;
    block.out = sp_bytes(out, size);
    NTSTATUS status = CountersignCall(CS_CALL_TLS_EXPORT, &block);
    if (status)
        sp_free(out);
    else
        *material = out;
    return status;
}

NTSTATUS schannel_keying_material(const struct schannel_context *context, SecPkgContext_KeyingMaterial *out)
{
    const struct schannel_settings *settings = &context->settings;
    NTSTATUS status = SEC_E_INVALID_PARAMETER; /* nobody has said which */
    AcquireSRWLockShared(&lock);
    if (settings->label.bytes) {
        status = schannel_export(context, sp_bytes(settings->label.bytes, settings->label.size),
                                 sp_bytes(settings->value.bytes, settings->value.size), settings->material_size,
                                 &out->pbKeyingMaterial);
        if (status == SEC_E_OK) out->cbKeyingMaterial = settings->material_size;
    }
    ReleaseSRWLockShared(&lock);
    return status;
}

NTSTATUS schannel_mtu(const struct schannel_context *context, ULONG *out)
{
    if (!context->datagram) return SEC_E_UNSUPPORTED_FUNCTION;
    AcquireSRWLockShared(&lock);
    *out = context->settings.mtu ? context->settings.mtu : DEFAULT_MTU;
    ReleaseSRWLockShared(&lock);
    return SEC_E_OK;
}

NTSTATUS schannel_app_data(const struct schannel_context *context, SecPkgContext_SessionAppData *out)
{
    const struct schannel_settings *settings = &context->settings;
    NTSTATUS status = SEC_E_OK;
    AcquireSRWLockShared(&lock);
    *out = (SecPkgContext_SessionAppData){settings->app_data_flags, settings->app_data.size, NULL};
    if (settings->app_data.bytes) {
        out->pbAppData = sp_allocate(settings->app_data.size);
        if (out->pbAppData)
            memcpy(out->pbAppData, settings->app_data.bytes, settings->app_data.size);
        else
            status = SEC_E_INSUFFICIENT_MEMORY;
    }
    ReleaseSRWLockShared(&lock);
    return status;
}
