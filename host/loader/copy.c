/* copy.c: the copies under DATA/plugins and their quarantine marks; see trust.h. What is hashed is what is written, and
 * what is loaded later is what was written: it must never hash one set of bytes and keep another. */
#include "refuse.h"
#include "trust.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 64 * 1024, REASON_MAX = 1000 };

void pawl_digest_text(const uint8_t digest[32], char text[PAWL_DIGEST_TEXT])
{
    for (int i = 0; i < 32; i++)
        snprintf(text + 2 * i, 3, "%02x", (unsigned)digest[i]);
}

static bool write_all(int fd, const uint8_t *data, size_t size)
{
    while (size > 0) {
        ssize_t written = write(fd, data, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        data += written;
        size -= (size_t)written;
    }
    return true;
}

/* Read fd from its start to its end through the hash and, when to >= 0, into that file. */
static pawl_status stream(int fd, const char *path, int to, uint64_t bytes_max, EVP_MD_CTX *hash, uint64_t *ret_size,
                          pawl_error *error)
{
    uint8_t *chunk = malloc(CHUNK);
    uint64_t total = 0;
    pawl_status status = chunk == NULL ? pawl_error_set(error, PAWL_E_NOMEM, "loader.nomem", "out of memory") : PAWL_OK;
    while (status == PAWL_OK) {
        ssize_t size = pread(fd, chunk, CHUNK, (off_t)total);
        if (size < 0 && errno == EINTR)
            continue;
        if (size == 0)
            break;
        if (size < 0) {
            status = pawl_loader_refuse(error, "loader.unreadable", path, "cannot be read: %s", strerror(errno));
            break;
        }
        total += (uint64_t)size;
        if (total > bytes_max)
            status = pawl_loader_refuse(error, "loader.too_large", path, "has more than the %llu bytes allowed",
                                        (unsigned long long)bytes_max);
        else if (EVP_DigestUpdate(hash, chunk, (size_t)size) != 1)
            status = pawl_loader_refuse(error, "loader.copy", path, "cannot be hashed: SHA-256 is not available");
        else if (to >= 0 && !write_all(to, chunk, (size_t)size))
            status = pawl_loader_refuse(error, "loader.copy", path, "cannot be copied into the data directory: %s",
                                        strerror(errno));
    }
    free(chunk);
    *ret_size = total;
    return status;
}

static pawl_status hash_stream(int fd, const char *path, int to, uint64_t bytes_max, uint8_t digest[32],
                               uint64_t *ret_size, pawl_error *error)
{
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    if (hash == NULL || EVP_DigestInit_ex(hash, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(hash);
        return pawl_loader_refuse(error, "loader.copy", path, "cannot be hashed: SHA-256 is not available");
    }
    pawl_status status = stream(fd, path, to, bytes_max, hash, ret_size, error);
    if (status == PAWL_OK && EVP_DigestFinal_ex(hash, digest, NULL) != 1)
        status = pawl_loader_refuse(error, "loader.copy", path, "cannot be hashed: SHA-256 is not available");
    EVP_MD_CTX_free(hash);
    return status;
}

pawl_status pawl_trust_digest(int fd, const char *path, uint64_t bytes_max, uint8_t digest[32], uint64_t *ret_size,
                              pawl_error *error)
{
    return hash_stream(fd, path, -1, bytes_max, digest, ret_size, error);
}

/* DATA/plugins, made if need be; it must be ours alone, since what lies in it is loaded without further questions. */
static pawl_status open_store(const char *path, const char *data_dir, char **ret_name, int *ret_fd, pawl_error *error)
{
    char *name = NULL;
    struct stat st;
    if (asprintf(&name, "%s/plugins", data_dir) < 0)
        return pawl_error_set(error, PAWL_E_NOMEM, "loader.nomem", "out of memory");
    if (mkdir(name, 0700) != 0 && errno != EEXIST) {
        pawl_status status =
            pawl_loader_refuse(error, "loader.copy", path, "cannot create %s for its copy: %s", name, strerror(errno));
        free(name);
        return status;
    }
    int fd = open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    pawl_status status = PAWL_OK;
    if (fd < 0 || fstat(fd, &st) != 0)
        status =
            pawl_loader_refuse(error, "loader.copy", path, "cannot open %s for its copy: %s", name, strerror(errno));
    else if (st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        status = pawl_loader_refuse(error, "loader.copy", path,
                                    "the place for its copy, %s, belongs to user %u with mode %04o; wanted user %u and "
                                    "no write permission for group and others",
                                    name, (unsigned)st.st_uid, (unsigned)(st.st_mode & 07777), (unsigned)geteuid());
    if (status == PAWL_OK) {
        *ret_name = name;
        *ret_fd = fd;
        return PAWL_OK;
    }
    if (fd >= 0)
        close(fd);
    free(name);
    return status;
}

/* Give the finished copy its name. One with the same name and the right content stays: it may be in use. */
static pawl_status settle(int store, const char *incoming, const char *path, const uint8_t digest[32],
                          uint64_t bytes_max, pawl_error *error)
{
    char text[PAWL_DIGEST_TEXT];
    char name[PAWL_DIGEST_TEXT + 8];
    uint8_t present[32];
    uint64_t size;
    pawl_digest_text(digest, text);
    snprintf(name, sizeof name, "%s.so", text);
    int fd = openat(store, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0) {
        bool same = pawl_trust_digest(fd, name, bytes_max, present, &size, NULL) == PAWL_OK &&
                    memcmp(present, digest, sizeof present) == 0;
        close(fd);
        if (same) {
            unlinkat(store, incoming, 0);
            return PAWL_OK;
        }
    }
    if (renameat(store, incoming, store, name) != 0 || fsync(store) != 0)
        return pawl_loader_refuse(error, "loader.copy", path, "cannot keep its copy: %s", strerror(errno));
    return PAWL_OK;
}

/* Write the copy under a passing name, check it against the pin, make it durable. */
static pawl_status receive(int fd, const char *path, const char *pin, int copy, uint64_t bytes_max, uint8_t digest[32],
                           pawl_error *error)
{
    char text[PAWL_DIGEST_TEXT];
    uint64_t size;
    pawl_status status = hash_stream(fd, path, copy, bytes_max, digest, &size, error);
    if (status != PAWL_OK)
        return status;
    pawl_digest_text(digest, text);
    if (pin != NULL && strcasecmp(pin, text) != 0)
        return pawl_loader_refuse(error, "loader.digest", path,
                                  "its SHA-256 is %s; wanted %s, as the profile pins it: find out why the file changed "
                                  "before changing the pin",
                                  text, pin);
    if (fchmod(copy, 0500) != 0 || fsync(copy) != 0)
        return pawl_loader_refuse(error, "loader.copy", path, "cannot be copied into the data directory: %s",
                                  strerror(errno));
    return PAWL_OK;
}

pawl_status pawl_trust_copy(int fd, const char *path, const char *pin, const char *data_dir, uint64_t bytes_max,
                            uint8_t digest[32], char **ret_copy, pawl_error *error)
{
    char *directory = NULL;
    char *incoming = NULL;
    char text[PAWL_DIGEST_TEXT];
    int store = -1;
    pawl_status status = open_store(path, data_dir, &directory, &store, error);
    if (status != PAWL_OK || directory == NULL)
        return status;
    int copy = asprintf(&incoming, "%s/.incoming-XXXXXX", directory) < 0 ? -1 : mkostemp(incoming, O_CLOEXEC);
    if (copy < 0) {
        status = pawl_loader_refuse(error, "loader.copy", path, "cannot create its copy in %s: %s", directory,
                                    strerror(errno));
    } else {
        status = receive(fd, path, pin, copy, bytes_max, digest, error);
        close(copy); /* before it is loaded: no descriptor may be open for writing */
        if (status == PAWL_OK)
            status = settle(store, incoming + strlen(directory) + 1, path, digest, bytes_max, error);
        if (status != PAWL_OK)
            unlink(incoming);
    }
    if (status == PAWL_OK) {
        pawl_digest_text(digest, text);
        if (asprintf(ret_copy, "%s/%s.so", directory, text) < 0)
            status = pawl_error_set(error, PAWL_E_NOMEM, "loader.nomem", "out of memory");
    }
    close(store);
    free(incoming);
    free(directory);
    return status;
}

/* ---- quarantine ---------------------------------------------------------------------------------------------------
 */

static char *mark_path(const char *data_dir, const uint8_t digest[32])
{
    char text[PAWL_DIGEST_TEXT];
    char *name = NULL;
    pawl_digest_text(digest, text);
    return asprintf(&name, "%s/plugins/%s.quarantined", data_dir, text) < 0 ? NULL : name;
}

pawl_status pawl_quarantine_check(const char *data_dir, const uint8_t digest[32], const char *path, pawl_error *error)
{
    char *name = mark_path(data_dir, digest);
    if (name == NULL)
        return pawl_error_set(error, PAWL_E_NOMEM, "loader.nomem", "out of memory");
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    free(name);
    if (fd < 0)
        return PAWL_OK;
    char reason[REASON_MAX + 1];
    ssize_t size = read(fd, reason, REASON_MAX);
    close(fd);
    reason[size < 0 ? 0 : size] = '\0';
    return pawl_loader_refuse(error, "loader.quarantined", path,
                              "is under quarantine since an earlier probe: %s. Mend the plugin, or try it again with "
                              "`pawl plugin probe %s`",
                              reason, path);
}

pawl_status pawl_quarantine_set(const char *data_dir, const uint8_t digest[32], const char *reason, pawl_error *error)
{
    char *name = mark_path(data_dir, digest);
    if (name == NULL)
        return pawl_error_set(error, PAWL_E_NOMEM, "loader.nomem", "out of memory");
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool good = fd >= 0 && write_all(fd, (const uint8_t *)reason, strnlen(reason, REASON_MAX)) && fsync(fd) == 0;
    pawl_status status = PAWL_OK;
    if (!good)
        status =
            pawl_loader_refuse(error, "loader.copy", name, "cannot write the quarantine mark: %s", strerror(errno));
    if (fd >= 0)
        close(fd);
    free(name);
    return status;
}

void pawl_quarantine_lift(const char *data_dir, const uint8_t digest[32])
{
    char *name = mark_path(data_dir, digest);
    if (name != NULL)
        unlink(name);
    free(name);
}
