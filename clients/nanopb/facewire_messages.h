/* The messages of a camera's stream, for nanopb: encoded and decoded piece by piece, without a heap.
 *
 * Nothing here opens a connection: nanopb carries messages, not gRPC. README.md says what can carry them.
 */
#ifndef FACEWIRE_MESSAGES_H
#define FACEWIRE_MESSAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pb_decode.h>
#include <pb_encode.h>

#include "facewire/v1/recognition.pb.h"

/* Bytes before each message of a gRPC stream: whether it is compressed (0), and its length, big-endian. */
#define FACEWIRE_PREFIX_BYTES 5

/* Who gets the faces of a frame. */
typedef struct {
    facewire_v1_Face *face; /* Memory for one face at a time. */
    void (*on_face)(const facewire_v1_Face *face, void *context);
    void *context;
} facewire_faces;

/* A picture that is sent: bytes of the caller, which stay where they are until the frame is written. */
typedef struct {
    const uint8_t *data;
    size_t size;
} facewire_picture;

/* Writes a request with its prefix. Returns whether all of it was written. */
bool facewire_write_request(pb_ostream_t *out, const facewire_v1_StreamRecognizeRequest *request);

/* Makes `request` a frame whose picture is read from `picture` while it is written.
 *
 * sequence: > 0, and greater than that of the frame before.
 * captured_at_us: of a monotonic clock; 0 if it is not known.
 */
void facewire_set_frame(facewire_v1_StreamRecognizeRequest *request, uint64_t sequence,
                        int64_t captured_at_us, const facewire_picture *picture);

/* Returns the length of the message that follows a prefix; -1 if it is compressed, which is not asked for, or longer
 * than 2 GiB. */
int32_t facewire_message_size(const uint8_t prefix[FACEWIRE_PREFIX_BYTES]);

/* Reads a response of which `in` has exactly the bytes; calls `faces->on_face` for each face of a frame, before the
 * rest of the frame need have been read. Returns false if it is damaged, or longer than the profile has room for:
 * `PB_GET_ERROR(in)` says which. */
bool facewire_read_response(pb_istream_t *in, facewire_v1_StreamRecognizeResponse *response,
                            facewire_faces *faces);

#endif
