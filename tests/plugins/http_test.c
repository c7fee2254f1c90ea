/* http_test.c: the HTTP connector against a real server: requests, responses and configuration. */
#include "tests/plugins/http_test_place.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <unistd.h>

static const char *echoed_header(const fake_answer *answer, const char *name)
{
    fake_expect_ok(answer);
    const json_t *echo = json_object_get(answer->json, "json");
    return json_string_value(json_object_get(json_object_get(echo, "headers"), name));
}

static const char *echoed(const fake_answer *answer, const char *name)
{
    fake_expect_ok(answer);
    return json_string_value(json_object_get(json_object_get(answer->json, "json"), name));
}

static void test_every_operation_is_its_method(void **state)
{
    place *p = *state;
    static const char *const operations[][2] = {
        {"get", "GET"}, {"put", "PUT"}, {"post", "POST"}, {"patch", "PATCH"}, {"delete", "DELETE"}};
    configure(p, "");
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
        fake_answer a = fake_callf(p->host, operations[i][0], "{\"path\":\"echo\"}");
        assert_int_equal(fake_integer(&a, "status"), 200);
        assert_string_equal(echoed(&a, "method"), operations[i][1]);
        assert_string_equal(echoed(&a, "body"), "");
        assert_null(echoed_header(&a, "Content-Type"));
        bool counted = i > 0 && i < 4; /* a length of zero is told where content is usual */
        assert_true((echoed_header(&a, "Content-Length") != NULL) == counted);
        fake_answer_free(&a);
    }
    fake_answer a = fake_callf(p->host, "head", "{\"path\":\"/bytes/5000000\"}");
    assert_int_equal(fake_integer(&a, "status"), 200); /* the length of what is not sent is not too large */
    assert_null(json_object_get(a.json, "text"));
    fake_answer_free(&a);
    a = fake_callf(p->host, "request", "{\"method\":\"REPORT\",\"path\":\"echo\",\"text\":\"x\"}");
    assert_string_equal(echoed(&a, "method"), "REPORT");
    assert_string_equal(echoed(&a, "body"), "x");
    fake_answer_free(&a);
}

static void test_target_is_base_path_and_query(void **state)
{
    place *p = *state;
    char config[256];
    snprintf(config, sizeof config, "{\"base_url\":\"http://127.0.0.1:%u/api/v1/\"}", http_server_port(p->server));
    fake_must_create(p->host, config);
    fake_answer a = fake_callf(p->host, "get",
                               "{\"path\":\"/a b/%%2F\\u00e4\",\"query\":{\"q\":\"x&y=1 +\",\"n\":[1,true,\"z\"]}}");
    /* the letters of an encoding may be of either size */
    assert_int_equal(strcasecmp(echoed(&a, "target"), "/api/v1/a%20b/%2F%C3%A4?q=x%26y%3D1%20%2B&n=1&n=true&n=z"), 0);
    fake_answer_free(&a);
    a = fake_callf(p->host, "get", "{}");
    assert_string_equal(echoed(&a, "target"), "/api/v1/");
    fake_answer_free(&a);
    a = fake_callf(p->host, "get", "{\"url\":\"http://127.0.0.1:%u/other?a=1#part\",\"query\":{\"b\":\"2\"}}",
                   http_server_port(p->server));
    assert_string_equal(echoed(&a, "target"), "/other?a=1&b=2");
    fake_answer_free(&a);
}

