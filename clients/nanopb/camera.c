/* Streams JPEG files as the frames of a camera, and prints who is seen: camera NAME PICTURE...
 *
 * Requests go to standard output and responses come from standard input, each with gRPC's prefix, for whatever carries
 * them; README.md has a line with curl. Names go to standard error. Nothing is allocated: the memory is what stands here.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "facewire_messages.h"

#define LARGEST_PICTURE_BYTES (512 * 1024)

static uint8_t picture_bytes[LARGEST_PICTURE_BYTES];
static facewire_v1_StreamRecognizeRequest request;
static facewire_v1_StreamRecognizeResponse response;
static facewire_v1_Face face;

static bool write_out(pb_ostream_t *stream, const pb_byte_t *bytes, size_t count)
{
    (void)stream;
    while (count > 0) {
        ssize_t written = write(STDOUT_FILENO, bytes, count);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        bytes += written;
        count -= (size_t)written;
    }
    return true;
}

static bool read_all(int file, pb_byte_t *bytes, size_t count)
{
    while (count > 0) {
        ssize_t got = read(file, bytes, count);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        bytes += got;
        count -= (size_t)got;
    }
    return true;
}

static bool read_in(pb_istream_t *stream, pb_byte_t *bytes, size_t count)
{
    (void)stream;
    return read_all(STDIN_FILENO, bytes, count);
}

static void print_face(const facewire_v1_Face *seen, void *context)
{
    bool is_known = seen->decision.outcome == facewire_v1_Outcome_OUTCOME_KNOWN;
    (void)context;
    fprintf(stderr, "  %s at %.0f,%.0f\n", is_known ? seen->decision.display_name : "unknown",
            (double)seen->box.x_px, (double)seen->box.y_px);
}

static void print_event(const facewire_v1_TrackEvent *event)
{
    if (event->state == facewire_v1_TrackState_TRACK_STATE_CONFIRMED &&
        event->decision.outcome == facewire_v1_Outcome_OUTCOME_KNOWN)
        fprintf(stderr, "here is %s\n", event->decision.display_name);
}

/* Reads one response; returns how many frames it accounts for, -1 at the end of the stream. */
static int64_t read_one(void)
{
    facewire_faces faces = {&face, print_face, NULL};
    uint8_t prefix[FACEWIRE_PREFIX_BYTES];
    pb_istream_t in = {read_in, NULL, 0, NULL};
    int32_t size;

    if (!read_all(STDIN_FILENO, prefix, sizeof prefix))
        return -1;
    size = facewire_message_size(prefix);
    if (size < 0)
        return -1;
    in.bytes_left = (size_t)size; /* The message is read from the connection as it is decoded. */
    if (!facewire_read_response(&in, &response, &faces)) {
        fprintf(stderr, "a response cannot be read: %s\n", PB_GET_ERROR(&in));
        return -1;
    }
    switch (response.which_message) {
    case facewire_v1_StreamRecognizeResponse_frame_tag:
        fprintf(stderr, "frame %llu\n", (unsigned long long)response.message.frame.sequence);
        return 1;
    case facewire_v1_StreamRecognizeResponse_skipped_tag:
        return response.message.skipped.frame_count;
    case facewire_v1_StreamRecognizeResponse_track_tag:
        print_event(&response.message.track);
        return 0;
    case facewire_v1_StreamRecognizeResponse_reconnect_tag:
        fprintf(stderr, "open a new stream in %lu ms, on a new connection\n",
                (unsigned long)response.message.reconnect.after_ms);
        return 0;
    default: /* started, advice, and what a later server sends */
        return 0;
    }
}

static bool send_picture(const char *path, uint64_t sequence)
{
    pb_ostream_t out = {write_out, NULL, SIZE_MAX, 0, NULL};
    facewire_picture picture = {picture_bytes, 0};
    int file = open(path, O_RDONLY);
    ssize_t got = 0;

    if (file < 0)
        return false;
    while (picture.size < sizeof picture_bytes &&
           (got = read(file, picture_bytes + picture.size, sizeof picture_bytes - picture.size)) > 0)
        picture.size += (size_t)got;
    close(file);
    facewire_set_frame(&request, sequence, 0, &picture);
    return got == 0 && facewire_write_request(&out, &request);
}

int main(int argc, char **argv)
{
    pb_ostream_t out = {write_out, NULL, SIZE_MAX, 0, NULL};
    facewire_v1_StreamConfig *config = &request.message.config;
    int64_t sent = 0, accounted = 0, frames; /* also of a server that counts wrongly: 2^32 a message */

    if (argc < 3 || strlen(argv[1]) >= sizeof config->camera_id) {
        fprintf(stderr, "camera NAME PICTURE...\n");
        return 2;
    }
    request.which_message = facewire_v1_StreamRecognizeRequest_config_tag;
    strcpy(config->camera_id, argv[1]);
    config->frame_policy = facewire_v1_FramePolicy_FRAME_POLICY_EVERY_FRAME;
    if (!facewire_write_request(&out, &request) || read_one() < 0 ||
        response.which_message != facewire_v1_StreamRecognizeResponse_started_tag) {
        fprintf(stderr, "the stream was refused\n");
        return 1;
    }
    const int64_t credit = response.message.started.max_in_flight;
    while (accounted < argc - 2) {
        if (sent < argc - 2 && sent - accounted < credit) {
            if (!send_picture(argv[2 + sent], (uint64_t)sent + 1)) {
                fprintf(stderr, "%s cannot be sent\n", argv[2 + sent]);
                return 1;
            }
            if (++sent == argc - 2)
                close(STDOUT_FILENO); /* half-closes the stream: the server accounts for what it has, and ends it */
            continue;
        }
        if ((frames = read_one()) < 0) {
            fprintf(stderr, "the stream broke off after %lld frames\n", (long long)accounted);
            return 1;
        }
        accounted += frames;
    }
    while (read_one() >= 0) /* events come until the stream ends */
        ;
    return 0;
}
