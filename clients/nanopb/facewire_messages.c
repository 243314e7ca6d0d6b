#include "facewire_messages.h"

static bool write_picture(pb_ostream_t *stream, const pb_field_t *field, void *const *arg)
{
    const facewire_picture *picture = *arg;
    return pb_encode_tag_for_field(stream, field) &&
           pb_encode_string(stream, picture->data, picture->size);
}

static bool read_face(pb_istream_t *stream, const pb_field_t *field, void **arg)
{
    facewire_faces *faces = *arg;
    (void)field;
    if (!pb_decode(stream, facewire_v1_Face_fields, faces->face))
        return false;
    faces->on_face(faces->face, faces->context);
    return true;
}

/* nanopb has just cleared the message of the oneof that it is about to decode: callbacks are set now or are lost. */
static bool before_response(pb_istream_t *stream, const pb_field_t *field, void **arg)
{
    (void)stream;
    if (field->tag == facewire_v1_StreamRecognizeResponse_frame_tag) {
        facewire_v1_FrameResult *frame = field->pData;
        frame->faces.funcs.decode = read_face;
        frame->faces.arg = *arg;
    }
    return true;
}

void facewire_set_frame(facewire_v1_StreamRecognizeRequest *request, uint64_t sequence,
                        int64_t captured_at_us, const facewire_picture *picture)
{
    static const facewire_v1_Frame empty = facewire_v1_Frame_init_zero;
    facewire_v1_Frame *frame = &request->message.frame;

    request->which_message = facewire_v1_StreamRecognizeRequest_frame_tag;
    *frame = empty;
    frame->sequence = sequence;
    frame->captured_at_us = captured_at_us;
    frame->has_image = true;
    frame->image.data.funcs.encode = write_picture;
    frame->image.data.arg = (void *)(uintptr_t)picture; /* The encoder only reads it. */
}

bool facewire_write_request(pb_ostream_t *out, const facewire_v1_StreamRecognizeRequest *request)
{
    uint8_t prefix[FACEWIRE_PREFIX_BYTES] = {0};
    size_t size;

    if (!pb_get_encoded_size(&size, facewire_v1_StreamRecognizeRequest_fields, request) ||
        size > INT32_MAX)
        return false;
    prefix[1] = (uint8_t)(size >> 24);
    prefix[2] = (uint8_t)(size >> 16);
    prefix[3] = (uint8_t)(size >> 8);
    prefix[4] = (uint8_t)size;
    return pb_write(out, prefix, sizeof prefix) &&
           pb_encode(out, facewire_v1_StreamRecognizeRequest_fields, request);
}

int32_t facewire_message_size(const uint8_t prefix[FACEWIRE_PREFIX_BYTES])
{
    if (prefix[0] != 0 || prefix[1] > 0x7f)
        return -1;
    return (int32_t)((uint32_t)prefix[1] << 24 | (uint32_t)prefix[2] << 16 |
                     (uint32_t)prefix[3] << 8 | prefix[4]);
}

bool facewire_read_response(pb_istream_t *in, facewire_v1_StreamRecognizeResponse *response,
                            facewire_faces *faces)
{
    response->cb_message.funcs.decode = before_response;
    response->cb_message.arg = faces;
    return pb_decode(in, facewire_v1_StreamRecognizeResponse_fields, response);
}