static void test_P10_no_other_host_and_no_way_around(void **state)
{
    place *p = *state;
    unsigned port = http_server_port(p->server);
    static const char *const others[] = {"http://127.0.0.1.evil.example:%u/",
                                         "http://localhost:%u/",
                                         "https://127.0.0.1:%u/",
                                         "http://127.0.0.1:1%u/",
                                         "http://[::1]:%u/",
                                         "http://127.0.0.1./?%u",
                                         "http:///%u"};
    static const char *const invalid[] = {"http://user@127.0.0.1:%u/",
                                          "http://127.0.0.1:%u@evil.example/",
                                          "file:///etc/passwd?%u",
                                          "gopher://127.0.0.1:%u/",
                                          "//127.0.0.1:%u/",
                                          "http://127.0.0.1:%u/a b",

                                          "%u"};
    static const char *const paths[] = {"..", "a/../b", "%2e%2E/x", ".%2e", "./a", "a\\..\\b", "x?y", "x#y"};
    configure(p, "");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        char url[128], input[256];
        snprintf(url, sizeof url, others[i], port);
        snprintf(input, sizeof input, "{\"url\":\"%s\"}", url);
        fake_answer a = fake_call(p->host, "get", input, NULL);
        if (strcmp(a.code, "http.other_host") != 0 && strcmp(a.code, "http.invalid_url") != 0)
            fail_msg("%s: %s", url, a.code);
        assert_int_equal(a.klass, PAWL_TERMINAL);
        fake_answer_free(&a);
    }
    for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++) {
        char url[128], input[256];
        snprintf(url, sizeof url, invalid[i], port);
        snprintf(input, sizeof input, "{\"url\":\"%s\"}", url);
        fake_expect_failure(fake_call(p->host, "get", input, NULL), PAWL_E_INVALID, PAWL_TERMINAL, "http.invalid_url");
    }
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        json_t *object = json_pack("{s:s}", "path", paths[i]);
        char *input = json_dumps(object, 0);
        fake_expect_failure(fake_call(p->host, "get", input, NULL), PAWL_E_INVALID, PAWL_TERMINAL, "http.invalid_url");
        free(input);
        json_decref(object);
    }
    assert_int_equal(http_server_requests(p->server), 0);
}

static void test_content_of_every_kind_goes_out(void **state)
{
    place *p = *state;
    configure(p, "");
    fake_answer a = fake_callf(p->host, "post", "{\"path\":\"echo\",\"json\":{\"a\":[1,null]}}");
    assert_string_equal(echoed(&a, "body"), "{\"a\":[1,null]}");
    assert_string_equal(echoed_header(&a, "Content-Type"), "application/json");
    fake_answer_free(&a);
    a = fake_callf(p->host, "put", "{\"path\":\"echo\",\"base64\":\"YWJj\",\"headers\":{\"content-type\":\"a/b\"}}");
    assert_string_equal(echoed(&a, "body"), "abc");
    assert_string_equal(echoed_header(&a, "content-type"), "a/b");
    assert_string_equal(echoed_header(&a, "Content-Length"), "3");
    fake_answer_free(&a);
    a = fake_callf(p->host, "delete", "{\"path\":\"echo\",\"text\":\"t\"}");
    assert_string_equal(echoed(&a, "body"), "t");
    assert_null(echoed_header(&a, "Expect"));
    fake_answer_free(&a);
    fake_expect_failure(fake_callf(p->host, "get", "{\"path\":\"echo\",\"text\":\"t\"}"), PAWL_E_FAILED, PAWL_TERMINAL,
                        "http.invalid_input");
}

