import Foundation

/// One way in which a network or a server can treat a request, and what a client may conclude from it.
package struct NetworkFault: Sendable, CustomStringConvertible {
    /// What happened at the server.
    package enum Truth: Sendable {
        /// The client cannot know whether the request was executed.
        case open
        /// The server closed before it read anything. The client may or may not know that.
        case unread
        /// HTTP 200 with a whole body that cannot be used.
        case unusable
        case redirected
        /// The answer is late or strange, but good.
        case good
    }

    package let description: String
    package let truth: Truth
    /// The timeout of the client's request. It is short when nothing else ends the wait.
    package let timeout: Duration
    /// The state of the connection after the fault.
    package enum After: Sendable {
        /// It is as good as before.
        case good
        /// The server leaves it open, but the client must not use it again.
        case spoilt
        case closed
    }

    package let after: After
    let act: @Sendable (RawServer.Connection, _ good: String) -> Void

    init(
        _ description: String, _ truth: Truth, hangs: Bool = false, then after: After = .closed,
        _ act: @escaping @Sendable (RawServer.Connection, _ good: String) -> Void
    ) {
        self.description = description
        self.truth = truth
        timeout = hangs ? .seconds(1) : .seconds(20)
        self.after = after
        self.act = act
    }

    /// Lets the fault happen.
    ///
    /// - Parameter good: the JSON that the operation wants.
    package func happen(on connection: RawServer.Connection, good: String) {
        act(connection, good)
    }

    package static let all: [NetworkFault] = silent + broken + misframed + strange + packed

    private static let silent = [
        NetworkFault("accepted and never answered", .open, hangs: true, then: .spoilt) { _, _ in },
        NetworkFault("a head that drips", .open, hangs: true) { connection, _ in
            connection.write("HTTP/1.1 200 OK\r\nX: ")
            connection.drip("x", every: 20_000)
        },
        NetworkFault("a body that drips", .open, hangs: true) { connection, _ in
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            connection.drip(" ", every: 20_000)
        },
        NetworkFault("interim answers without end", .open, hangs: true) { connection, _ in
            connection.drip("HTTP/1.1 100 Continue\r\n\r\n", every: 2_000)
        },
        NetworkFault("a header without end", .open, hangs: true) { connection, _ in
            connection.write("HTTP/1.1 200 OK\r\nX: ")
            let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 4_096)
            connection.drip(piece, every: 1_000)
        },
        NetworkFault("headers without end", .open, hangs: true) { connection, _ in
            connection.write("HTTP/1.1 200 OK\r\n")
            let piece = Array(String(repeating: "X: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n", count: 100).utf8)
            connection.drip(piece, every: 1_000)
        },
        NetworkFault("a body without end", .open, hangs: true) { connection, _ in
            connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            let piece = Array("4000\r\n".utf8) + [UInt8](repeating: 0x20, count: 0x4000) + Array("\r\n".utf8)
            connection.drip(piece, every: 500)
        },
    ]

    private static let broken = [
        NetworkFault("closed without an answer", .open) { _, _ in },
        NetworkFault("reset before the answer", .open) { connection, _ in connection.reset() },
        NetworkFault("reset in the head", .open) { connection, _ in
            connection.write("HTTP/1.1 200 OK\r\nConte")
            usleep(50_000)
            connection.reset()
        },
        NetworkFault("reset in the body", .open) { connection, good in
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(good.utf8.count + 9)\r\n\r\n\(good)")
            usleep(50_000)
            connection.reset()
        },
        NetworkFault("half-closed without an answer", .open, then: .spoilt) { connection, _ in
            connection.closeForWriting()
        },
        NetworkFault("half-closed in the body", .open, then: .spoilt) { connection, good in
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(good.utf8.count + 9)\r\n\r\n\(good)")
            connection.closeForWriting()
        },
        NetworkFault("reset after the body", .good) { connection, good in
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(good.utf8.count)\r\n\r\n\(good)")
            usleep(50_000)
            connection.reset()
        },
    ]

    private static let misframed = [
        NetworkFault("garbage instead of HTTP", .open, then: .spoilt) { connection, _ in
            connection.write("\u{0}\u{1}garbage\r\n\r\n\r\n")
        },
        NetworkFault("a length that is too long", .open) { connection, good in
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(good.utf8.count + 1)\r\n\r\n\(good)")
        },
        NetworkFault("a length that is too short", .unusable, then: .spoilt) { connection, good in
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{\(good)")
        },
        NetworkFault("a negative length", .open) { connection, good in
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n\(good)")
        },
        NetworkFault("two lengths", .open) { connection, good in
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 9\r\n\r\n\(good)")
        },
        NetworkFault("a chunk whose length is none", .open) { connection, good in
            connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\(good)\r\n0\r\n\r\n")
        },
        NetworkFault("a chunk that is cut", .open) { connection, good in
            connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n\(good)")
        },
        NetworkFault("chunks without their end", .open) { connection, good in
            let length = String(good.utf8.count, radix: 16)
            connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\(length)\r\n\(good)\r\n")
        },
        NetworkFault("a gzip bomb", .open, then: .good) { connection, _ in
            let bomb = GzipBomb.bytes(unpacked: 65 << 20)
            connection.write("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: \(bomb.count)\r\n\r\n")
            connection.write(bomb)
        },
        NetworkFault("gzip that is none", .open) { connection, _ in
            connection.write("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 30\r\n\r\n")
            connection.write([0x1F, 0x8B] + [UInt8](repeating: 0xFF, count: 28))
        },
    ]

    private static let strange = [
        NetworkFault("JSON that is cut", .unusable, then: .good) { connection, _ in connection.answer("{\"a\": [1, ") },
        NetworkFault("garbage for JSON", .unusable, then: .good) { connection, _ in
            connection.answer("\u{0}\u{1B}[2J garbage \u{202E}")
        },
        NetworkFault("a web page", .unusable, then: .good) { connection, _ in connection.answer("<html>hello</html>") },
        NetworkFault("a redirect to itself", .redirected, then: .good) { connection, _ in
            connection.write("HTTP/1.1 307 Temporary Redirect\r\nLocation: ?again\r\nContent-Length: 0\r\n\r\n")
        },
        NetworkFault("a byte order mark", .good, then: .good) { connection, good in
            connection.answer("\u{FEFF}" + good)
        },
        NetworkFault("latency", .good, then: .good) { connection, good in
            usleep(300_000)
            connection.answer(good)
        },
        NetworkFault("interim answers, then the answer", .good, then: .good) { connection, good in
            for _ in 0..<20 { connection.write("HTTP/1.1 102 Processing\r\n\r\n") }
            connection.answer(good)
        },
        NetworkFault("HTTP/1.0, ended by closing", .good) { connection, good in
            connection.write("HTTP/1.0 200 OK\r\n\r\n\(good)")
        },
        NetworkFault("an answer in single bytes", .good, then: .good) { connection, good in
            for byte in "HTTP/1.1 200 OK\r\nContent-Length: \(good.utf8.count)\r\n\r\n\(good)".utf8 {
                connection.write([byte])
            }
        },
    ]

    /// A reset of the connection before its first request is read.
    package static let resetAtOnce = NetworkFault("reset before the request", .unread) { connection, _ in
        connection.reset()
    }
}

