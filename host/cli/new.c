/* new.c: `pawl plugin new`: a whole repository for a plugin, out of templates that are installed with Pawl. Must never
 * leave anything half written: the repository is made beside its place, under another name, and moved there whole. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/cli/cli.h"

#define NAME_MAX_BYTES 48u
#define ID_MAX_BYTES   128u
#define FILE_MAX_BYTES ((size_t)1 << 20)
#define DEPTH_MAX      8

/* What there is. */
typedef struct offer {
    const char *kind;
    const char *lang;
    const char *packages; /* of Debian, to build it */
} offer;

#define ZIG "libc6-dev, and zig, which Debian does not have"
static const offer offers[] = {
    {"effect", "c", "gcc cmake make libc6-dev"},
    {"effect", "c++", "g++ cmake make"},
    {"effect", "rust", "rustc gcc libc6-dev"},
    {"effect", "zig", ZIG},
    {"connector", "c", "gcc cmake make libc6-dev pkg-config libjansson-dev"},
    {"connector", "c++", "g++ cmake make pkg-config libjansson-dev"},
    {"connector", "rust", "rustc gcc libc6-dev"},
    {"process", "c", "gcc cmake make libc6-dev"},
    {"process", "c++", "g++ cmake make"},
    {"process", "rust", "rustc gcc libc6-dev"},
    {"process", "zig", ZIG},
    {"facet", "c", "gcc cmake make libc6-dev"},
    {"facet", "c++", "g++ cmake make"},
    {"facet", "rust", "rustc gcc libc6-dev"},
};
#define OFFERS (sizeof offers / sizeof *offers)

/* What stands for what in a template, in its texts and in the names of its files. */
typedef struct word {
    const char *mark;
    const char *text;
} word;

typedef struct plan {
    pawl_cli *cli;
    const offer *offer;
    const char *name;
    char id[ID_MAX_BYTES + 16];
    const char *vendor;
    char templates[PATH_MAX];
    char made[PATH_MAX]; /* where it is put together; empty: nothing was begun */
    word words[8];
    size_t word_count;
} plan;

static const char *language_of(const char *lang)
{
    return strcmp(lang, "c") == 0 ? "C" : strcmp(lang, "c++") == 0 ? "C++" : strcmp(lang, "zig") == 0 ? "Zig" : "Rust";
}

/* ---- what was asked for ------------------------------------------------------------------------------------------ */

static int usage(const plan *p, const char *what, const char *given, const char *wanted)
{
    return pawl_cli_fail(p->cli, PAWL_EXIT_USAGE, "usage", "%s \"%s\" cannot be used: %s", what, given, wanted);
}

static int check_name(const plan *p)
{
    static const char wanted[] = "wanted 2 to 48 of a-z 0-9 -, beginning with a letter and not ending with -";
    size_t size = strlen(p->name);
    if (size < 2 || size > NAME_MAX_BYTES || strspn(p->name, "abcdefghijklmnopqrstuvwxyz0123456789-") != size ||
        p->name[0] < 'a' || p->name[size - 1] == '-')
        return usage(p, "the name", p->name, wanted);
    if (strncmp(p->name, "pawl", 4) == 0)
        return usage(p, "the name", p->name, "names that begin with pawl are Pawl's own");
    return PAWL_EXIT_OK;
}

/* Segments of a-z 0-9 -, separated by dots, as a manifest wants them. */
static int check_id(const plan *p)
{
    size_t size = strlen(p->id);
    bool good = size <= ID_MAX_BYTES && strspn(p->id, "abcdefghijklmnopqrstuvwxyz0123456789-.") == size;
    for (size_t i = 0; good && i <= size; i++)
        good = (i < size && p->id[i] != '.') || (i > 0 && p->id[i - 1] != '.');
    if (!good)
        return usage(p, "the id", p->id, "wanted segments of a-z 0-9 -, separated by dots, as in com.example.shop");
    if (strncmp(p->id, "pawl", 4) == 0 && (p->id[4] == '.' || p->id[4] == '\0'))
        return usage(p, "the id", p->id, "ids that begin with pawl are Pawl's own");
    return PAWL_EXIT_OK;
}