static void test_attachments_go_out_and_come_in(void **state)
{
    place *p = *state;
    size_t size = (size_t)3 << 20;
    char *content = malloc(size);
    for (size_t i = 0; i < size; i++)
        content[i] = (char)(i * 2654435761u >> 9);
    configure(p, "");
    const char *reference = fake_attachment_put(p->host, content, size);
    fake_answer a =
        fake_callf(p->host, "post", "{\"path\":\"content\",\"attachment\":\"%s\",\"save\":true}", reference);
    assert_string_equal(fake_text(&a, "attachment"), reference); /* the same bytes came back */
    assert_int_equal(fake_integer(&a, "size"), size);
    fake_answer_free(&a);
    free(content);
    a = fake_callf(p->host, "post", "{\"path\":\"content\",\"save\":true}");
    assert_int_equal(fake_integer(&a, "size"), 0);
    assert_non_null(fake_attachment_find(p->host, fake_text(&a, "attachment")));
    fake_answer_free(&a);
    /* What is no success is not saved. */
    a = fake_callf(p->host, "get", "{\"path\":\"status/404\",\"save\":true}");
    assert_string_equal(json_string_value(json_object_get(a.detail, "body")), "said the server");
    fake_expect_failure(a, PAWL_E_FAILED, PAWL_TERMINAL, "http.404");
    fake_expect_failure(fake_callf(p->host, "get", "{\"path\":\"cut\",\"save\":true}"), PAWL_E_FAILED, PAWL_RETRYABLE,
                        "http.reset");
    configure(p, ",\"max_saved\":1000");
    fake_expect_failure(fake_callf(p->host, "get", "{\"path\":\"bytes/1001\",\"save\":true}"), PAWL_E_LIMIT,
                        PAWL_TERMINAL, "http.too_large");
    p->host->no_attachments = true;
    fake_expect_failure(fake_callf(p->host, "get", "{\"path\":\"bytes/1\",\"save\":true}"), PAWL_E_UNSUPPORTED,
                        PAWL_TERMINAL, "http.no_attachments");
}

static void test_response_as_json_text_or_base64(void **state)
{
    place *p = *state;
    configure(p, "");
    fake_answer a = fake_callf(p->host, "post",
                               "{\"path\":\"content\",\"text\":\"null\","
                               "\"query\":{\"type\":\"application/problem+json; charset=utf-8\"}}");
    fake_expect_ok(&a);
    assert_true(json_is_null(json_object_get(a.json, "json")));
    fake_answer_free(&a);
    a = fake_callf(p->host, "post",
                   "{\"path\":\"content\",\"text\":\"{broken\",\"query\":{\"type\":\"application/json\"}}");
    assert_string_equal(fake_text(&a, "text"), "{broken");
    fake_answer_free(&a);
    a = fake_callf(p->host, "post", "{\"path\":\"content\",\"base64\":\"AP8=\"}");
    assert_string_equal(fake_text(&a, "base64"), "AP8=");
    assert_string_equal(json_string_value(json_object_get(json_object_get(a.json, "headers"), "x-two")), "a, b");
    fake_answer_free(&a);
    a = fake_callf(p->host, "post", "{\"path\":\"content\"}");
    fake_expect_ok(&a);
    assert_null(json_object_get(a.json, "text"));
    fake_answer_free(&a);
}

