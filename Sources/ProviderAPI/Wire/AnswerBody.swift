import CZlib

/// Collects the body of an answer, unpacks it, and stops at a limit.
///
/// Reads the codings `gzip`, its old name `x-gzip`, and `deflate` (RFC 9110, 8.4.1). The body of any other coding stays
/// as it is.
package struct AnswerBody {
    package enum Fault: Error {
        case tooLarge
        /// The packed bytes are damaged, are followed by others, or end too early.
        case garbled
    }

    package private(set) var bytes: [UInt8] = []
    private let limit: Int
    private let inflater: Inflater?

    /// - Parameters:
    ///   - codings: the values of all `Content-Encoding` headers.
    ///   - limit: the largest body in bytes, unpacked.
    package init(codings: [String], limit: Int) throws(Fault) {
        self.limit = limit
        let names = codings.flatMap { $0.split(separator: ",") }
            .map { $0.filter { $0 != " " && $0 != "\t" }.lowercased() }.filter { !["", "identity"].contains($0) }
        let isPacked = names.count == 1 && ["gzip", "x-gzip", "deflate"].contains(names[0])
        inflater = try isPacked ? Inflater() : nil
    }

    /// Takes the next bytes of the connection.
    package mutating func append(_ part: some Sequence<UInt8>) throws(Fault) {
        guard let inflater else { return try keep(part) }
        inflater.take(Array(part))
        while let piece = try inflater.next() { try keep(piece) }
    }

    /// Says that no further bytes come.
    package func finish() throws(Fault) {
        guard inflater?.isComplete ?? true else { throw .garbled }
    }

    private mutating func keep(_ part: some Sequence<UInt8>) throws(Fault) {
        guard bytes.count + part.underestimatedCount <= limit else { throw .tooLarge }
        bytes.append(contentsOf: part)
    }
}

/// Unpacks a gzip file or a zlib stream in pieces.
///
/// A gzip file may have several members, one behind the other (RFC 1952, 2.2). Zero bytes behind the last one, with
/// which some programs fill up a block, are passed over, as gzip(1) does.
private final class Inflater {
    private enum Place {
        case start, inside, behind, padding
    }

    /// zlib keeps the address of its stream, so the stream must not move.
    private let stream: UnsafeMutablePointer<z_stream>
    private var place = Place.start
    private var input: ArraySlice<UInt8> = []
    private var output = [UInt8](repeating: 0, count: 1 << 16)
    /// Whether the last piece filled the output, so that zlib may hold more without further input.
    private var mayHoldMore = false

    init() throws(AnswerBody.Fault) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        guard czlib_inflate_init(stream) == Z_OK else { throw .garbled }
    }

    deinit {
        inflateEnd(stream)
        stream.deinitialize(count: 1)
        stream.deallocate()
    }

    /// Whether what was taken ends where a member ends. No bytes at all are an empty body.
    var isComplete: Bool { place != .inside }

    /// Takes further packed bytes; all earlier ones must have been unpacked.
    func take(_ bytes: [UInt8]) {
        input = bytes[...]
    }

    /// The next unpacked piece, perhaps an empty one; nil when all input is unpacked.
    func next() throws(AnswerBody.Fault) -> ArraySlice<UInt8>? {
        guard let first = input.first else { return mayHoldMore ? try inflated() : nil }
        if place == .behind {
            place = first == 0 ? .padding : .inside
            inflateReset(stream)
        }
        if place == .padding {
            guard input.allSatisfy({ $0 == 0 }) else { throw .garbled }
            input = []
            return nil
        }
        place = .inside
        return try inflated()
    }

    private func inflated() throws(AnswerBody.Fault) -> ArraySlice<UInt8> {
        var (code, left) = (Z_OK, 0)
        input.withUnsafeBufferPointer { source in
            output.withUnsafeMutableBufferPointer { target in
                stream.pointee.next_in = UnsafeMutablePointer(mutating: source.baseAddress)
                stream.pointee.avail_in = UInt32(source.count)
                stream.pointee.next_out = target.baseAddress
                stream.pointee.avail_out = UInt32(target.count)
                code = inflate(stream, Z_NO_FLUSH)
                left = Int(stream.pointee.avail_in)
            }
        }
        // A lack of input or output is no error: more input follows, or `finish` finds that it is missing.
        guard [Z_OK, Z_STREAM_END, Z_BUF_ERROR].contains(code) else { throw .garbled }
        let written = output.count - Int(stream.pointee.avail_out)
        if code == Z_STREAM_END { place = .behind }
        mayHoldMore = code == Z_OK && written == output.count
        input = input.suffix(left)
        return output.prefix(written)
    }
}