/* It becomes part of source texts. */
static int check_vendor(const plan *p)
{
    for (const char *c = p->vendor; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == '"' || *c == '\\' || *c == '@')
            return usage(p, "the vendor", p->vendor,
                         "wanted a text without quotes, backslashes, @ and control characters");
    return *p->vendor == '\0' || strlen(p->vendor) > 100 ? usage(p, "the vendor", p->vendor, "wanted 1 to 100 bytes")
                                                         : PAWL_EXIT_OK;
}

static int not_offered(const plan *p, const char *kind, const char *lang)
{
    char known[512] = "";
    for (size_t i = 0; i < OFFERS; i++) {
        bool first = i == 0 || strcmp(offers[i].kind, offers[i - 1].kind) != 0;
        snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s%s", first ? (i == 0 ? "" : "; ") : ", ",
                 first ? offers[i].kind : "", first ? "" : offers[i].lang);
        if (first)
            snprintf(known + strlen(known), sizeof known - strlen(known), " in %s", offers[i].lang);
    }
    return pawl_cli_fail(p->cli, PAWL_EXIT_USAGE, "usage", "there is no template for --kind %s --lang %s; there is: %s",
                         kind, lang, known);
}

static int choose(plan *p)
{
    const char *kind = pawl_cli_value(p->cli, "kind");
    const char *lang = pawl_cli_value(p->cli, "lang");
    if (kind == NULL)
        return pawl_cli_fail(p->cli, PAWL_EXIT_USAGE, "usage", "which --kind? effect, connector, process or facet");
    if (lang == NULL)
        lang = "c";
    if (strcmp(lang, "cpp") == 0 || strcmp(lang, "cxx") == 0)
        lang = "c++";
    for (size_t i = 0; i < OFFERS && p->offer == NULL; i++)
        if (strcmp(offers[i].kind, kind) == 0 && strcmp(offers[i].lang, lang) == 0)
            p->offer = &offers[i];
    return p->offer == NULL ? not_offered(p, kind, lang) : PAWL_EXIT_OK;
}

/* ---- where the templates are ------------------------------------------------------------------------------------- */

/* Beside the program as installed, wherever that is; or in the source tree it was built from. */
static int find_templates(plan *p)
{
    char program[PATH_MAX] = "";
    ssize_t size = readlink("/proc/self/exe", program, sizeof program - 1);
    char *slash = size > 0 ? strrchr(program, '/') : NULL;
    if (slash != NULL) {
        *slash = '\0';
        if ((size_t)snprintf(p->templates, sizeof p->templates, "%s/%s", program, PAWL_TEMPLATES_FROM_PROGRAM) <
                sizeof p->templates &&
            access(p->templates, R_OK) == 0)
            return PAWL_EXIT_OK;
    }
    snprintf(p->templates, sizeof p->templates, "%s", PAWL_TEMPLATES_BUILD_PATH);
    if (access(p->templates, R_OK) == 0)
        return PAWL_EXIT_OK;
    return pawl_cli_fail(p->cli, PAWL_EXIT_FAILED, "new.templates",
                         "the templates are not there: neither %s/%s nor %s can be read; install Pawl whole", program,
                         PAWL_TEMPLATES_FROM_PROGRAM, p->templates);
}

/* ---- copying with words put in ----------------------------------------------------------------------------------- */

static int failed(const plan *p, const char *what, const char *path)
{
    return pawl_cli_fail(p->cli, PAWL_EXIT_FAILED, "new.write", "%s cannot be %s: %s", path, what, strerror(errno));
}

static void put_words(const plan *p, FILE *out, const char *text, size_t size)
{
    for (size_t i = 0; i < size;) {
        size_t w = 0;
        while (w < p->word_count && strncmp(text + i, p->words[w].mark, strlen(p->words[w].mark)) != 0)
            w++;
        if (w < p->word_count) {
            fputs(p->words[w].text, out);
            i += strlen(p->words[w].mark);
        } else {
            fputc(text[i++], out);
        }
    }
}

