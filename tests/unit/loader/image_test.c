/* image_test.c: what is read out of a file that may be anything. */
#include "fixture.h"

#include "host/loader/elf_image.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

enum { EI_CLASS_AT = 4, EI_DATA_AT = 5, E_TYPE_AT = 16, E_MACHINE_AT = 18, E_SHNUM_AT_64 = 60 };

static void put_byte(const char *path, off_t at, uint8_t byte)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

static pawl_status judge(fixture *f, const char *path)
{
    elf_image image;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pawl_elf_image_read(fd, &image, &f->error), PAWL_OK);
    close(fd);
    pawl_status status = pawl_elf_image_judge(&image, path, &f->error);
    pawl_elf_image_finish(&image);
    return status;
}

static void test_P01_what_is_not_a_shared_object_is_refused(void **state)
{
    fixture f;
    const char *path;
    (void)state;
    fixture_open(&f);
    path = fixture_path(&f, "x.so");
    fixture_write(path, "");
    fixture_assert_refused(&f, judge(&f, path), "loader.not_elf", "no ELF header");
    fixture_write(path, "#!/bin/sh\necho hello\n");
    fixture_assert_refused(&f, judge(&f, path), "loader.not_elf", "no ELF header");
    fixture_write(path, "\177ELF");
    fixture_assert_refused(&f, judge(&f, path), "loader.not_elf", NULL);
    path = fixture_copy(&f, "well_behaved", "object.so");
    put_byte(path, E_TYPE_AT, 1);
    fixture_assert_refused(&f, judge(&f, path), "loader.not_elf", "program or object file");
    path = fixture_copy(&f, "well_behaved", "bare.so");
    put_byte(path, E_SHNUM_AT_64, 0);
    put_byte(path, E_SHNUM_AT_64 + 1, 0);
    fixture_assert_refused(&f, judge(&f, path), "loader.not_elf", NULL);
    fixture_close(&f);
}

static void test_P01_another_machine_is_refused(void **state)
{
    fixture f;
    const char *path;
    (void)state;
    fixture_open(&f);
    path = fixture_copy(&f, "well_behaved", "s390.so");
    put_byte(path, E_MACHINE_AT, 22);
    put_byte(path, E_MACHINE_AT + 1, 0);
    fixture_assert_refused(&f, judge(&f, path), "loader.machine", "was built for s390; wanted ");
    path = fixture_copy(&f, "well_behaved", "odd.so");
    put_byte(path, E_MACHINE_AT, 0x39);
    put_byte(path, E_MACHINE_AT + 1, 0x30);
    fixture_assert_refused(&f, judge(&f, path), "loader.machine", "was built for machine 12345");
    fixture_close(&f);
}

static void test_a_newer_c_library_is_refused(void **state)
{
    fixture f;
    const char *path;
    (void)state;
    fixture_open(&f);
    path = fixture_copy(&f, "well_behaved", "x.so");
    assert_int_equal(judge(&f, path), PAWL_OK);
    assert_true(fixture_patch(path, "GLIBC_2.2.5", "GLIBC_9.2.5", 11) > 0);
    fixture_assert_refused(&f, judge(&f, path), "loader.glibc", "needs glibc 9.2.5; this machine has ");
    fixture_assert_refused(&f, fixture_try(&f, path, NULL), "loader.glibc", path);
    fixture_close(&f);
}

static void test_facts_are_read(void **state)
{
    elf_image image;
    int fd = open(fixture_built("well_behaved"), O_RDONLY | O_CLOEXEC);
    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(pawl_elf_image_read(fd, &image, NULL), PAWL_OK);
    close(fd);
    assert_true(image.is_elf && image.is_native && image.is_shared_object && image.has_entry);
    assert_false(image.exec_stack || image.text_relocations || image.static_tls);
    assert_int_equal(image.extra_symbols, 0);
    assert_int_equal(image.manifest_notes, 1);
    assert_non_null(strstr(image.manifest, "\"hostile.plugin\""));
    assert_int_equal(image.manifest_size, strlen(image.manifest));
    assert_string_equal(image.needed, "libc.so.6");
    assert_int_not_equal(strcmp(image.glibc_needed, ""), 0);
    pawl_elf_image_finish(&image);
}

/* A closed or unreadable file is an answer, too. */
static void test_no_file_is_no_image(void **state)
{
    fixture f;
    elf_image image;
    (void)state;
    memset(&f, 0, sizeof f);
    assert_int_equal(pawl_elf_image_read(-1, &image, &f.error), PAWL_OK);
    fixture_assert_refused(&f, pawl_elf_image_judge(&image, "x", &f.error), "loader.not_elf", NULL);
    pawl_elf_image_finish(&image);
}

/* Flipped bytes anywhere in a good file give an answer, and no access outside of it. */
static void test_noise_is_answered(void **state)
{
    enum { ROUNDS = 1500, CHANGES = 8, HEADERS = 0x600 };
    static uint8_t good[1 << 17];
    static uint8_t bytes[sizeof good];
    unsigned seed = 20260102;
    int fd = open(fixture_built("well_behaved"), O_RDONLY | O_CLOEXEC);
    ssize_t size = read(fd, good, sizeof good);
    (void)state;
    assert_true(size > HEADERS && size < (ssize_t)sizeof good);
    close(fd);
    print_message("seed %u\n", seed);
    int memory = memfd_create("image", MFD_CLOEXEC);
    assert_true(memory >= 0);
    for (int round = 0; round < ROUNDS; round++) {
        elf_image image;
        memcpy(bytes, good, (size_t)size);
        size_t range = round % 2 == 0 ? HEADERS : (size_t)size; /* the headers deserve more of it */
        for (int i = 0; i < CHANGES; i++)
            bytes[(size_t)rand_r(&seed) % range] = (uint8_t)rand_r(&seed);
        assert_int_equal(ftruncate(memory, size), 0);
        assert_int_equal(pwrite(memory, bytes, (size_t)size, 0), size);
        if (round % 5 == 0)
            assert_int_equal(ftruncate(memory, (off_t)((size_t)rand_r(&seed) % (size_t)size)), 0);
        assert_int_equal(pawl_elf_image_read(memory, &image, NULL), PAWL_OK);
        pawl_elf_image_judge(&image, "noise", NULL);
        pawl_elf_image_finish(&image);
    }
    close(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_P01_what_is_not_a_shared_object_is_refused),
        cmocka_unit_test(test_P01_another_machine_is_refused),
        cmocka_unit_test(test_a_newer_c_library_is_refused),
        cmocka_unit_test(test_facts_are_read),
        cmocka_unit_test(test_no_file_is_no_image),
        cmocka_unit_test(test_noise_is_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
