#include <zlib.h>

// Swift does not see the macro `inflateInit2`. 15 is the largest window, and 32 more find out whether a stream is of the
// gzip or the zlib format.
static inline int czlib_inflate_init(z_stream *stream) {
    return inflateInit2(stream, 15 + 32);
}