/* The name in the repository: words put in, and "dot-" for what begins with a dot there. False: too long. */
static bool target_name(const plan *p, const char *directory, const char *name, char path[PATH_MAX])
{
    char *put = NULL;
    size_t size = 0;
    bool dot = strncmp(name, "dot-", 4) == 0;
    FILE *out = open_memstream(&put, &size);
    if (out == NULL)
        return false;
    put_words(p, out, dot ? name + 4 : name, strlen(dot ? name + 4 : name));
    bool good =
        fclose(out) == 0 && (size_t)snprintf(path, PATH_MAX, "%s/%s%s", directory, dot ? "." : "", put) < PATH_MAX;
    free(put);
    return good;
}

static int copy_file(const plan *p, const char *from, const char *to)
{
    struct stat facts;
    int status = PAWL_EXIT_OK;
    char *text = calloc(1, FILE_MAX_BYTES + 1);
    FILE *in = fopen(from, "re");
    if (text == NULL || in == NULL || fstat(fileno(in), &facts) != 0)
        status = failed(p, "read", from);
    size_t size = status == PAWL_EXIT_OK ? fread(text, 1, FILE_MAX_BYTES, in) : 0;
    if (status == PAWL_EXIT_OK && (ferror(in) || !feof(in)))
        status = failed(p, "read", from);
    FILE *out = status == PAWL_EXIT_OK ? fopen(to, "we") : NULL;
    if (status == PAWL_EXIT_OK && out == NULL)
        status = failed(p, "written", to);
    if (out != NULL) {
        put_words(p, out, text, size);
        bool good = !ferror(out) && fchmod(fileno(out), (facts.st_mode & 0100) != 0 ? 0755 : 0644) == 0;
        if (fclose(out) != 0 || !good)
            status = failed(p, "written", to);
    }
    if (in != NULL)
        (void)fclose(in);
    free(text);
    return status;
}

static int copy_tree(const plan *p, const char *from, const char *to, int depth);

static int copy_entry(const plan *p, const char *directory, const char *name, const char *to, int depth)
{
    char from[PATH_MAX], target[PATH_MAX];
    struct stat facts;
    if ((size_t)snprintf(from, sizeof from, "%s/%s", directory, name) >= sizeof from ||
        !target_name(p, to, name, target)) {
        errno = ENAMETOOLONG;
        return failed(p, "copied", directory);
    }
    if (stat(from, &facts) != 0)
        return failed(p, "read", from);
    if (!S_ISDIR(facts.st_mode))
        return copy_file(p, from, target);
    if (mkdir(target, 0755) != 0 && errno != EEXIST)
        return failed(p, "made", target);
    return copy_tree(p, from, target, depth + 1);
}

