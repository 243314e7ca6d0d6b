/* Reads a message of facewire.v1 from standard input and writes it again: vectors NAME. Or prints sizes: vectors sizes.
 *
 * What C saw of each face goes to standard error, as a line. The library's heap is taken away: whoever asks for memory ends
 * the program.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facewire_messages.h"

#define MOST_FACES 4 /* that are written again; more are counted and printed */
#define MOST_BYTES (4 * 1024 * 1024)

static uint8_t incoming[MOST_BYTES], outgoing[MOST_BYTES];
static facewire_v1_Face face, kept[MOST_FACES];
static int face_count;

void *__wrap_realloc(void *old, size_t size);
void __wrap_free(void *old);

void *__wrap_realloc(void *old, size_t size)
{
    (void)old;
    (void)size;
    abort();
}

void __wrap_free(void *old)
{
    (void)old;
    abort();
}

static void keep_face(const facewire_v1_Face *seen, void *context)
{
    (void)context;
    fprintf(stderr, "face|%s|%.9g|%.9g|%.9g|%.9g\n", seen->decision.display_name,
            (double)seen->box.x_px, (double)seen->box.y_px, (double)seen->box.width_px,
            (double)seen->box.height_px);
    if (face_count < MOST_FACES)
        kept[face_count] = *seen;
    face_count++;
}

static bool write_faces(pb_ostream_t *stream, const pb_field_t *field, void *const *arg)
{
    int index;
    (void)arg;
    for (index = 0; index < face_count && index < MOST_FACES; index++)
        if (!pb_encode_tag_for_field(stream, field) ||
            !pb_encode_submessage(stream, facewire_v1_Face_fields, &kept[index]))
            return false;
    return true;
}

static bool read_faces(pb_istream_t *stream, const pb_field_t *field, void **arg)
{
    (void)field;
    (void)arg;
    if (!pb_decode(stream, facewire_v1_Face_fields, &face))
        return false;
    keep_face(&face, NULL);
    return true;
}

static bool read_picture(pb_istream_t *stream, const pb_field_t *field, void **arg)
{
    static uint8_t bytes[64 * 1024];
    facewire_picture *picture = *arg;
    (void)field;
    picture->data = bytes;
    picture->size = stream->bytes_left;
    return picture->size <= sizeof bytes && pb_read(stream, bytes, stream->bytes_left);
}

/* A camera reads no requests, so no option lets nanopb keep the picture within the oneof: it is unwrapped by hand. */
static bool read_request(pb_istream_t *in, facewire_v1_StreamRecognizeRequest *request,
                         facewire_picture *picture)
{
    static facewire_v1_Frame frame;
    pb_istream_t start = *in, part;
    pb_wire_type_t wire_type;
    uint32_t tag;
    bool is_end, is_read;

    if (!pb_decode_tag(in, &wire_type, &tag, &is_end))
        return false;
    if (tag != facewire_v1_StreamRecognizeRequest_frame_tag) {
        *in = start;
        return pb_decode(in, facewire_v1_StreamRecognizeRequest_fields, request);
    }
    frame.image.data.funcs.decode = read_picture;
    frame.image.data.arg = picture;
    if (!pb_make_string_substream(in, &part))
        return false;
    is_read = pb_decode(&part, facewire_v1_Frame_fields, &frame);
    if (!pb_close_string_substream(in, &part) || !is_read)
        return false;
    facewire_set_frame(request, frame.sequence, frame.captured_at_us, picture);
    frame.image.data = request->message.frame.image.data; /* how it is written */
    request->message.frame.image = frame.image;
    return true;
}

static bool again(const char *name, pb_istream_t *in, pb_ostream_t *out)
{
    if (strcmp(name, "StreamRecognizeRequest") == 0) {
        static facewire_v1_StreamRecognizeRequest request;
        static facewire_picture picture;
        uint8_t *message = outgoing + FACEWIRE_PREFIX_BYTES;
        if (!read_request(in, &request, &picture) || !facewire_write_request(out, &request) ||
            facewire_message_size(outgoing) != (int32_t)out->bytes_written - FACEWIRE_PREFIX_BYTES)
            return false;
        out->bytes_written -= FACEWIRE_PREFIX_BYTES;
        memmove(outgoing, message, out->bytes_written);
        return true;
    }
    if (strcmp(name, "StreamRecognizeResponse") == 0) {
        static facewire_v1_StreamRecognizeResponse response;
        facewire_faces faces = {&face, keep_face, NULL};
        if (!facewire_read_response(in, &response, &faces))
            return false;
        memset(&response.cb_message, 0, sizeof response.cb_message);
        if (response.which_message == facewire_v1_StreamRecognizeResponse_frame_tag)
            response.message.frame.faces.funcs.encode = write_faces;
        return pb_encode(out, facewire_v1_StreamRecognizeResponse_fields, &response);
    }
    if (strcmp(name, "RecognizeResponse") == 0) {
        static facewire_v1_RecognizeResponse response;
        response.faces.funcs.decode = read_faces;
        if (!pb_decode(in, facewire_v1_RecognizeResponse_fields, &response))
            return false;
        response.faces.funcs.encode = write_faces;
        return pb_encode(out, facewire_v1_RecognizeResponse_fields, &response);
    }
    if (strcmp(name, "GetServerInfoResponse") == 0) {
        static facewire_v1_GetServerInfoResponse info;
        return pb_decode(in, facewire_v1_GetServerInfoResponse_fields, &info) &&
               pb_encode(out, facewire_v1_GetServerInfoResponse_fields, &info);
    }
    fprintf(stderr, "error: C has no way to read a %s\n", name);
    return false;
}

static int print_sizes(void)
{
#define PRINT(name) printf("%s %zu\n", #name, sizeof(facewire_v1_##name))
    PRINT(StreamRecognizeRequest);
    PRINT(StreamRecognizeResponse);
    PRINT(Face);
    PRINT(GetServerInfoResponse);
    return 0;
}

int main(int argc, char **argv)
{
    pb_ostream_t out = pb_ostream_from_buffer(outgoing, sizeof outgoing);
    pb_istream_t in;

    if (argc == 2 && strcmp(argv[1], "sizes") == 0)
        return print_sizes();
    in = pb_istream_from_buffer(incoming, fread(incoming, 1, sizeof incoming, stdin));
    if (argc != 2 || !again(argv[1], &in, &out)) {
        fprintf(stderr, "error: %s, %s\n", PB_GET_ERROR(&in), PB_GET_ERROR(&out));
        return 1;
    }
    return fwrite(outgoing, 1, out.bytes_written, stdout) == out.bytes_written ? 0 : 1;
}