extension RawServer.Connection {
    /// Sends these bytes again and again until the client has gone.
    package func drip(_ bytes: [UInt8], every microseconds: UInt32) {
        while write(bytes) { usleep(microseconds) }
    }

    package func drip(_ text: String, every microseconds: UInt32) {
        drip(Array(text.utf8), every: microseconds)
    }

    /// Answers with HTTP 200 and this body. The connection stays unless `closes` announces its end.
    package func answer(_ body: String, closes: Bool = false) {
        let close = closes ? "Connection: close\r\n" : ""
        write("HTTP/1.1 200 OK\r\n\(close)Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
    }
}

/// A gzip file of zeros that unpacks to about 158 times its size. Each 13 bits repeat the last byte 258 times (RFC
/// 1951, fixed codes).
enum GzipBomb {
    static func bytes(unpacked: Int) -> [UInt8] {
        var bytes: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF]
        var (buffer, held) = (UInt64(0), UInt64(0))
        func put(_ bits: [UInt64]) {
            for bit in bits {
                buffer |= bit << held
                held += 1
                if held == 8 {
                    bytes.append(UInt8(buffer))
                    (buffer, held) = (0, 0)
                }
            }
        }
        put([1, 1, 0])
        put([0, 0, 1, 1, 0, 0, 0, 0])
        for _ in 0..<(unpacked / 258) { put([1, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0]) }
        put([0, 0, 0, 0, 0, 0, 0])
        if held > 0 { bytes.append(UInt8(buffer)) }
        return bytes + [UInt8](repeating: 0, count: 8)
    }
}