static void test_headers_and_credentials(void **state)
{
    place *p = *state;
    configure(p, ",\"headers\":{\"X-Team\":\"blue\",\"Accept\":\"a/b\"},\"auth\":{\"bearer\":\"s3cr3t-token\"}");
    fake_answer a = fake_call(p->host, "get", "{\"path\":\"echo\",\"headers\":{\"accept\":\"c/d\",\"X-Empty\":\"\"}}",
                              &(fake_options){.trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"});
    assert_string_equal(echoed_header(&a, "X-Team"), "blue");
    assert_string_equal(echoed_header(&a, "accept"), "c/d");
    assert_string_equal(echoed_header(&a, "X-Empty"), "");
    assert_string_equal(echoed_header(&a, "Authorization"), "Bearer s3cr3t-token");
    assert_string_equal(echoed_header(&a, "traceparent"), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    assert_null(echoed_header(&a, "Idempotency-Key")); /* nothing to repeat */
    fake_answer_free(&a);
    static const char *const bad[] = {"{\"headers\":{\"Host\":\"evil\"}}",
                                      "{\"headers\":{\"A\":\"b\\r\\nC: d\"}}",
                                      "{\"headers\":{\"A B\":\"c\"}}",
                                      "{\"headers\":{\"A:\":\"c\"}}",
                                      "{\"headers\":{\"Content-Length\":\"9\"}}",
                                      "{\"headers\":{\"authorization\":\"x\"}}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        fake_expect_failure(fake_call(p->host, "get", bad[i], NULL), PAWL_E_FAILED, PAWL_TERMINAL,
                            "http.invalid_header");
    configure(p, ",\"auth\":{\"basic\":{\"user\":\"me\",\"password\":\"pass:word\"}}");
    a = fake_callf(p->host, "get", "{\"path\":\"echo\"}");
    assert_string_equal(echoed_header(&a, "Authorization"), "Basic bWU6cGFzczp3b3Jk");
    fake_answer_free(&a);
    /* The server repeats the credential in its complaint: it is not passed on. */
    a = fake_callf(p->host, "get", "{\"path\":\"status/401\"}");
    assert_string_equal(json_string_value(json_object_get(a.detail, "body")), "Basic ***");
    assert_null(strstr(a.message, "bWU6"));
    fake_expect_failure(a, PAWL_E_FAILED, PAWL_TERMINAL, "http.401");
}

static void test_X07_key_is_the_same_on_every_attempt(void **state)
{
    place *p = *state;
    static const char *const operations[] = {"post", "patch", "put", "delete"};
    configure(p, "");
    for (uint32_t i = 0; i < 4; i++) {
        fake_answer a = fake_call(p->host, operations[i], "{\"path\":\"echo\"}",
                                  &(fake_options){.attempt = i + 1, .key = "order 7\r\n/1/5"});
        fake_expect_ok(&a);
        fake_answer_free(&a);
        assert_string_equal(http_server_key(p->server, (int)i), "order%207%0D%0A/1/5");
    }
    fake_answer a = fake_call(p->host, "post", "{\"path\":\"echo\"}", &(fake_options){.key = "order 7/1/6"});
    fake_answer_free(&a);
    assert_string_equal(http_server_key(p->server, 4), "order%207/1/6");
    configure(p, ",\"idempotency_header\":\"X-Once\"");
    a = fake_callf(p->host, "post", "{\"path\":\"echo\"}");
    assert_string_equal(echoed_header(&a, "X-Once"), "p/1/2");
    fake_answer_free(&a);
}

static void test_connection_is_kept(void **state)
{
    place *p = *state;
    configure(p, "");
    for (int i = 0; i < 10; i++) {
        fake_answer a = fake_callf(p->host, i % 2 == 0 ? "get" : "post", "{\"path\":\"echo\"}");
        fake_expect_ok(&a);
        fake_answer_free(&a);
    }
    assert_int_equal(http_server_connections(p->server), 1);
    /* Without a key a request on a dead kept connection might be sent twice: those begin afresh. */
    configure(p, ",\"idempotency_header\":\"\"");
    for (int i = 0; i < 3; i++) {
        fake_answer a = fake_callf(p->host, "post", "{\"path\":\"echo\"}");
        fake_expect_ok(&a);
        fake_answer_free(&a);
    }
    assert_int_equal(http_server_connections(p->server), 4);
}

typedef struct crowd {
    place *place;
    int number;
    bool good;
} crowd;

static void *call_often(void *argument)
{
    crowd *c = argument;
    c->good = true;
    for (int i = 0; i < 25; i++) {
        char input[96], wanted[32];
        snprintf(wanted, sizeof wanted, "%d-%d", c->number, i);
        snprintf(input, sizeof input, "{\"path\":\"content\",\"text\":\"%s\"}", wanted);
        fake_answer a = fake_call(c->place->host, "post", input, NULL);
        const char *text = json_string_value(json_object_get(a.json, "text"));
        c->good = c->good && text != NULL && strcmp(text, wanted) == 0;
        fake_answer_free(&a);
    }
    return NULL;
}

static void test_many_threads_share_an_instance(void **state)
{
    crowd crowds[8];
    pthread_t threads[8];
    configure(*state, "");
    for (int i = 0; i < 8; i++) {
        crowds[i] = (crowd){*state, i, false};
        assert_int_equal(pthread_create(&threads[i], NULL, call_often, &crowds[i]), 0);
    }
    for (int i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
        assert_true(crowds[i].good);
    }
    place *p = *state;
    assert_int_equal(http_server_requests(p->server), 200);
    assert_true(http_server_connections(p->server) <= 8);
}

static void test_unix_socket(void **state)
{
    place *p = *state;
    char directory[] = "/tmp/pawl-http-XXXXXX", path[64], config[256];
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/socket", directory);
    http_server *server = http_server_open(path, NULL, NULL);
    snprintf(config, sizeof config, "{\"base_url\":\"http://service\",\"unix_socket\":\"%s\"}", path);
    fake_must_create(p->host, config);
    fake_answer a = fake_callf(p->host, "get", "{\"path\":\"echo\"}");
    assert_string_equal(echoed_header(&a, "Host"), "service");
    fake_answer_free(&a);
    http_server_close(server);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(directory), 0);
}

/* A key and a certificate of its own for 127.0.0.1, as PEM. */
static void make_certificate(char **key_text, char **certificate_text)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME *name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"test", -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_EXTENSION *names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "IP:127.0.0.1");
    X509_add_ext(certificate, names, -1);
    X509_EXTENSION_free(names);
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    BIO *bio = BIO_new(BIO_s_mem());
    char *data;
    assert_int_equal(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
    long size = BIO_get_mem_data(bio, &data);
    *key_text = strndup(data, (size_t)size);
    BIO_free(bio);
    bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_X509(bio, certificate), 1);
    size = BIO_get_mem_data(bio, &data);
    *certificate_text = strndup(data, (size_t)size);
    BIO_free(bio);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

static void test_tls_is_verified(void **state)
{
    place *p = *state;
    char *key, *certificate, path[] = "/tmp/pawl-http-XXXXXX", config[256];
    make_certificate(&key, &certificate);
    int fd = mkstemp(path);
    assert_int_equal(write(fd, certificate, strlen(certificate)), (ssize_t)strlen(certificate));
    close(fd);
    http_server *server = http_server_open(NULL, key, certificate);
    unsigned port = http_server_port(server);
    snprintf(config, sizeof config, "{\"base_url\":\"https://127.0.0.1:%u\"}", port);
    fake_must_create(p->host, config);
    fake_expect_failure(fake_callf(p->host, "post", "{\"path\":\"echo\"}"), PAWL_E_FAILED, PAWL_RETRYABLE, "http.tls");
    assert_int_equal(http_server_requests(server), 0);
    snprintf(config, sizeof config, "{\"base_url\":\"https://127.0.0.1:%u\",\"tls\":{\"ca_file\":\"%s\"}}", port, path);
    fake_must_create(p->host, config);
    fake_answer a = fake_callf(p->host, "post", "{\"path\":\"content\",\"text\":\"over tls\"}");
    assert_string_equal(fake_text(&a, "text"), "over tls");
    fake_answer_free(&a);
    snprintf(config, sizeof config, "{\"base_url\":\"https://127.0.0.1:%u\",\"tls\":{\"verify\":false}}", port);
    fake_must_create(p->host, config);
    a = fake_callf(p->host, "get", "{\"path\":\"echo\"}");
    fake_expect_ok(&a);
    fake_answer_free(&a);
    http_server_close(server);
    assert_int_equal(unlink(path), 0);
    free(key);
    free(certificate);
}

static void test_configuration_is_strict(void **state)
{
    place *p = *state;
    static const char *const bad[] = {"{}",
                                      "{\"base_url\":\"nonsense url\"}",
                                      "{\"base_url\":\"ftp://host/\"}",
                                      "{\"base_url\":\"http://u:hunter2@host/\"}",
                                      "{\"base_url\":\"http://host/?key=hunter2\"}",
                                      "{\"base_url\":\"http://host\",\"baseurl\":1}",
                                      "{\"base_url\":\"http://host\",\"auth\":{}}",
                                      "{\"base_url\":\"http://host\",\"auth\":{\"token\":\"hunter2\"}}",
                                      "{\"base_url\":\"http://host\",\"auth\":{\"bearer\":\"hunter2\\n\"}}",
                                      "{\"base_url\":\"http://host\",\"auth\":{\"basic\":{\"user\":\"hunter2\"}}}",
                                      "{\"base_url\":\"http://host\",\"headers\":{\"Host\":\"hunter2\"}}",
                                      "{\"base_url\":\"http://host\",\"headers\":{\"A\":\"hunter2\\r\"}}",
                                      "{\"base_url\":\"http://host\",\"headers\":{\"A\":1}}",
                                      "{\"base_url\":\"http://host\",\"redirects\":21}",
                                      "{\"base_url\":\"http://host\",\"redirects\":\"1\"}",
                                      "{\"base_url\":\"http://host\",\"success\":[]}",
                                      "{\"base_url\":\"http://host\",\"success\":[\"200-\"]}",
                                      "{\"base_url\":\"http://host\",\"success\":[\"299-200\"]}",
                                      "{\"base_url\":\"http://host\",\"success\":[199]}",
                                      "{\"base_url\":\"http://host\",\"tls\":{\"ca_file\":\"/no/such/file\"}}",
                                      "{\"base_url\":\"http://host\",\"tls\":{\"insecure\":true}}",
                                      "{\"base_url\":\"http://host\",\"unix_socket\":\"relative\"}",
                                      "{\"base_url\":\"http://host\",\"idempotency_header\":\"Host\"}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        fake_answer a = fake_create(p->host, bad[i]);
        assert_non_null(strstr(a.message, "http connector \"unit\": config"));
        assert_null(strstr(a.message, "hunter2"));
        if (strcmp(a.code, "http.config") != 0)
            fail_msg("%s gave %s", bad[i], a.code);
        fake_expect_failure(a, PAWL_E_FAILED, PAWL_TERMINAL, "http.config");
    }
}

static void test_P07_bad_input(void **state)
{
    place *p = *state;
    static const char *const bad[] = {"{\"path\":\"a\",\"url\":\"http://b\"}",
                                      "{\"method\":\"GET\"}",
                                      "{\"pth\":\"a\"}",
                                      "{\"query\":{\"a\":{}}}",
                                      "{\"query\":{\"a\":[null]}}",
                                      "{\"headers\":{\"a\":1}}",
                                      "{\"save\":1}",
                                      "{\"path\":\"a\\u0000b\"}",
                                      "{",
                                      "[]"};
    static const char *const methods[] = {"", "get", "CONNECT", "GET /x", "ABCDEFGHIJKLMNOPQ"};
    configure(p, "");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        fake_expect_failure(fake_call(p->host, "get", bad[i], NULL), PAWL_E_FAILED, PAWL_TERMINAL,
                            "http.invalid_input");
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        fake_expect_failure(fake_callf(p->host, "request", "{\"method\":\"%s\"}", methods[i]), PAWL_E_FAILED,
                            PAWL_TERMINAL, "http.invalid_input");
    fake_expect_failure(fake_call(p->host, "request", "{}", NULL), PAWL_E_FAILED, PAWL_TERMINAL, "http.invalid_input");
    fake_expect_failure(fake_call(p->host, "GET", "{}", NULL), PAWL_E_UNSUPPORTED, PAWL_TERMINAL,
                        "http.unknown_operation");
    assert_int_equal(http_server_requests(p->server), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(test_every_operation_is_its_method),
        EACH(test_target_is_base_path_and_query),
        EACH(test_P10_no_other_host_and_no_way_around),
        EACH(test_content_of_every_kind_goes_out),
        EACH(test_attachments_go_out_and_come_in),
        EACH(test_response_as_json_text_or_base64),
        EACH(test_headers_and_credentials),
        EACH(test_X07_key_is_the_same_on_every_attempt),
        EACH(test_connection_is_kept),
        EACH(test_many_threads_share_an_instance),
        EACH(test_unix_socket),
        EACH(test_tls_is_verified),
        EACH(test_configuration_is_strict),
        EACH(test_P07_bad_input),
    };
    return cmocka_run_group_tests_name("http connector", tests, NULL, NULL);
}
