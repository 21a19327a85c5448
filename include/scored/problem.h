/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every problem that a reply can name: an error of a whole request, or of one row of it. The type
 * of a problem is "urn:scored:<urn>" (RFC 9457); types are stable, titles and details are for
 * people.
 */
#ifndef SCORED_PROBLEM_H
#define SCORED_PROBLEM_H

/*  X(id, HTTP status, urn, title) */
#define PROBLEMS(X)                                                                       \
    X(NONE, 200, "none", "No problem")                                                    \
    X(MALFORMED_JSON, 400, "malformed-json", "The body is not well-formed JSON")          \
    X(MALFORMED_CSV, 400, "malformed-csv", "The body is not well-formed CSV")             \
    X(MALFORMED_GZIP, 400, "malformed-gzip", "The body is not well-formed gzip")          \
    X(MALFORMED_ZSTD, 400, "malformed-zstd", "The body is not well-formed zstd")          \
    X(MALFORMED_UTF8, 400, "malformed-utf8", "The body is not well-formed UTF-8")         \
    X(TOO_DEEP, 400, "too-deep", "The body is nested too deeply")                         \
    X(DUPLICATE_FIELD, 400, "duplicate-field", "A field stands twice in one row")         \
    X(BAD_REQUEST, 400, "bad-request", "The request is not valid HTTP")                   \
    X(BAD_PARAMETER, 400, "bad-parameter", "A query parameter is not valid")              \
    X(UNKNOWN_COLUMN, 400, "unknown-column", "The model has no such column")              \
    X(UNAUTHORIZED, 401, "unauthorized", "This needs a token that is known")              \
    X(WRONG_SCOPE, 403, "wrong-scope", "The token is for something else")                 \
    X(FORBIDDEN, 403, "forbidden", "This may not be asked from there")                    \
    X(NOT_FOUND, 404, "not-found", "There is nothing here")                               \
    X(NO_MODEL, 404, "no-model", "There is no model of this name")                        \
    X(METHOD_NOT_ALLOWED, 405, "method-not-allowed", "The method is not allowed here")    \
    X(NOT_ACCEPTABLE, 406, "not-acceptable", "The answer has no acceptable form")         \
    X(NO_VERSION, 404, "no-version", "This version of the model is not loaded")           \
    X(CONFLICT, 409, "conflict", "The state of the model does not allow this")            \
    X(TOO_LARGE, 413, "too-large", "The request is too large")                            \
    X(URI_TOO_LONG, 414, "uri-too-long", "The request target is too long")                \
    X(UNSUPPORTED_TYPE, 415, "unsupported-type", "The media type is not supported")       \
    X(HEADERS_TOO_LARGE, 431, "headers-too-large", "The headers are too large")           \
    X(NOT_A_ROW, 422, "not-a-row", "A row is not a JSON object")                          \
    X(WRONG_TYPE, 422, "wrong-type", "A field has the wrong type")                        \
    X(OUT_OF_RANGE, 422, "out-of-range", "A number is out of range")                      \
    X(NULL_VALUE, 422, "null-value", "A field may not be null")                           \
    X(UNKNOWN_FIELD, 422, "unknown-field", "The fields of a row are not the model's")     \
    X(MISSING_FIELD, 422, "missing-field", "A row lacks a field of the model")            \
    X(BAD_VECTOR, 422, "bad-vector", "A vector is not valid")                             \
    X(ROW_TOO_LARGE, 422, "row-too-large", "A value is too long")                         \
    X(UNSEEN_VALUE, 422, "unseen-value", "A value was not seen in training")              \
    X(INVALID_VALUE, 422, "invalid-value", "A stage of the pipeline cannot take a value") \
    X(SIZE_MISMATCH, 422, "size-mismatch", "A vector has the wrong size for a stage")     \
    X(TIMEOUT, 408, "timeout", "The request did not come in time")                        \
    X(TOO_LATE, 504, "too-late", "The answer would have come too late")                   \
    X(OVERLOADED, 503, "overloaded", "The server has too much to do")                     \
    X(INTERNAL, 500, "internal", "The server failed")                                     \
    X(NOT_IMPLEMENTED, 501, "not-implemented", "The server does not know how to do this") \
    X(HTTP_VERSION, 505, "http-version", "The version of HTTP is not supported")          \
    X(NOT_READY, 503, "not-ready", "No model is ready yet")                               \
    X(OUT_OF_MEMORY, 503, "out-of-memory", "The server is out of memory")

enum problem {
#define X(id, status, urn, title) PROBLEM_##id,
    PROBLEMS(X)
#undef X
        PROBLEM_COUNT
};

unsigned problem_status(enum problem p);
const char *problem_urn(enum problem p); /* "urn:scored:..." */
const char *problem_title(enum problem p);

#endif