/* Everything in a directory of templates; what an earlier one has put there is replaced. */
static int copy_tree(const plan *p, const char *from, const char *to, int depth)
{
    DIR *directory = depth < DEPTH_MAX ? opendir(from) : NULL;
    if (directory == NULL)
        return depth == 0 && errno == ENOENT ? PAWL_EXIT_OK : failed(p, "read", from);
    int status = PAWL_EXIT_OK;
    const struct dirent *entry;
    while (status == PAWL_EXIT_OK && (entry = readdir(directory)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            status = copy_entry(p, from, entry->d_name, to, depth);
    (void)closedir(directory);
    return status;
}

static int copy_layers(const plan *p)
{
    char layers[4][64] = {"common"};
    snprintf(layers[1], sizeof layers[1], "kind/%s", p->offer->kind);
    snprintf(layers[2], sizeof layers[2], "lang/%s", p->offer->lang);
    snprintf(layers[3], sizeof layers[3], "source/%s-%s", p->offer->lang, p->offer->kind);
    int status = PAWL_EXIT_OK;
    for (size_t i = 0; i < 4 && status == PAWL_EXIT_OK; i++) {
        char from[PATH_MAX + 72];
        snprintf(from, sizeof from, "%s/%s", p->templates, layers[i]);
        status = copy_tree(p, from, p->made, 0);
    }
    return status;
}

/* ---- all or nothing ---------------------------------------------------------------------------------------------- */

static int remove_entry(const char *path, const struct stat *facts, int kind, struct FTW *walk)
{
    (void)facts;
    (void)kind;
    (void)walk;
    return remove(path);
}

static int begin(plan *p)
{
    if (access(p->name, F_OK) == 0 || errno != ENOENT)
        return pawl_cli_fail(p->cli, PAWL_EXIT_CONFLICT, "new.exists", "%s is there already; nothing was written",
                             p->name);
    snprintf(p->made, sizeof p->made, ".%s.new-XXXXXX", p->name);
    if (mkdtemp(p->made) == NULL || chmod(p->made, 0755) != 0) {
        int status = failed(p, "made", p->made);
        p->made[0] = '\0';
        return status;
    }
    return PAWL_EXIT_OK;
}

static int finish(plan *p)
{
    if (renameat2(AT_FDCWD, p->made, AT_FDCWD, p->name, RENAME_NOREPLACE) == 0) {
        p->made[0] = '\0';
        return PAWL_EXIT_OK;
    }
    if (errno == EEXIST)
        return pawl_cli_fail(p->cli, PAWL_EXIT_CONFLICT, "new.exists", "%s is there already; nothing was written",
                             p->name);
    return failed(p, "made", p->name);
}

static void tell(const plan *p)
{
    if (p->cli->json) {
        json_t *whole = json_pack("{s:s, s:s, s:s, s:s, s:s}", "path", p->name, "id", p->id, "kind", p->offer->kind,
                                  "lang", p->offer->lang, "packages", p->offer->packages);
        pawl_cli_put_json(p->cli->out, whole);
        json_decref(whole);
        return;
    }
    fprintf(
        p->cli->out,
        "%s: a plugin in %s, with one %s\n\n  cd %s\n  ./build    needs %s\n  ./test     tries it as a host would\n",
        p->name, language_of(p->offer->lang), p->offer->kind, p->name, p->offer->packages);
}

int pawl_cli_plugin_new(pawl_cli *cli)
{
    const char *id = pawl_cli_value(cli, "id");
    const char *vendor = pawl_cli_value(cli, "vendor");
    plan p = {.cli = cli, .name = cli->arguments[0], .vendor = vendor == NULL ? "Example" : vendor};
    int status = check_name(&p);
    if (status != PAWL_EXIT_OK)
        return status;
    if ((size_t)snprintf(p.id, sizeof p.id, "%s%s", id == NULL ? "com.example." : "", id == NULL ? p.name : id) >=
        sizeof p.id)
        return usage(&p, "the id", id, "wanted at most 128 bytes");
    if ((status = check_id(&p)) != PAWL_EXIT_OK || (status = check_vendor(&p)) != PAWL_EXIT_OK ||
        (status = choose(&p)) != PAWL_EXIT_OK || (status = find_templates(&p)) != PAWL_EXIT_OK)
        return status;
    const word words[] = {{"@NAME@", p.name},
                          {"@ID@", p.id},
                          {"@VENDOR@", p.vendor},
                          {"@LANGUAGE@", language_of(p.offer->lang)},
                          {"@PACKAGES@", p.offer->packages}};
    memcpy(p.words, words, sizeof words);
    p.word_count = sizeof words / sizeof *words;
    status = begin(&p);
    if (status == PAWL_EXIT_OK)
        status = copy_layers(&p);
    if (status == PAWL_EXIT_OK)
        status = finish(&p);
    if (status == PAWL_EXIT_OK)
        tell(&p);
    if (p.made[0] != '\0')
        (void)nftw(p.made, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    return status;
}
